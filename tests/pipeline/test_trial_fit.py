"""Loads and rounds follow from how fast a trial was, and from the time that the whole study may take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from profpipe.capture.server.memory import Free
from profpipe.model.run import RunRecord, Usage
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.pipeline.prepare.schedule import RunPlan
from profpipe.pipeline.trial.fit import hopeless, plan, size
from profpipe.pipeline.trial.one_trial import Tried
from profpipe.study import LoadPlan
from tests.support.prepared_study import TARGET, prepared

SLOWER = {"clean": 1.0, "callgrind": 50.0, "yappi": 4.0}
OUTSIDE_S = {"clean": 1.0, "callgrind": 6.0, "yappi": 1.5}


def study(folder: Path, **more: Any) -> PreparedStudy:
    targets = {"a": {**TARGET, "language": "other"}, "b": {**TARGET, "language": "other"}}
    found = prepared(folder, targets, profilers=["clean", "callgrind"], **{"slices": "auto", **more})
    left_open = found.study.model_copy(update={"rounds": found.study.rounds})
    left_open.model_fields_set.discard("rounds")
    return found if "rounds" in more else _with(found, left_open)


def _with(found: PreparedStudy, changed: Any) -> PreparedStudy:
    return replace(found, study=changed)


def trial(rates: dict[str, float], outside: dict[str, float] = OUTSIDE_S) -> dict[tuple[str, str], Tried]:
    """Trials of variants that serve so many requests a second without a profiler."""
    record = RunRecord("s", "a", "clean", 0, 0, (), "")
    return {
        (variant, name): Tried(record, rate / SLOWER[name], outside[name], outside[name] + 1)
        for variant, rate in rates.items()
        for name in ("clean", "callgrind")
    }


@pytest.mark.parametrize("answer_s", [0.00002, 0.0005, 0.005, 0.03, 0.3])
def test_two_variants_from_20_us_to_300_ms_a_request_fit_into_three_minutes(tmp_path: Path, answer_s: float) -> None:
    rate = 1 / answer_s
    found = plan(study(tmp_path), trial({"a": rate, "b": rate}), 20.0, by_slices=True)
    assert found.expected_s <= 180
    clean, counted = found.fitted.sizes["a", "clean"], found.fitted.sizes["a", "callgrind"]
    assert clean.requests / rate <= 3
    assert counted.requests == 1 or counted.requests * SLOWER["callgrind"] / rate <= 5
    assert clean.timeout > 5 * clean.requests / rate
    assert clean.connections <= clean.requests


def test_a_server_too_slow_for_slices_is_measured_in_rounds_and_the_reason_is_said(tmp_path: Path) -> None:
    found = plan(study(tmp_path), trial({"a": 3.3, "b": 3.3}), 20.0, by_slices=True)
    assert found.fitted.not_by_slices == "the slowest variant answers 3.3 requests a second, and slices need 25"
    assert found.fitted.slices_s is None


def test_variants_that_memory_does_not_hold_together_are_measured_in_rounds(tmp_path: Path) -> None:
    peaks = {"a": 400 << 20, "b": 100 << 20}
    tried = {
        (variant, name): replace(
            found, record=_used(found.record, peaks[variant]), free=Free(900 << 20, "this machine")
        )
        for (variant, name), found in trial({"a": 900, "b": 900}).items()
    }
    found = plan(study(tmp_path), tried, 20.0, by_slices=True).fitted
    assert found.not_by_slices == (
        "all servers at once need up to 900.0 MiB of memory (a 400.0 MiB, b 100.0 MiB, a, again 400.0 MiB), "
        "and this machine leaves 900.0 MiB"
    )
    ample = {pair: replace(found, free=Free(1001 << 20, "this machine")) for pair, found in tried.items()}
    assert plan(study(tmp_path), ample, 20.0, by_slices=True).fitted.not_by_slices is None


def _used(record: RunRecord, peak: int) -> RunRecord:
    return replace(record, usage=Usage(window_s=1.0, cpu_ns=1, rss_peak_bytes=peak))


def test_all_variants_get_the_same_count_unless_they_are_ten_times_apart(tmp_path: Path) -> None:
    near = plan(study(tmp_path, budget=600), trial({"a": 1000, "b": 300}), 20.0, by_slices=True).fitted.sizes
    assert near["a", "clean"] == near["b", "clean"]
    assert near["a", "clean"].requests == 900
    far = plan(study(tmp_path, budget=600), trial({"a": 10_000, "b": 300}), 20.0, by_slices=True).fitted.sizes
    assert far["a", "clean"].requests == 30_000
    assert far["b", "clean"].requests == 900


def test_a_count_that_the_study_sets_is_kept(tmp_path: Path) -> None:
    found = study(tmp_path, budget=600, profiler={"callgrind": {"requests": 77, "rounds": 2}}, load={"connections": 3})
    fitted = plan(found, trial({"a": 1000, "b": 1000}), 20.0, by_slices=True)
    assert ("a", "callgrind") not in fitted.fitted.sizes
    assert fitted.rounds["callgrind"] == 2
    ready = _fitted(found, fitted.fitted)
    assert ready.plan_for(RunPlan(1, "a", "callgrind", 1, control=False)).requests == 77
    clean = ready.plan_for(RunPlan(1, "a", "clean", 1, control=False))
    assert (clean.requests, clean.connections) == (3000, 3)


def _fitted(found: PreparedStudy, fitted: Any) -> PreparedStudy:
    return replace(found, fitted=fitted)


def test_a_short_budget_takes_load_first_then_rounds_then_the_control(tmp_path: Path) -> None:
    fast = trial({"a": 1000, "b": 1000})
    ample = plan(study(tmp_path, budget=600), fast, 20.0, by_slices=True)
    tight = plan(study(tmp_path, budget=160), fast, 20.0, by_slices=True)
    assert ample.fitted.sizes["a", "clean"].requests > tight.fitted.sizes["a", "clean"].requests
    assert ample.control
    assert ample.rounds == {"clean": 7, "callgrind": 3}
    assert tight.expected_s <= 160


def test_an_instrument_whose_fewest_rounds_do_not_fit_is_left_out_with_the_reason(tmp_path: Path) -> None:
    slow = trial({"a": 1000, "b": 1000}, {"clean": 1.0, "callgrind": 60.0})
    found = plan(study(tmp_path), slow, 60.0, by_slices=True)
    assert "clean" not in found.too_long
    assert "--budget" in found.too_long["callgrind"]
    assert found.expected_s <= 180


def test_an_instrument_that_the_study_sets_itself_is_never_left_out(tmp_path: Path) -> None:
    slow = trial({"a": 1000, "b": 1000}, {"clean": 1.0, "callgrind": 60.0})
    found = plan(study(tmp_path, profiler={"callgrind": {"requests": 50, "rounds": 3}}), slow, 60.0, by_slices=True)
    assert not found.too_long
    assert found.expected_s > 180


def test_the_first_of_many_variants_shows_that_an_instrument_is_too_slow(tmp_path: Path) -> None:
    tried = trial({"a": 1000}, {"clean": 1.0, "callgrind": 40.0})
    assert hopeless(study(tmp_path), tried, ("a", "callgrind"), 2, 40.0, by_slices=True) is not None
    assert hopeless(study(tmp_path, budget=600), tried, ("a", "callgrind"), 2, 40.0, by_slices=True) is None


def test_counts_stay_where_a_busy_machine_leaves_no_time_for_the_starts_of_a_verdict(tmp_path: Path) -> None:
    """Of a budget that does not allow both: a count is the same at any load, and three starts decide nothing."""
    busy = trial({"a": 300, "b": 300}, {"clean": 4.0, "callgrind": 17.0})
    found = plan(study(tmp_path, budget=170), busy, 57.0, by_slices=True)
    assert not found.too_long
    assert found.rounds == {"clean": 1, "callgrind": 2}
    assert found.fitted.slices_s is None
    assert found.fitted.not_by_slices == (
        "a verdict needs starts that take 134 s, more than callgrind leaves of the study's budget of 170 s: "
        "allow more with --budget"
    )
    assert found.expected_s <= 170
    both = plan(study(tmp_path, budget=400), busy, 57.0, by_slices=True)
    assert both.fitted.not_by_slices is None
    assert both.rounds["callgrind"] == 3


def test_starts_that_the_study_insists_on_are_not_given_up_for_counts(tmp_path: Path) -> None:
    busy = trial({"a": 300, "b": 300}, {"clean": 4.0, "callgrind": 17.0})
    found = plan(study(tmp_path, budget=170, slices=True), busy, 57.0, by_slices=True)
    assert found.fitted.not_by_slices is None
    assert "callgrind" in found.too_long


def test_what_only_explains_is_left_out_before_what_is_counted(tmp_path: Path) -> None:
    traced = replace(study(tmp_path, budget=170))
    kinds = {"clean": "clean", "callgrind": "counted", "yappi": "traced"}
    traced = replace(traced, kinds=kinds)
    tried = trial({"a": 300, "b": 300}, {"clean": 1.0, "callgrind": 17.0})
    for variant in ("a", "b"):
        tried[variant, "yappi"] = replace(tried[variant, "callgrind"], outside_s=12.0)
    found = plan(traced, tried, 30.0, by_slices=True)
    assert list(found.too_long) == ["yappi"]


def test_one_trial_that_is_slow_does_not_end_a_counted_instrument_that_fits_without_starts(tmp_path: Path) -> None:
    tried = trial({"a": 300}, {"clean": 4.0, "callgrind": 17.0})
    assert hopeless(study(tmp_path, budget=170), tried, ("a", "callgrind"), 2, 40.0, by_slices=True) is None


def test_slow_starts_do_not_take_a_study_beyond_its_budget(tmp_path: Path) -> None:
    slow = trial({"a": 500, "b": 500}, {"clean": 5.0, "callgrind": 60.0})
    found = plan(study(tmp_path), slow, 60.0, by_slices=True)
    assert found.expected_s <= 180


def test_a_size_sets_only_what_the_study_leaves_open() -> None:
    found = size(100.0, 3.0)
    assert (found.requests, found.connections, found.warmup) == (300, 20, 90)
    assert found.left_open(LoadPlan(connections=2, warmup=0)) == {"requests": 300, "timeout": found.timeout}


def test_a_server_that_serves_one_connection_at_a_time_gets_one(tmp_path: Path) -> None:
    tried = {pair: replace(found, connections=1) for pair, found in trial({"a": 900, "b": 900}).items()}
    found = plan(study(tmp_path), tried, 20.0, by_slices=True).fitted
    assert {size.connections for size in found.sizes.values()} == {1}
    assert found.slices is not None
    assert found.slices.connections == 1
