"""Inputs that readers of this field are known to get wrong (tests/data/faults), each with its right value."""

from __future__ import annotations

import pytest

from profpipe.analyse import compare_profiles
from profpipe.model.derive import function_columns
from profpipe.model.profile import RUNTIMES, Profile
from profpipe.parse import parse_file
from tests.support.paths import DATA

FAULTS = DATA / "faults"


def fault(name: str) -> Profile:
    return parse_file(FAULTS / name)


def own(profile: Profile, key: str) -> dict[str, int]:
    """Self by function, without zeros."""
    column = function_columns(profile, key).own
    return {name: int(cost) for name, cost in zip(profile.functions.name, column, strict=True) if cost}


def runtimes(profile: Profile) -> set[str]:
    return {RUNTIMES[code] for code in profile.functions.runtime}


@pytest.mark.parametrize("name", ["idle-first.austin", "idle-first-full.austin"])
def test_an_austin_file_whose_first_sample_has_no_stack(name: str) -> None:
    profile = fault(name)
    assert profile.meta.tool == "austin 3.7.0"
    assert own(profile, "wall_ns") == {"[no stack]": 1_004_000, "reply": 2_006_000, "parse": 1_003_000}
    assert profile.self_sum("wall_ns") == 4_013_000  # `# duration:` says the same
    assert not profile.meta.partial


def test_austins_full_mode_has_processor_time_too() -> None:
    # The last column but one is 1 where the thread was idle.
    assert own(fault("idle-first-full.austin"), "cpu_ns") == {"[no stack]": 1_004_000, "reply": 2_006_000}


def test_austin_1_wrote_the_line_after_the_function() -> None:
    profile = fault("austin1.austin")
    assert own(profile, "wall_ns") == {"f": 100_000, "g": 200_000}
    assert list(profile.functions.file) == ["/a.py", "/b.py"]
    assert runtimes(profile) == {"python"}


def test_a_file_that_has_no_name() -> None:
    profile = fault("emptyfl.cg")
    assert own(profile, "instructions") == {"main": 10}
    assert (profile.meta.partial, profile.meta.warnings) == (None, ())


def test_clock_times_in_callgrinds_format_are_no_counts() -> None:
    one, two = fault("callgrind.run1"), fault("callgrind.run2")
    assert (one.kind, one.metrics[0].exact, one.meta.partial) == ("traced", False, None)
    assert (one.self_sum("ns"), two.self_sum("ns")) == (215_219_182, 197_805_490)
    report = compare_profiles([("one", one, None), ("two", two, None)])
    verdicts = {verdict.verdict for v in report.variants for verdict in v.against_baseline.values()}
    assert not verdicts & {"better", "worse"}  # 0.919 of the time, and the same program


def test_what_timed_a_python_file_timed_python() -> None:
    profile = fault("callgrind.run1")
    functions = profile.functions
    python = {file for file, code in zip(functions.file, functions.runtime, strict=True) if RUNTIMES[code] == "python"}
    assert {"work.py", "<frozen importlib._bootstrap>"} <= python
    assert "~" not in python  # what cProfile calls built-in functions


def test_a_comment_before_the_stacks() -> None:
    assert own(fault("comment.folded"), "samples") == {"b": 1, "c": 2}


THREADS = {"00": "t", "01": "pool 7", "02": "DB [w]", "03": "7", "04": "12/34"}


@pytest.mark.parametrize(("name", "thread"), THREADS.items(), ids=THREADS.values())
def test_threads_of_perf_may_have_any_name(name: str, thread: str) -> None:
    profile = fault(f"{name}.script")
    assert profile.self_sum("samples") == 29
    assert profile.self_sum("cpu_ns") == 29 * 5_025_125
    assert all(place.startswith(f"{thread} ") or place == thread for place in profile.meta.threads)
    assert max(own(profile, "samples"), key=own(profile, "samples").__getitem__) == "burn"
    assert not profile.meta.partial


def test_text_of_simpleperf_has_a_runtime_by_address() -> None:
    assert own(fault("simpleperf.script"), "samples") == {"tcp_sendmsg": 1, "handler.Json.encode": 2}


@pytest.mark.parametrize("name", ["raw.folded", "raw--nolineno.folded"])
def test_py_spys_functions_are_python_with_lines_and_without(name: str) -> None:
    profile = fault(name)
    assert runtimes(profile) == {"python"}
    assert set(profile.functions.file) == {"app.py"}
    assert own(profile, "samples") == ({"encode": 199} if name == "raw.folded" else {"encode": 197, "handle": 2})


def test_two_types_of_values_are_two_metrics() -> None:
    profile = fault("heap_like.speedscope.json")
    assert [metric.key for metric in profile.metrics] == ["alloc_space", "inuse_space"]
    assert own(profile, "alloc_space") == own(profile, "inuse_space") == {"a": 10, "b": 20}
