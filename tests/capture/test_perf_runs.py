"""perf on real servers: whole processors are recorded, only the samples of the server are kept."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from profpipe.capture import place
from profpipe.capture.profilers.perf import options, python_names, trial
from profpipe.model.profile import KERNEL, PYTHON, RUNTIMES, Profile
from profpipe.model.run import LoadResult, RunRecord
from profpipe.parse import parse_file
from profpipe.study.schema import Ready, Target
from tests.support.capture_driving import FAULTY, ROOT, Drive, faulty, ours, run
from tests.support.perf_cases import fake_perf, samples_where
from tests.support.processes import processes
from tests.support.pythons import pythons
from tests.support.tools import require


def recorded(folder: Path, target: Target, requests: int = 4000, **more: object) -> RunRecord:
    """A run with five times the usual frequency, since these loads are short."""
    require("perf")
    settings: dict[str, object] = {"placement": place("same-core"), "options": {"frequency": 4999}, **more}
    return run(target, folder, "perf", requests, **settings)


def profile_of(captured: RunRecord, folder: Path) -> Profile:
    assert captured.reason is None
    [file] = captured.captures
    assert file.format == "perf"
    return parse_file(folder / file.path, file.format)


@pytest.mark.alone
@pytest.mark.real
def test_a_python_server_user_and_kernel(tmp_path: Path) -> None:
    captured = recorded(tmp_path, ours("threads"))
    profile = profile_of(captured, tmp_path)
    assert profile.self_sum("samples") == int(captured.profiler_facts["samples"].replace(",", ""))
    assert captured.usage is not None
    assert captured.usage.cpu_ns is not None
    assert 0.5 < profile.self_sum("cpu_ns") / captured.usage.cpu_ns < 1.5
    assert 0.3 < samples_where(profile, KERNEL) / profile.self_sum("samples") < 0.95
    named = dict(zip(profile.functions.name, profile.functions.runtime, strict=True))
    assert named["do_syscall_64"] == KERNEL
    assert RUNTIMES[named["_PyEval_EvalFrameDefault"]] == "native"
    assert len(profile.meta.threads) >= Drive(1).connections
    # A thread that was ending has no name and no number any more, only its process.
    assert all(thread.startswith(("python", ":-1 ")) for thread in profile.meta.threads)
    assert len({re.sub(r".* (\d+)/.*", r"\1", thread) for thread in profile.meta.threads}) == 1
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["perf.script.txt"]
    assert processes(tmp_path) == []


@pytest.mark.alone
@pytest.mark.real
def test_samples_per_symbol_equal_perf_report(tmp_path: Path) -> None:
    """perf's own report of the same recording is the oracle.

    Sorted by process as well: rows of one symbol are merged before they are filtered, and are then whose came first.
    """
    options_ = {"frequency": 4999, "keep": True}
    captured = recorded(tmp_path, ours("asyncio_protocol"), options=options_)
    profile = profile_of(captured, tmp_path)
    assert "perf.data" in captured.profiler_facts["recording"]
    pid = re.fullmatch(r".* (\d+)/\d+", profile.meta.threads[0])
    assert pid is not None
    report = (
        "report",
        "-i",
        str(tmp_path / "raw" / "perf.data"),
        "--pid",
        pid[1],
        "--stdio",
        "--no-children",
        "--no-inline",
    )
    columns = ("-g", "none", "-n", "--sort", "pid,sym", "--percentage", "relative")
    ids = ("--buildid-dir", str(tmp_path / "raw" / "perf.ids"))
    done = subprocess.run(
        ["perf", *ids, *report, *columns],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env=trial.environment(),
    )
    theirs: Counter[tuple[bool, str]] = Counter()
    for row in re.finditer(r"^ +[\d.]+% +(\d+) +\d+:\S+ +\[(.)\] (\S.*?)\s*$", done.stdout, re.MULTILINE):
        theirs[row[2] == "k", row[3]] += int(row[1])
    ours_: Counter[tuple[bool, str]] = Counter()
    assert profile.samples is not None
    assert profile.stacks is not None
    for row_, n in zip(profile.samples.stack, profile.samples.values["samples"], strict=True):
        f = profile.frames.function[profile.stacks.frame[row_]]
        ours_[profile.functions.runtime[f] == KERNEL, profile.functions.name[f]] += int(n)
    assert sum(theirs.values()) == sum(ours_.values()) > 100
    # Code without a symbol is a row per address there, and one function here.
    nameless = {key for key in theirs | ours_ if key[1] == "[unknown]" or key[1].startswith("0x")}
    assert {k: n for k, n in ours_.items() if k not in nameless} == {
        k: n for k, n in theirs.items() if k not in nameless
    }


@pytest.mark.alone
@pytest.mark.real
def test_without_call_graphs_and_freely_placed_all_processors_are_recorded(tmp_path: Path) -> None:
    captured = recorded(
        tmp_path, ours("threads"), placement=place("free"), options={"frequency": 4999, "call_graph": "none"}
    )
    profile = profile_of(captured, tmp_path)
    assert profile.stacks is not None
    assert set(profile.stacks.parent.tolist()) == {-1}
    said = captured.profiler_facts["options"]
    assert said.startswith("-a " if len(os.sched_getaffinity(0)) == os.cpu_count() else "-C ")


@pytest.mark.alone
@pytest.mark.real
def test_workers_of_a_server_are_recorded_with_it(tmp_path: Path) -> None:
    target = faulty("daemonizes", env={"RUN_FOLDER": str(tmp_path)})
    profile = profile_of(recorded(tmp_path, target), tmp_path)
    assert profile.self_sum("samples") > 50
    assert processes(tmp_path) == []


@pytest.mark.alone
@pytest.mark.real
def test_an_idle_window_is_invalid_in_words(tmp_path: Path) -> None:
    captured = recorded(tmp_path, ours("asyncio_protocol"), load=Drive(0, 0), options={"frequency": 9})
    assert captured.phase == "save"
    assert re.match(r"perf took [\d,]+ samples and none of the server", captured.reason or "")
    assert "raise `frequency`" in (captured.reason or "")


@pytest.mark.alone
@pytest.mark.real
def test_few_samples_are_a_warning(tmp_path: Path) -> None:
    # Some 15 samples: 4,000 requests give 5, and in one run of a hundred none at all, which is another fault.
    captured = recorded(tmp_path, ours("threads"), requests=12_000, options={"frequency": 99})
    assert any("too few to rank functions" in text for text in captured.warnings)


class KillsPerf(Drive):
    """A load during which perf is killed."""

    def __call__(self, host: str, port: int) -> LoadResult:
        import psutil

        result = super().__call__(host, port)
        for process in psutil.Process().children(recursive=True):
            if "record" in process.cmdline() and process.name() == "perf":
                process.kill()
                return result
        raise AssertionError("no perf was running")


@pytest.mark.alone
@pytest.mark.real
def test_perf_killed_in_the_window_makes_the_run_invalid(tmp_path: Path) -> None:
    captured = recorded(tmp_path, ours("threads"), load=KillsPerf(500))
    assert captured.phase == "save"
    assert (captured.reason or "").startswith("perf ended before the window did (killed by SIGKILL)")
    assert captured.captures == ()
    assert list((tmp_path / "raw").iterdir()) == []
    assert processes(tmp_path) == []


@pytest.mark.alone
@pytest.mark.real
def test_a_perf_that_does_not_begin_fails_with_its_own_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from profpipe.capture.profilers.perf import session

    real = shutil.which("perf")
    script = f'case "$*" in *record*) echo cannot mmap >&2; exit 9;; *) exec {real} "$@";; esac'
    program = fake_perf(tmp_path, script)
    monkeypatch.setattr(session, "find_tool", lambda _: program)
    captured = recorded(tmp_path / "run", ours("threads"), 10)
    assert captured.phase == "window"
    assert captured.reason == "perf could not record (exit status 9): cannot mmap"


@pytest.mark.alone
@pytest.mark.real
def test_perf_does_not_outlive_us_nor_leave_temporary_files(tmp_path: Path) -> None:
    require("perf")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    harness = subprocess.Popen(
        [sys.executable, "-m", "tests.servers.harness", "serves", str(tmp_path), "perf"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=FAULTY.parents[2],
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])},
    )
    assert harness.stdout is not None
    with harness.stdout:
        assert harness.stdout.readline() == b"loading\n"
        assert len(processes(tmp_path)) >= 2  # the harness and perf, whose data is there
        harness.send_signal(signal.SIGKILL)
        harness.wait(15)
    limit = time.monotonic() + 10
    while processes(tmp_path):
        assert time.monotonic() < limit, "perf outlived the process that started it"
        time.sleep(0.05)
    assert list(temporary.iterdir()) == []


def new_python() -> str:
    """A CPython 3.13 or later; the test is skipped, or fails, where there is none."""
    for path in pythons(python_names.SINCE):
        return path
    require("python3.13")
    pytest.skip("python3.13 does not run")


@pytest.mark.alone
@pytest.mark.real
def test_python_functions_are_named_and_nothing_is_left_in_tmp(tmp_path: Path) -> None:
    """CPython 3.13 and later, in threads; its files carry the numbers of its processes."""
    require("perf")
    target = ours("threads").model_copy(update={"command": (new_python(), "threads.py", "--port", "{port}")})
    captured = recorded(tmp_path, target)
    profile = profile_of(captured, tmp_path)
    assert "--call-graph dwarf" in captured.profiler_facts["options"]
    named = dict(zip(profile.functions.name, profile.functions.runtime, strict=True))
    assert named["handle"] == named["parse"] == PYTHON
    assert named["do_syscall_64"] == KERNEL
    share = float(captured.profiler_facts["samples with a Python function"].removesuffix(" %"))
    assert share > 80
    pid = re.search(r"(\d+)/", profile.meta.threads[0])
    assert pid is not None
    assert not [path for path in Path("/tmp").iterdir() if re.search(rf"\bji?t(ted)?-{pid[1]}\b", path.name)]
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["perf.script.txt"]


@pytest.mark.alone
@pytest.mark.real
def test_python_names_can_be_left_out(tmp_path: Path) -> None:
    require("perf")
    target = ours("threads").model_copy(update={"command": (new_python(), "threads.py", "--port", "{port}")})
    captured = recorded(tmp_path, target, options={"frequency": 4999, "python_names": False})
    assert PYTHON not in profile_of(captured, tmp_path).functions.runtime
    assert "--call-graph fp" in captured.profiler_facts["options"]


@pytest.mark.alone
@pytest.mark.real
def test_a_native_server(tmp_path: Path) -> None:
    require("perf", "gcc", "make")
    subprocess.run(["make", "-s", "-C", str(ROOT / "targets" / "c")], check=True, timeout=120, capture_output=True)
    target = Target(
        command=("targets/c/build/epoll-snprintf", "--port", "{port}"),
        language="native",
        ready=Ready(line=r"ready port=(?P<port>\d+)"),
    )
    captured = recorded(tmp_path, target, 8000, options={"frequency": 4999, "call_graph": "dwarf"})
    profile = profile_of(captured, tmp_path)
    assert samples_where(profile, KERNEL) / profile.self_sum("samples") > 0.6
    assert {"main", "format_head"} <= set(profile.functions.name)
    assert options.CLOCK in captured.profiler_facts["event"] or "cycles" in captured.profiler_facts["event"]
