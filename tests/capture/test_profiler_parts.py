"""The parts of each profiler that need no running server."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest

from profpipe.capture import PROFILERS, profiler
from profpipe.capture.profilers.callgrind import vgdb
from profpipe.capture.profilers.callgrind.dumps import counts_bytes, total_of
from profpipe.capture.profilers.callgrind.options import flags, merged_godebug, merged_tunables, other_libc
from profpipe.capture.profilers.python_agent.inprocess import Seen, split_command
from profpipe.errors import CaptureError, UsageError
from profpipe.study.schema import Target
from tests.support.capture_driving import ROOT, ours
from tests.support.paths import DATA


@pytest.mark.programs
def test_every_profiler_keeps_the_contract() -> None:
    for name, instrument in PROFILERS.parts():
        assert instrument.name == name
        assert instrument.kind in {"clean", "counted", "sampled", "traced"}
        target = {
            "go": Target(command=("./server",), language="go"),
            "node": Target(command=("node", "server.js"), language="node"),
            "async": Target(command=("java", "Main.java"), language="jvm"),
            "jvm": Target(command=("java", "Main.java"), language="jvm"),
        }.get(name.partition("-")[0], ours("threads"))
        assert instrument.limits(target)
        assert instrument.refuses(target) is None
        assert (instrument.emits is None) == (name == "clean")


def test_an_unknown_profiler_is_named_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"no profiler named 'gprof'; there are: clean, callgrind"):
        profiler("gprof")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file to another user")
def test_a_worker_that_gave_up_root_is_told_from_one_that_did_not(tmp_path: Path) -> None:
    pipe = tmp_path / f"vgdb-from-vgdb-to-{os.getpid()}-by-root-on-host"
    pipe.touch()
    assert vgdb.other_user(os.getpid(), tmp_path / "vgdb") is None
    os.chown(pipe, 33, -1)
    assert vgdb.other_user(os.getpid(), tmp_path / "vgdb") == "root"


@pytest.mark.parametrize("name", ["py-spy", "pyinstrument", "yappi", "cprofile"])
def test_python_profilers_refuse_other_programs(name: str) -> None:
    reason = profiler(name).refuses(Target(command=("/bin/sleep", "1"), language="native"))
    assert reason is not None
    assert "Python" in reason


@pytest.mark.parametrize(
    ("present", "merged"),
    [
        ("", "glibc.cpu.hwcaps=-ERMS"),
        ("glibc.malloc.check=1", "glibc.malloc.check=1:glibc.cpu.hwcaps=-ERMS"),
        ("glibc.cpu.hwcaps=-AVX2", "glibc.cpu.hwcaps=-AVX2,-ERMS"),
        ("glibc.cpu.hwcaps=-ERMS:a=b", "glibc.cpu.hwcaps=-ERMS:a=b"),
    ],
)
def test_tunables_of_the_user_are_kept(present: str, merged: str) -> None:
    assert merged_tunables(present) == merged


def test_go_loses_its_preemption_signals_and_keeps_the_rest() -> None:
    assert merged_godebug("gctrace=1") == "gctrace=1,asyncpreemptoff=1"
    assert merged_godebug("asyncpreemptoff=0") == "asyncpreemptoff=0"


def test_old_valgrind_has_no_nanoseconds() -> None:
    assert "--collect-systime=nsec" in flags({}, "3.19.0", python=True)
    assert "--collect-systime=yes" in flags({}, "3.15.0", python=True)
    assert not any("systime" in flag for flag in flags({"systime": False}, "3.19.0", python=True))


def test_threads_take_fair_turns_where_no_lock_of_the_language_does_that() -> None:
    assert "--fair-sched=yes" in flags({}, None, python=False)
    assert "--fair-sched=yes" not in flags({}, None, python=True)
    assert "--fair-sched=yes" in flags({"fair_sched": True}, None, python=True)
    assert "--fair-sched=yes" not in flags({"fair_sched": False}, None, python=False)


def test_an_unknown_option_is_named() -> None:
    with pytest.raises(UsageError, match="callgrind has no option systim; it has: systime"):
        flags({"systim": True}, None, python=True)


def test_musl_and_static_programs_have_different_warnings(tmp_path: Path) -> None:
    for name, content, word in [("a", b"\x7fELF..ld-musl-x86_64.so.1", "musl"), ("b", b"\x7fELF....", "statically")]:
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(0o755)
        assert word in (other_libc((f"./{name}",), tmp_path) or "")
    assert other_libc(("sleep",), tmp_path) is None


@pytest.mark.parametrize(
    ("capture", "function"),
    [("hyper011-future-erms", "__memset_avx2_unaligned_erms"), ("hyper011-future-no-erms", None)],
)
def test_a_tunable_without_effect_shows_in_the_dump(tmp_path: Path, capture: str, function: str | None) -> None:
    """The same server with ERMS left on, where glibc fills and copies with `rep`, and with it taken off."""
    file = tmp_path / "callgrind.out.1"
    file.write_bytes(gzip.decompress((DATA / "callgrind" / f"{capture}.out.gz").read_bytes()))
    assert counts_bytes(file) == function


def test_a_dump_without_totals_counts_nothing(tmp_path: Path) -> None:
    file = tmp_path / "out"
    for content, total in [
        (b"", 0),
        (b"events: Ir\n1 2\n", 0),
        (b"totals: 12 3\n", 12),
        (b"totals: 1\ntotals: 2\n", 3),
    ]:
        file.write_bytes(content)
        assert total_of(file) == total


PYTHON = sys.executable


@pytest.mark.parametrize(
    ("argv", "flags_", "program"),
    [
        ((PYTHON, "a.py", "-m"), (PYTHON,), ("a.py", "-m")),
        ((PYTHON, "-X", "dev", "-OO", "a.py"), (PYTHON, "-X", "dev", "-OO"), ("a.py",)),
        ((PYTHON, "-Wd", "-m", "mod", "x"), (PYTHON, "-Wd"), ("-m", "mod", "x")),
        ((PYTHON, "-mmod"), (PYTHON,), ("-m", "mod")),
        ((PYTHON, "-c", "pass"), (PYTHON,), ("-c", "pass")),
        (("python3", "a.py"), ("python3",), ("a.py",)),
    ],
)
def test_the_agent_goes_behind_the_interpreters_flags(
    argv: tuple[str, ...], flags_: tuple[str, ...], program: tuple[str, ...]
) -> None:
    assert split_command(argv, ROOT) == (flags_, program)


def test_a_console_script_runs_under_the_interpreter_of_its_first_line(tmp_path: Path) -> None:
    script = tmp_path / "serve"
    script.write_text(f"#!{PYTHON}\nprint()\n")
    script.chmod(0o755)
    assert split_command((str(script), "-x"), tmp_path) == ((PYTHON,), (str(script), "-x"))
    assert split_command(("./serve",), tmp_path) == ((PYTHON,), (str(tmp_path / "serve"),))


@pytest.mark.parametrize("argv", [("/bin/sleep", "1"), (PYTHON,), (PYTHON, "-"), (PYTHON, "-i")])
def test_a_command_without_a_place_for_the_agent_is_refused(argv: tuple[str, ...]) -> None:
    with pytest.raises(CaptureError):
        split_command(argv, ROOT)


@pytest.mark.programs
def test_functions_of_a_script_have_the_file_that_the_interpreter_gives_them(tmp_path: Path) -> None:
    """CPython makes the path absolute; a relative one would be another file than callgrind's."""
    (tmp_path / "serve.py").write_text("def handle(): pass\nprint(__file__, handle.__code__.co_filename)\n")
    agent = "from profpipe.capture.profilers.python_agent.agent import run_script; run_script('serve.py')"
    told = [
        subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60).stdout
        for command in ([sys.executable, "serve.py"], [sys.executable, "-c", agent])
    ]
    assert told[0] == told[1] == f"{tmp_path}/serve.py {tmp_path}/serve.py\n"


def seen(version: str, main_s: float) -> Seen:
    return Seen(1, Path("x"), 10, 1.0, main_s, None, "cProfile", version, None)


def test_cprofile_since_3_12_is_refused_when_other_threads_served() -> None:
    from profpipe.capture.profilers.python_agent.cprofile.profiler import spoilt

    assert spoilt(seen("3.11.7", 0.1)) is None
    assert spoilt(seen("3.13.0", 0.99)) is None
    assert "mixes threads" in (spoilt(seen("3.13.0", 0.9)) or "")
