"""A run is valid by what was served and captured, never by an exit code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profpipe.model.run import LoadResult, RunRecord
from profpipe.pipeline.execute.judge import judge
from profpipe.study import LoadPlan

COUNT = LoadPlan(requests=1000)
CLOSED = LoadPlan(mode="closed")


def run(**more: Any) -> RunRecord:
    return RunRecord("s", "a", "clean", 1, 1, (), "", **more)


def loaded(served: int, failed: int = 0, **errors: int) -> RunRecord:
    result = LoadResult("test", "1", (), "closed", "none", 4, 1, served, 1.0, failed=failed, errors=errors)
    return run(load=result)


def test_all_served_is_believed() -> None:
    assert judge(loaded(1000), COUNT) == (None, None)
    assert judge(loaded(123_456), CLOSED) == (None, None)


def test_what_capture_says_comes_first() -> None:
    failed = run(reason="the server ended under load: exit status 1", phase="load", load=loaded(1000).load)
    assert judge(failed, COUNT) == ("the server ended under load: exit status 1", "load")


def test_a_run_without_a_load_has_no_count() -> None:
    assert judge(run(), COUNT) == ("no load ran", "load")


@pytest.mark.parametrize("plan", [COUNT, CLOSED])
def test_nothing_served_is_no_zero(plan: LoadPlan) -> None:
    reason, phase = judge(loaded(0, 1000, refused=1000), plan)
    assert (reason, phase) == ("no request was answered with status 200 (refused: 1,000)", "load")
    assert "no error reported" in (judge(loaded(0), plan)[0] or "")


def test_a_load_tool_that_exits_0_over_a_tenth_of_503s_is_not_believed() -> None:
    reason, phase = judge(loaded(900, 100, **{"status 503": 100}), COUNT)
    assert (reason, phase) == ("100 of 1,000 requests failed (status 503: 100)", "load")


def test_a_handful_of_failures_in_a_timed_load_is_no_reason() -> None:
    assert judge(loaded(990, 10), CLOSED) == (None, None)
    assert judge(loaded(989, 11), CLOSED)[1] == "load"


@pytest.mark.parametrize("served", [999, 1001])
def test_a_counted_load_needs_exactly_its_count(served: int) -> None:
    """One request more or less moves every figure per request by as much as the noise that is promised."""
    reason, phase = judge(loaded(served, max(1000 - served, 0)), COUNT)
    assert phase == "load"
    assert reason is not None
    assert reason.startswith(f"{served:,} of 1,000 requests were answered")


@given(st.integers(0, 2000), st.integers(0, 2000))
def test_what_is_believed_was_served_whole(served: int, failed: int) -> None:
    reason, phase = judge(loaded(served, failed), COUNT)
    assert (reason is None) == (phase is None)
    if reason is None:
        assert served == 1000
        assert failed <= 10


@pytest.mark.parametrize("plan", [COUNT, CLOSED])
def test_a_load_that_did_not_run_to_its_end_is_no_sample(plan: LoadPlan) -> None:
    whole = loaded(1000).load
    assert whole is not None
    cut = run(load=replace(whole, incomplete="wrk was killed by SIGTERM"))
    assert judge(cut, plan) == ("the load did not run to its end: wrk was killed by SIGTERM", "load")
