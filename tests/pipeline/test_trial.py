"""What a trial finds out is left out before the rounds, with its reason, and a study without a comparison stops."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from profpipe.errors import CaptureError
from profpipe.model.run import Phase, RunRecord
from profpipe.pipeline.events import Event, TrialEnded
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.pipeline.trial.one_trial import TrialUnit, Tried
from profpipe.pipeline.trial.study import Outcome, needs_trial, try_out
from tests.support.prepared_study import TARGET, prepared


@dataclass
class Found:
    """A session whose trials end as told: (variant, instrument) -> (phase, reason, refused); all others are valid."""

    study: PreparedStudy
    bad: Mapping[tuple[str, str], tuple[Phase, str, bool]] = field(default_factory=dict)
    tried: list[tuple[str, str]] = field(default_factory=list)

    def environment(self) -> Mapping[str, str]:
        return {}

    def build(self) -> Mapping[str, CaptureError]:
        return {}

    def carry_out(self, units: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        for unit in units:
            assert isinstance(unit, TrialUnit)
            self.tried.append((unit.variant, unit.profiler))
            record = RunRecord("s", unit.variant, unit.profiler, 0, 0, (), "")
            phase, reason, refused = self.bad.get((unit.variant, unit.profiler), (None, None, False))
            record = replace(record, phase=phase, reason=reason, refused=refused, log_tail=("the last line",))
            yield unit, Tried(record, None if reason else 500.0, 1.0, 2.0)


def study(folder: Path, **more: Any) -> PreparedStudy:
    target = {**TARGET, "language": "other"}
    return prepared(folder, {"a": target, "b": target}, profilers=["clean", "callgrind"], **more)


def outcome(found: Found, told: list[Event] | None = None) -> Outcome:
    listen = [].append if told is None else told.append
    return try_out(found.study, found, (), listen, by_slices=False)


def test_a_study_that_sets_its_counts_needs_no_trial(tmp_path: Path) -> None:
    assert needs_trial(study(tmp_path))
    assert not needs_trial(study(tmp_path, load={"requests": 100}))
    assert not needs_trial(study(tmp_path, load={"mode": "closed"}))
    own = {"callgrind": {"load": {"warmup": 1}}}
    assert not needs_trial(study(tmp_path, profiler=own, load={"requests": 100})), "its load starts from the study's"
    assert needs_trial(study(tmp_path, profiler=own))


def test_what_building_took_is_a_part_of_the_budget(tmp_path: Path) -> None:
    found = Found(study(tmp_path))
    at_once = outcome(found)
    late = try_out(found.study, found, (), [].append, by_slices=False, before_s=110.0)
    sent = [sum(size.requests for size in each.prepared.fitted.sizes.values()) for each in (at_once, late)]
    assert sent[1] < sent[0]
    assert late.record.expected_s <= late.record.budget_s == 180
    assert late.record.seconds < 10, "the trial's own seconds"


def test_every_variant_is_tried_under_every_instrument_and_the_loads_follow(tmp_path: Path) -> None:
    found, told = Found(study(tmp_path)), list[Event]()
    done = outcome(found, told)
    assert found.tried == [("a", "clean"), ("b", "clean"), ("a", "callgrind"), ("b", "callgrind")]
    assert {(row.variant, row.profiler): row.requests for row in done.record.rows} == {
        ("a", "clean"): 1500, ("b", "clean"): 1500, ("a", "callgrind"): 2500, ("b", "callgrind"): 2500,
    }  # fmt: skip
    assert done.prepared.plan_for(done.prepared.runs[0]).requests == 1500
    assert [event.rate for event in told if isinstance(event, TrialEnded)] == [500.0] * 4


def test_an_instrument_that_refuses_is_left_out_before_the_rounds(tmp_path: Path) -> None:
    bad: dict[tuple[str, str], tuple[Phase, str, bool]] = {
        (variant, "callgrind"): ("save", "it saw nothing of the server", True) for variant in "ab"
    }
    found = Found(study(tmp_path), bad)
    done = outcome(found)
    assert set(done.prepared.kinds) == {"clean"}
    assert {run.profiler for run in done.prepared.runs} == {"clean"}
    (limit,) = [limit for limit in done.prepared.limits if limit.text.startswith("not measured")]
    assert limit.text == "not measured: it saw nothing of the server"
    assert limit.variants == ("a", "b")
    assert found.tried.count(("a", "callgrind")) == 1


def test_a_failure_that_may_be_chance_is_tried_once_more(tmp_path: Path) -> None:
    found = Found(study(tmp_path), {("b", "callgrind"): ("load", "3 of 10 requests failed", False)})
    outcome(found)
    assert found.tried.count(("b", "callgrind")) == 2


def test_a_variant_that_does_not_serve_is_not_tried_under_other_instruments(tmp_path: Path) -> None:
    target = {**TARGET, "language": "other"}
    three = prepared(tmp_path, dict.fromkeys("abc", target), profilers=["clean", "callgrind"])
    found = Found(three, {("b", "clean"): ("ready", "the server ended before it was ready", False)})
    done = outcome(found)
    assert ("b", "callgrind") not in found.tried
    assert set(done.broken) == {"b"}
    assert {run.profiler for run in done.prepared.runs if run.variant == "b"} == {"clean"}


def test_a_study_of_which_no_comparison_is_left_stops_and_says_why(tmp_path: Path) -> None:
    found = Found(study(tmp_path), {("b", "clean"): ("ready", "the server ended before it was ready", False)})
    with pytest.raises(CaptureError) as stopped:
        outcome(found)
    assert stopped.value.text.startswith("nothing is left to compare after the trial: b under clean: the server ended")
    assert "the last line" in stopped.value.text


def test_a_study_of_one_variant_has_nothing_to_compare_and_goes_on(tmp_path: Path) -> None:
    alone = prepared(tmp_path, {"a": {**TARGET, "language": "other"}}, profilers=["clean"])
    assert outcome(Found(alone)).prepared.runs
