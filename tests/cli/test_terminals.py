"""What reaches a terminal: any encoding, no control character, one sentence when memory ends or a user stops it."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.command import profpipe
from tests.support.paths import DATA, SRC

THREADS = DATA / "callgrind" / "threads.out.gz"
PYSPY = DATA / "folded" / "pyspy-asyncio.raw.txt"
# ESC, a C1 control, and a mark that reverses the text after it.
HOSTILE = "a\x1b[31mb\x9bc\u202ed"
HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def run(
    *words: str | Path, cwd: Path, env: Mapping[str, str] | None = None, memory: int | None = None
) -> tuple[int, bytes]:
    def limit() -> None:
        if memory is not None:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

    done = subprocess.run(
        [sys.executable, "-m", "profpipe", *map(os.fspath, words)], cwd=cwd, env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=120, check=False,
        preexec_fn=limit,
    )  # fmt: skip
    assert b"Traceback" not in done.stdout, done.stdout.decode(errors="replace")
    return done.returncode, done.stdout


# Several commands, a "+" before each, in one process that imports once; after each a line with its exit code.
SEVERAL = """
import sys
from profpipe.cli import main
given = sys.argv[1:]
while given:
    end = given.index("+", 1) if "+" in given[1:] else len(given)
    sys.argv[1:], given = given[1:end], given[end:]
    try:
        main()
        code = 0
    except SystemExit as ended:
        code = ended.code
    print(f"\\nended: {code or 0}", flush=True)
"""


@pytest.mark.programs
@pytest.mark.parametrize(
    ("encoding", "commands"),
    [(encoding, ("compare", "parse", "json")) for encoding in ("ascii", "latin-1", "cp1252")]
    + [pytest.param(encoding, ("doctor",), marks=pytest.mark.real) for encoding in ("ascii", "latin-1", "cp1252")],
)
def test_results_are_printed_on_terminals_that_are_not_utf8(
    tmp_path: Path, encoding: str, commands: tuple[str, ...]
) -> None:
    env = {"PYTHONIOENCODING": f"{encoding}:strict", "LC_ALL": "C", "PYTHONUTF8": "0", "COLUMNS": "200"}
    name = tmp_path / "ünïcode-日本.out.gz"
    shutil.copy(THREADS, name)
    words = {
        "compare": ["compare", str(THREADS), str(name)],
        "parse": ["parse", str(name)],
        "doctor": ["doctor"],
        "json": ["parse", str(PYSPY), "--json"],
    }
    given = [word for command in commands for word in ("+", *words[command])]
    done = subprocess.run(
        [sys.executable, "-c", SEVERAL, *given], cwd=tmp_path, env={**os.environ, **env}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=120, check=False,
    )  # fmt: skip
    assert b"Traceback" not in done.stdout, done.stdout.decode(errors="replace")
    *texts, last = done.stdout.decode(encoding).split("\nended: 0\n")
    assert (len(texts), last) == (len(commands), ""), done.stdout
    assert all(texts)
    if "json" in commands:
        json.loads(texts[-1])


@pytest.mark.programs
def test_names_that_are_not_utf8_are_compared(tmp_path: Path) -> None:
    names = [os.fsdecode(b"caf\xe9.gz"), "b.gz"]
    for name in names:
        shutil.copy(THREADS, tmp_path / name)
    code, out = run("compare", *names, "-o", "out", cwd=tmp_path)
    assert code == 0, out
    assert rb"caf\xe9.gz" in out
    assert r"caf\\xe9.gz" in (tmp_path / "out" / "report.json").read_text(encoding="utf-8")


@pytest.mark.programs
@pytest.mark.parametrize(
    "words",
    [
        ("parse", HOSTILE),
        ("parse", "{file}"),
        ("report", HOSTILE),
        ("run", HOSTILE),
        ("diff", HOSTILE),
        ("history", HOSTILE),
        ("attach", HOSTILE),
        ("compare", "{file}", "{file}"),
        ("export", "{file}", "--to", HOSTILE),
        ("parse", "{file}", "--format", HOSTILE),
        (HOSTILE,),
        ("parse", f"--{HOSTILE}"),
        ("bisect", HOSTILE, HOSTILE),
        ("run", "-c", HOSTILE),
    ],
)
def test_no_control_character_of_a_name_reaches_the_terminal(tmp_path: Path, words: tuple[str, ...]) -> None:
    file = tmp_path / HOSTILE
    if "{file}" in words:
        file.write_bytes(b"not a capture")
    done = profpipe(*(word.replace("{file}", str(file)) for word in words), cwd=tmp_path)
    assert done.returncode in {1, 2}
    text = done.stdout + done.stderr
    assert text
    assert HARMFUL.findall(text) == []


def test_the_command_line_prints_in_one_place_only() -> None:
    for file in sorted((SRC / "cli").glob("*.py")):
        if file.name != "say.py":
            found = re.findall(r"\bclick\.echo\(|(?<![\w.])print\(|std(?:out|err)\.write\(", file.read_text())
            assert not found, f"{file.name}: use say.py"


@pytest.mark.programs
def test_too_little_memory_is_one_sentence(tmp_path: Path) -> None:
    big = tmp_path / "big.json"
    big.write_text('{"session": [' + "[1]," * 4_000_000 + "[1]]}")
    code, out = run(
        "parse", big, "--format", "pyinstrument", cwd=tmp_path, memory=400 << 20, env={"OPENBLAS_NUM_THREADS": "1"}
    )
    assert code == 1
    assert b"not enough memory" in out


@pytest.mark.programs
def test_a_small_capture_needs_no_more_memory_than_it_holds(tmp_path: Path) -> None:
    code, out = run("parse", DATA / "pstats" / "cprofile-threads.pstats", cwd=tmp_path, memory=1500 << 20)
    assert code == 0, out


@pytest.mark.programs
def test_a_stop_that_a_library_turns_into_its_own_error_is_a_stop(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text(
        "import os, signal\ntry:\n    os.kill(os.getpid(), signal.SIGINT)\n    import time; time.sleep(5)\n"
        "except KeyboardInterrupt:\n    raise RuntimeError('numpy was not imported') from None\n"
    )
    assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
    code, out = run("parse", THREADS, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)})
    assert (code, out.strip()) == (1, b"profpipe: stopped")
