"""Adds rounds until every headline verdict is decided, on a schedule of looks that is fixed before the first run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

from profpipe import store
from profpipe.model.report import ALPHA, Report, Sequential
from profpipe.pipeline.events import Look, Note
from profpipe.pipeline.gate.rules import gate_rule, instruments_asked
from profpipe.pipeline.measure.running_study import RunningStudy
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.pipeline.prepare.schedule import RunPlan

# Only these instruments have headline verdicts; traced and sampled tables keep the rounds of the study.
EXTENDED = frozenset({"clean", "counted"})


@dataclass(frozen=True, slots=True)
class Bounds:
    """At most `most` rounds per variant, and none that would end after `budget_s` seconds; None = no budget."""

    most: int
    budget_s: float | None = None


@dataclass(slots=True)
class _Clock:
    """Seconds since the first run, and how long the runs of each instrument take: under callgrind ten times as long."""

    started: float
    now: Callable[[], float]
    seconds: dict[str, float] = field(default_factory=dict)
    runs: dict[str, int] = field(default_factory=dict)

    def add(self, plans: Sequence[RunPlan], seconds: float) -> None:
        """Note how long the runs of one instrument took."""
        name = plans[0].profiler
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds
        self.runs[name] = self.runs.get(name, 0) + len(plans)

    def enough_for(self, plans: Sequence[RunPlan], budget_s: float | None) -> bool:
        return budget_s is None or self.now() - self.started + self.needed(plans) <= budget_s

    def needed(self, plans: Sequence[RunPlan]) -> float:
        """Seconds that these runs take; those of an instrument that did not run yet as long as the average one."""
        average = sum(self.seconds.values()) / max(sum(self.runs.values()), 1)
        each = {name: self.seconds[name] / runs for name, runs in self.runs.items()}
        return sum(each.get(plan.profiler, average) for plan in plans)


def run_rounds(
    running: RunningStudy,
    bounds: Bounds,
    report_of: Callable[[Path], Report],
    now: Callable[[], float] = time.monotonic,
) -> Sequential:
    """Run the rounds of the study, then look at the verdicts and add rounds for the undecided ones, look after look.

    The looks and the significance level of each are written to study.json before the first run, so that a study that
    is stopped is judged by the same rule. Returns the looks that were taken and why no more followed.
    """
    prepared = running.prepared
    state = _planned_looks(prepared, bounds)
    done: Mapping[str, int] = {}
    wanted: Mapping[str, int] = prepared.rounds
    clock = _Clock(now(), now)
    _write(running, state)
    for number, rounds in enumerate(state.planned):
        plans = prepared.schedule(wanted, done, len(running.ended))
        running.run(_within_budget(running, plans, clock, bounds.budget_s))
        if len(running.ended) < plans[-1].order:
            return _stop(running, state, "budget")
        done = {**done, **wanted}
        state = state.model_copy(update={"looks": (*state.looks, rounds)})
        _write(running, state)
        open_ = _asked(prepared, undecided(report_of(running.folder), prepared.kinds))
        last = number + 1 == len(state.planned)
        if not open_ or last:
            return _stop(running, state, "max-rounds" if open_ else "stable")
        wanted = {p: _rounds_at(number + 1, state.planned, prepared.rounds[p], prepared.kinds[p]) for p in open_}
        coming = prepared.schedule(wanted, done, 0)
        if not clock.enough_for(coming, bounds.budget_s):
            return _stop(running, state, "budget")
        running.listen(Look(rounds, tuple(open_), len(coming)))
    return state


def _within_budget(
    running: RunningStudy, plans: Sequence[RunPlan], clock: _Clock, budget_s: float | None
) -> Iterator[RunPlan]:
    """The runs, round after round, while a round would end within the budget.

    The first round shows how long runs are. It is run whatever building and the trial have left of the budget: without
    any run there is no report. The first round of a slower instrument may end late: nothing is known of it before.
    """
    groups = [list(group) for _, group in groupby(plans, key=lambda plan: (plan.profiler, plan.round))]
    for number, group in enumerate(groups):
        if number and not clock.enough_for(group, budget_s):
            left = sum(map(len, groups[number:]))
            running.listen(Note(f"the budget of {budget_s:.0f} s is used up: {left} planned runs are not begun"))
            return
        if number == 1 and not clock.enough_for([plan for rest in groups[1:] for plan in rest], budget_s):
            running.listen(
                Note(
                    f"all {len(plans)} runs until the next verdict take about {clock.needed(plans):.0f} s "
                    f"and the budget is {budget_s:.0f} s: only rounds that end in time are run"
                )
            )
        begun = clock.now()
        yield from group
        clock.add(group, clock.now() - begun)


def _asked(prepared: PreparedStudy, found: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the instruments that the gate asks about: nobody waits for more rounds of another one."""
    asked = instruments_asked(map(gate_rule, prepared.gate), prepared.kinds)
    return tuple(name for name in found if name in asked)


def _planned_looks(prepared: PreparedStudy, bounds: Bounds) -> Sequential:
    """The first look comes after the rounds of the clean runs; where starts replace those, of the counted ones.

    Without either, it comes after the most rounds of any. What starts may spend of alpha, rounds may not.
    """
    from profpipe.analyse.statistics.alpha import STARTS
    from profpipe.analyse.statistics.looks import plan_looks

    kind = "counted" if prepared.by_slices else "clean"
    first = max((n for p, n in prepared.rounds.items() if prepared.kinds[p] == kind), default=0)
    first = first or max(prepared.rounds.values())
    return plan_looks(first, max(bounds.most, first), ALPHA * (1 - STARTS) if prepared.by_slices else ALPHA)


def _stop(running: RunningStudy, state: Sequential, why: str) -> Sequential:
    state = state.model_copy(update={"stopped": why})
    _write(running, state)
    return state


def _rounds_at(look: int, planned: tuple[int, ...], base: int, kind: str) -> int:
    """Timed instruments grow with the looks; counts vary so little that one more round per look is enough."""
    return base + look if kind == "counted" else -(-base * planned[look] // planned[0])


def undecided(report: Report, kinds: Mapping[str, str]) -> tuple[str, ...]:
    """The instruments of the headline figures that are still undecided."""
    from profpipe.analyse.conclusions.undecided import undecided_metrics

    of = {m.key: m.profiler for m in report.metrics}
    found = {of[key] for key in undecided_metrics(report)}
    return tuple(p for p, kind in kinds.items() if p in found and kind in EXTENDED)


def _write(running: RunningStudy, state: Sequential) -> None:
    rounds = max(state.looks, default=running.study.rounds)
    if state.stopped == "budget" and not state.looks:
        rounds = max((record.round for record in running.ended), default=rounds)
    running.study = replace(running.study, sequential=state, rounds=rounds)
    store.write_study(running.folder, running.study)
