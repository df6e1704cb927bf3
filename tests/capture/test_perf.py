"""perf records whole processors while the window is open, and brings home the server's samples and nothing else."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profpipe.capture import place, profiler
from profpipe.capture.profilers.perf import options, python_names, trial
from profpipe.capture.profilers.perf.account import Account
from profpipe.capture.profilers.perf.options import OPTIONS, Asked, chosen_event, clocks, event_flags
from profpipe.capture.profilers.perf.script import Census, Look, census, look, most_sampled
from profpipe.capture.profilers.perf.session import processors
from profpipe.capture.server.process import Supervised, inherited_environment
from profpipe.errors import CaptureError, UsageError
from profpipe.model.profile import KERNEL, PYTHON, RUNTIMES, Profile
from profpipe.model.run import LoadResult, RunRecord
from profpipe.parse import parse_file, perf
from profpipe.study.schema import Ready, Target
from tests.support.capture_driving import FAULTY, ROOT, Drive, faulty, ours, run
from tests.support.parse_cases import capture, read
from tests.support.processes import processes
from tests.support.tools import require

# ---- options


def test_an_option_or_a_value_that_does_not_exist_is_named() -> None:
    assert Asked.of({}) == Asked(**OPTIONS)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="perf has no option freq; it has: frequency, call_graph"):
        Asked.of({"freq": 99})
    for given_, words in [
        ({"frequency": 0}, "frequency is 0"),
        ({"frequency": True}, "frequency is True"),
        ({"frequency": 99.5}, r"frequency is 99\.5"),
        ({"call_graph": "lbr"}, "call_graph is 'lbr'; it is one of auto, fp, dwarf, none"),
        ({"event": "-o /etc/passwd"}, "event is"),
        ({"event": "a,b"}, "give one event"),
        ({"keep": "yes"}, "keep is 'yes'; give true or false"),
    ]:
        with pytest.raises(UsageError, match=words):
            Asked.of(given_)


@given(st.integers(1, 50_000))
def test_the_clocks_add_up_to_the_requested_frequency_and_differ(frequency: int) -> None:
    many = clocks(frequency)
    assert sum(many) == frequency
    assert len(set(many)) == len(many)
    assert min(many) > 0
    assert len(many) == (3 if frequency >= 30 else 1)


def test_the_default_frequency_and_its_clocks() -> None:
    assert clocks(Asked.of({}).frequency) == (293, 331, 375)


# ---- events: what this machine counts is found by trying


def fake_perf(folder: Path, script: str) -> str:
    path = folder / "perf"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


COUNTED = "echo 1234,,cycles,100,100.00,, >&2"
NOT_COUNTED = "echo '<not supported>,,cycles,0,100.00,,' >&2"


def test_cycles_only_where_the_processor_counts_them(tmp_path: Path) -> None:
    """`perf record -e cycles` works anywhere: without counters it samples a clock, and says nothing."""
    (tmp_path / "yes").mkdir()
    counting, other = fake_perf(tmp_path / "yes", COUNTED), fake_perf(tmp_path, NOT_COUNTED)
    assert chosen_event(counting, "auto") == ("cycles", "cycles, counted by the processor")
    assert event_flags(counting, "cycles", 999) == ("-e", "cycles", "-F", "999")
    event, why = chosen_event(other, "auto")
    assert event == "cpu-clock"
    assert "no hardware counter for cycles" in why
    with pytest.raises(CaptureError, match="event 'cycles' is not counted on this machine"):
        chosen_event(other, "cycles")


def test_a_perf_without_clocks_side_by_side_gets_one(tmp_path: Path) -> None:
    assert event_flags(fake_perf(tmp_path, "exit 129"), "cpu-clock", 999) == ("-e", "cpu-clock", "-F", "999")


LIMITED = "Access to performance monitoring and observability operations is limited."


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (
            "case $1 in --version) echo perf version 4.19.1;; esac",
            r"4\.19\.1 is too old, 5\.10 .* needed: apt",
        ),
        (f"echo Error: >&2; echo '{LIMITED}' >&2; exit 255", r"perf_event_paranoid is .*CAP_PERFMON"),
        (
            "echo 'WARNING: perf not found for kernel 6.8.0-31' >&2; exit 2",
            r"for kernel 6\.8\.0-31: apt install linux-",
        ),
        ("echo 'The sys_perf_event_open() syscall is odd' >&2; exit 1", "perf record does not work here: The sys_perf"),
        ("exit 3", "exit status 3"),
    ],
)
def test_a_perf_that_cannot_record_gives_the_reason_and_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    program = fake_perf(tmp_path, script)
    monkeypatch.setattr(trial, "find_tool", lambda _: program)
    monkeypatch.setattr("profpipe.capture.tools.find_tool", lambda _: program)
    assert re.search(words, profiler("perf").missing(ours("threads")) or "")


def test_a_perf_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = fake_perf(tmp_path, "[ $1 = --version ] || exec sleep 60")
    monkeypatch.setattr(trial, "find_tool", lambda _: program)
    monkeypatch.setattr("profpipe.capture.tools.TRY_SECONDS", 0.2)
    assert "did not exit within 0.2 s" in (trial.missing() or "")


def test_no_perf_comes_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "find_tool", lambda _: None)
    assert profiler("perf").missing(ours("threads")) == "perf not found: apt install linux-perf"


def test_no_perfconfig_of_the_user_changes_a_recording() -> None:
    assert trial.environment()["PERF_CONFIG"] == os.devnull


# ---- whose samples

CENSUS = b"""    0 PERF_RECORD_FORK(7:7):(0:0)
    0 PERF_RECORD_COMM: a b: (c): 7/7
    7 cpu-clock/freq=293/:
    7 PERF_RECORD_FORK(8:8):(7:7)
    8 cpu-clock:u:
    8 PERF_RECORD_FORK(8:9):(8:8)
    8 PERF_RECORD_FORK(10:10):(8:9)
   10 cpu-clock:
   10 PERF_RECORD_EXIT(10:10):(8:9)
   11 cpu-clock:
   -1 cpu-clock:
    0 cpu-clock:
   11 PERF_RECORD_LOST lost 3
    0 PERF_RECORD_LOST lost 4
    0 PERF_RECORD_LOST_SAMPLES lost 6
"""


def test_processes_that_came_and_went_in_the_window_belong_to_the_server() -> None:
    counted = census(CENSUS.splitlines(keepends=True))
    assert counted.samples == {7: 1, 8: 1, 10: 1, 11: 1, -1: 1, 0: 1}
    assert counted.tree([8]) == {8, 10}
    assert counted.tree([7]) == {7, 8, 10}
    assert counted.tree([99]) == {99}
    assert (counted.of([7, 8, 10]), counted.total, counted.lost) == (3, 6, 7)


def test_only_processes_with_samples_are_extracted() -> None:
    counted = Census({1: 5, 2: 9, 3: 0}, {}, 0)
    assert most_sampled(counted, frozenset({1, 2, 3, 4})) == (2, 1)


@pytest.mark.parametrize(
    "name", ["perf-c-relative.script.txt.gz", "perf-c-flat.script.txt", "perf-asyncio-dwarf.script.txt.gz"]
)
def test_a_look_at_a_capture_counts_as_its_reader_does(name: str) -> None:
    data = capture(f"perf/{name}")
    profile, seen = read(perf.parse, data), look(data.splitlines(keepends=True))
    assert seen.samples == profile.self_sum("samples")
    assert seen.period == profile.self_sum("cpu_ns")
    assert seen.events == {"cpu-clock"}
    assert seen.kernel == samples_where(profile, KERNEL)
    said = f"{100 * seen.nameless / seen.samples:.1f} % of the samples are in code without a symbol"
    assert profile.meta.warnings == ((said,) if seen.nameless else ())


def test_samples_with_a_python_function_are_counted_once() -> None:
    """The sample file was cut, which leaves out its last sample in the reader."""
    data = capture("perf/perfjit-threads313.script.txt.gz")
    whole = data[: data.rindex(b"\n\n") + 2]
    seen = look(whole.splitlines(keepends=True))
    assert seen.samples == read(perf.parse, whole).self_sum("samples")
    assert seen.python == sum(b" py::" in sample for sample in whole.split(b"\n\n"))
    assert 0 < seen.python <= seen.samples


def test_a_kernel_with_hidden_symbols_is_still_the_kernel() -> None:
    header = b"a b 1/2  1.0:    10 cpu-clock: \n"
    text = header + b"\tffffffff814b9a91 [unknown] ([unknown])\n\n" + header + b"\t     7f12 [unknown] ([unknown])\n\n"
    assert look(text.splitlines(keepends=True)) == Look(2, 1, 2, 0, 20, frozenset({"cpu-clock"}))


def samples_where(profile: Profile, runtime: int) -> int:
    assert profile.samples is not None
    assert profile.stacks is not None
    f = profile.frames.function[profile.stacks.frame[profile.samples.stack]]
    return int(profile.samples.values["samples"][profile.functions.runtime[f] == runtime].sum())


# ---- what is told beside the profile


def account(seen: Look, lost: int = 0, **more: object) -> Account:
    counted = Census({0: 100, 7: seen.samples, 9: 300}, {}, lost)
    return Account(event="cpu-clock", frequency=1000, counted=counted, seen=seen, **more)  # type: ignore[arg-type]


GOOD = Look(600, 450, 6, 0, 3 * 600_000_000, frozenset({"a", "b", "c"}))


def test_a_good_recording_has_facts_and_no_warning() -> None:
    good = account(GOOD, used_s=0.58)
    assert good.warnings() == ()
    assert good.facts() == {
        "samples": "600",
        "samples of its processors": "60.0 % the server's, 30.0 % others', 10.0 % idle",
        "samples in the kernel": "75.0 %",
        "samples without a symbol": "1.0 %",
        "samples lost": "0 of 1,000",
        "kernel symbols": "shown",
        "CPU time in samples": "0.60 s of 0.58 s",
    }


@pytest.mark.parametrize(
    ("doubtful", "words"),
    [
        (account(Look(199, period=1, events=frozenset({"a"}))), "199 samples of the server, too few to rank functions"),
        (account(GOOD, lost=20), "perf lost 2.0 % of its samples"),
        (account(Look(600, 0, 90)), "15.0 % of perf's samples are in code without a symbol"),
        (account(GOOD, kernel_shown=False), "hides the kernel's symbols"),
        (account(GOOD, named=True), "no Python function was named"),
        (account(Look(600, python=9), named=True, signalled=True), "was ended by a signal"),
        (account(GOOD, used_s=0.9), "0.60 s of processor time where the server used 0.90 s"),
    ],
)
def test_each_doubt_about_a_recording_is_a_warning(doubtful: Account, words: str) -> None:
    assert len(doubtful.warnings()) == 1
    assert words in doubtful.warnings()[0]


def test_cycles_are_not_seconds() -> None:
    counted = Census({7: 600}, {}, 0)
    assert Account("cycles", 999, counted, GOOD, used_s=9.0).warnings() == ()
    assert "CPU time in samples" not in Account("cycles", 999, counted, GOOD, used_s=9.0).facts()


# ---- limits, processors, Python's names


@pytest.mark.parametrize(("version", "said"), [((3, 11), "native frames only"), ((3, 13), "naming Python functions")])
def test_the_limits_depend_on_the_interpreter(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, int], said: str
) -> None:
    monkeypatch.setattr(python_names, "version", lambda _: version)
    limits = profiler("perf").limits(ours("threads"))
    assert sum("native frames only" in text or "naming Python" in text for text in limits) == 1
    assert any(said in text for text in limits)
    monkeypatch.setattr(trial, "counts", lambda *_: True)
    native = profiler("perf").limits(Target(command=("/bin/sleep", "1"), language="native"))
    monkeypatch.setattr(trial, "counts", lambda *_: False)
    monkeypatch.setattr("profpipe.capture.profilers.perf.profiler.find_tool", lambda _: "perf")
    by_timer = profiler("perf").limits(Target(command=("/bin/sleep", "1"), language="native"))
    assert [text.startswith("without hardware counters") for text in by_timer if text not in native] == [True]
    assert not any("Python" in text for text in native)
    assert any("frame pointers" in text for text in native)


def test_the_version_of_an_interpreter_is_found() -> None:
    assert python_names.version(sys.executable) == sys.version_info[:2]
    assert python_names.version("/no/such/python") is None


def test_only_what_these_processes_left_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python_names, "FOLDER", tmp_path)
    mine = ["jit-12.dump", "jitted-12-0.so", "jitted-12-31.so", "perf-12.map"]
    others = ["jit-1.dump", "jitted-1-2.so", "jitted-123-1.so", "perf-1.map", "jit-12.dump.txt", "perf-12"]
    for name in [*mine, *others]:
        (tmp_path / name).touch()
    python_names.clean([12], time.time() + 60)
    assert len(list(tmp_path.iterdir())) == len(mine) + len(others)
    python_names.clean([12], time.time() - 60)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(others)


@pytest.mark.alone
@pytest.mark.real
def test_a_server_that_pins_itself_elsewhere_is_recorded_there(tmp_path: Path) -> None:
    cpus = sorted(os.sched_getaffinity(0))
    with Supervised(["sleep", "60"], env=inherited_environment(), cwd=tmp_path, cpus=frozenset(cpus[:1])) as server:
        assert processors([server.pid]) == {cpus[0]}
        os.sched_setaffinity(server.pid, cpus[-1:])
        assert processors([server.pid]) == {cpus[-1]}
    assert processors([server.pid]) == frozenset()


# ---- real servers


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
    captured = recorded(tmp_path, ours("threads"), options={"frequency": 99})
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
    for path in _pythons():
        if (python_names.version(path) or (0, 0)) >= python_names.SINCE:
            return path
    require("python3.13")
    pytest.skip("python3.13 does not run")


def _pythons() -> Iterator[str]:
    yield sys.executable
    for name in ("python3.13", "python3.14"):
        if (path := shutil.which(name)) is not None:
            yield path
    yield from map(
        str, Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser().glob("versions/3.1[34]*/bin/python3")
    )


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
