"""Rounds are added while the verdict of a headline figure is undecided, and for no other reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from profpipe import store
from profpipe.errors import CaptureError
from profpipe.model.report import Comparison, Report, Verdict
from profpipe.model.run import RunRecord
from profpipe.model.study import StudyRecord
from profpipe.pipeline.events import Event, Look, Note
from profpipe.pipeline.execute.one_run import PlannedRun, begin_record
from profpipe.pipeline.measure.rounds import Bounds, run_rounds
from profpipe.pipeline.measure.running_study import RunningStudy
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.pipeline.prepare.schedule import RunPlan
from tests.support.paths import SAMPLE_REPORT
from tests.support.prepared_study import TARGET, prepared

CPU, INSTRUCTIONS = "clean:cpu_us", "callgrind:instructions"


@dataclass
class Bench:
    """A study of two variants whose runs take ten seconds of a clock of our own and measure nothing."""

    running: RunningStudy
    told: list[Event] = field(default_factory=list)
    ran: list[RunPlan] = field(default_factory=list)
    seconds: float = 0.0

    def measure(self, plan: RunPlan) -> None:
        self.ran.append(plan)
        self.seconds += 10.0

    def reports(self, verdicts: Sequence[tuple[Verdict, Verdict]]) -> list[Report]:
        """One report a look, with these verdicts on CPU time and on instructions."""
        sample = Report.model_validate_json(SAMPLE_REPORT.read_bytes())
        base, other = sample.variants[:2]
        metrics = tuple(m for m in sample.metrics if m.key in (CPU, INSTRUCTIONS))
        assert len(metrics) == 2
        return [
            sample.model_copy(
                update={
                    "metrics": metrics,
                    "variants": (base, other.model_copy(update={"against_baseline": comparisons(cpu, counted)})),
                    "study": sample.study.model_copy(update={"contenders": (other.id,)}),
                }
            )
            for cpu, counted in verdicts
        ]


@dataclass
class NoMeasurement:
    """A session of an executor whose runs are all valid and hold nothing."""

    study: PreparedStudy
    bench: Bench | None = None

    def environment(self) -> Mapping[str, str]:
        return {}

    def build(self) -> Mapping[str, CaptureError]:
        return {}

    def carry_out(self, units: Iterable[PlannedRun]) -> Iterator[tuple[PlannedRun, RunRecord]]:  # type: ignore[override]
        assert self.bench is not None
        for run in units:
            self.bench.measure(run.plan)
            yield run, begin_record(self.study, run.plan)


def comparisons(cpu: Verdict, counted: Verdict) -> dict[str, Comparison]:
    return {
        CPU: Comparison(verdict=cpu, ratio=1.1, delta=1.0),
        INSTRUCTIONS: Comparison(verdict=counted, ratio=1.1, delta=1.0),
    }


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    found = prepared(tmp_path, {"a": TARGET, "b": TARGET}, profilers=["clean", "callgrind"], rounds=7,
                     profiler={"callgrind": {"rounds": 2}}, control=False)  # fmt: skip
    folder = tmp_path / "run"
    folder.mkdir()
    study = StudyRecord("s", "", "a", (), 7, "", "", "", "", "", {}, {})
    made = Bench(RunningStudy(found, folder, study, NoMeasurement(found), lambda event: None))
    made.running.listen = made.told.append
    made.running.session.bench = made  # type: ignore[attr-defined]
    return made


def rounds_of(bench: Bench, profiler: str) -> list[int]:
    return [plan.round for plan in bench.ran if plan.profiler == profiler and plan.variant == "a"]


def do(bench: Bench, bounds: Bounds, *verdicts: tuple[Verdict, Verdict]) -> str:
    reports = iter(bench.reports(verdicts))
    found = run_rounds(bench.running, bounds, lambda _: next(reports), lambda: bench.seconds)
    assert next(reports, None) is None, "looked less often than expected"
    assert store.read_study(bench.running.folder).sequential == found
    return found.stopped


def test_what_is_decided_at_once_gets_no_more_rounds(bench: Bench) -> None:
    assert do(bench, Bounds(20), ("worse", "no change")) == "stable"
    assert rounds_of(bench, "clean") == list(range(1, 8))
    assert rounds_of(bench, "callgrind") == [1, 2]
    assert not [event for event in bench.told if isinstance(event, Look)]


def test_only_the_instrument_that_cannot_tell_gets_more(bench: Bench) -> None:
    assert do(bench, Bounds(20), ("cannot tell", "worse"), ("better", "worse")) == "stable"
    assert rounds_of(bench, "clean") == list(range(1, 11))
    assert rounds_of(bench, "callgrind") == [1, 2]
    (look,) = (event for event in bench.told if isinstance(event, Look))
    assert (look.rounds, look.undecided, look.coming) == (7, ("clean",), 6)


def test_counts_get_one_round_more_a_look(bench: Bench) -> None:
    assert do(bench, Bounds(20), ("worse", "cannot tell"), ("worse", "cannot tell"), ("worse", "worse")) == "stable"
    assert rounds_of(bench, "callgrind") == [1, 2, 3, 4]
    assert rounds_of(bench, "clean") == list(range(1, 8))


def test_the_most_rounds_are_the_last_look(bench: Bench) -> None:
    assert do(bench, Bounds(14), *[("cannot tell", "worse")] * 3) == "max-rounds"  # type: ignore[list-item]
    assert rounds_of(bench, "clean") == list(range(1, 15))


def test_no_more_than_the_first_rounds_where_that_is_the_most(bench: Bench) -> None:
    assert do(bench, Bounds(7), ("cannot tell", "cannot tell")) == "max-rounds"
    assert len(bench.ran) == 18


def test_a_look_that_would_end_after_the_budget_is_not_begun(bench: Bench) -> None:
    """18 runs took 180 s; three more rounds of two variants would take another 60."""
    assert do(bench, Bounds(20, 239.0), ("cannot tell", "worse")) == "budget"
    assert len(bench.ran) == 18


def test_a_budget_bounds_the_first_rounds_too(bench: Bench) -> None:
    """A round of two variants takes 20 s; the 18 runs until the first verdict would take 180."""
    found = run_rounds(bench.running, Bounds(20, 65.0), lambda _: pytest.fail("no look"), lambda: bench.seconds)
    assert (found.stopped, found.looks) == ("budget", ())
    assert bench.seconds <= 65.0
    assert rounds_of(bench, "clean") == [1, 2, 3]
    assert store.read_study(bench.running.folder).rounds == 3
    first, last = (event.text for event in bench.told if isinstance(event, Note))
    assert "all 18 runs until the next verdict take about 180 s" in first
    assert last == "the budget of 65 s is used up: 12 planned runs are not begun"


def test_a_budget_that_building_used_up_leaves_the_first_round(bench: Bench) -> None:
    found = run_rounds(bench.running, Bounds(20, 0.0), lambda _: pytest.fail("no look"), lambda: bench.seconds)
    assert (found.stopped, bench.seconds) == ("budget", 20.0)


def test_a_round_of_a_slow_instrument_is_not_begun_where_its_first_one_was_too_long(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seven clean rounds take 140 s, each of callgrind 200 s: a second one would end after 540 s."""

    def slow(plan: RunPlan) -> None:
        bench.ran.append(plan)
        bench.seconds += 100.0 if plan.profiler == "callgrind" else 10.0

    monkeypatch.setattr(bench, "measure", slow)
    found = run_rounds(bench.running, Bounds(20, 500.0), lambda _: pytest.fail("no look"), lambda: bench.seconds)
    assert (found.stopped, bench.seconds) == ("budget", 340.0)
    assert rounds_of(bench, "callgrind") == [1]


@pytest.mark.parametrize(
    ("gate", "stopped"),
    [
        (("regression:instructions:1%",), "stable"),
        (("regression:instructions:1%", "regression:cpu_us"), "max-rounds"),
        (("regression:cost",), "max-rounds"),
        (("regression:gc",), "max-rounds"),
    ],
)
def test_no_rounds_are_added_for_what_the_gate_does_not_ask(bench: Bench, gate: tuple[str, ...], stopped: str) -> None:
    bench.running.prepared = replace(bench.running.prepared, gate=gate)
    verdicts: list[tuple[Verdict, Verdict]] = [("cannot tell", "worse")] * (1 if stopped == "stable" else 3)
    assert do(bench, Bounds(14), *verdicts) == stopped


def test_a_budget_that_is_just_enough_is_used(bench: Bench) -> None:
    assert do(bench, Bounds(20, 241.0), ("cannot tell", "worse"), ("worse", "worse")) == "stable"


def test_rounds_are_numbered_on(bench: Bench) -> None:
    do(bench, Bounds(20), ("cannot tell", "worse"), ("better", "worse"))
    assert [plan.order for plan in bench.ran] == list(range(1, len(bench.ran) + 1))


def test_a_study_that_is_cut_short_is_judged_by_the_same_looks(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(plan: RunPlan) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(bench, "measure", stopped)
    with pytest.raises(KeyboardInterrupt):
        run_rounds(bench.running, Bounds(20), lambda _: pytest.fail("no look was due"))
    written = store.read_study(bench.running.folder).sequential
    assert written is not None
    assert written.stopped == "cut short"
    assert (written.planned[0], written.planned[-1]) == (7, 20)


def test_a_figure_that_rounds_cannot_bring_is_not_waited_for(bench: Bench) -> None:
    (report,) = bench.reports([("worse", "worse")])
    unknown = Comparison(verdict="cannot tell", why="the baseline's figure is unknown")
    base, other = report.variants[:2]
    open_ = other.model_copy(update={"against_baseline": {INSTRUCTIONS: unknown}})
    report = report.model_copy(update={"variants": (base, open_)})
    assert run_rounds(bench.running, Bounds(20), lambda _: report, lambda: 0.0).stopped == "stable"
