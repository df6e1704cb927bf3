"""perf's samples: which are the server's, what is counted over them, what may mislead."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from profpipe.capture import profiler
from profpipe.capture.profilers.perf import python_names, trial
from profpipe.capture.profilers.perf.account import Account
from profpipe.capture.profilers.perf.script import Census, Look, census, look, most_sampled
from profpipe.capture.profilers.perf.shared import processors
from profpipe.capture.server import python_version
from profpipe.capture.server.process import Supervised, inherited_environment
from profpipe.model.profile import KERNEL
from profpipe.parse import perf
from profpipe.study.schema import Target
from tests.support.capture_driving import ours
from tests.support.parse_cases import capture, read
from tests.support.perf_cases import samples_where

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


@pytest.mark.programs
@pytest.mark.parametrize(("version", "said"), [((3, 11), "native frames only"), ((3, 13), "naming Python functions")])
def test_the_limits_depend_on_the_interpreter(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, int], said: str
) -> None:
    monkeypatch.setattr("profpipe.capture.profilers.perf.profiler.version", lambda _: version)
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


@pytest.mark.programs
def test_the_version_of_an_interpreter_is_found() -> None:
    assert python_version.version(sys.executable) == sys.version_info[:2]
    assert python_version.version("/no/such/python") is None


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
