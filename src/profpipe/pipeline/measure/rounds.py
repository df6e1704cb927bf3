"""Rounds are added until every headline verdict is decided, on a schedule of looks that was fixed beforehand."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from profpipe import store
from profpipe.model.report import Report, Sequential
from profpipe.pipeline.events import Look
from profpipe.pipeline.measure.running_study import RunningStudy

# Only these carry headline verdicts; traced and sampled tables keep the rounds that the study gives them.
EXTENDED = frozenset({"clean", "counted"})


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far rounds may be added: at most `most` per variant, and none begun that would not end within the budget."""

    most: int
    budget_s: float | None = None


@dataclass(slots=True)
class _Clock:
    """Seconds since the first run, and what a run costs on average."""

    started: float
    now: Callable[[], float]

    def enough_for(self, runs: int, ended: int, budget_s: float | None) -> bool:
        used = self.now() - self.started
        return budget_s is None or used + runs * used / max(ended, 1) <= budget_s


def run_rounds(
    running: RunningStudy,
    bounds: Bounds,
    report_of: Callable[[Path], Report],
    now: Callable[[], float] = time.monotonic,
) -> Sequential:
    """Run the study's rounds, look, and add rounds where a headline verdict cannot be told, look after look.

    The looks and the level of each are written into study.json before the first run, so that a study that is cut
    short is judged by the same rule. Returns how it ended.
    """
    from profpipe.analyse.statistics.looks import plan_looks

    prepared = running.prepared
    first = max((n for p, n in prepared.rounds.items() if prepared.kinds[p] == "clean"), default=0)
    first = first or max(prepared.rounds.values())
    looks = plan_looks(first, max(bounds.most, first))
    done: Mapping[str, int] = {}
    wanted: Mapping[str, int] = prepared.rounds
    clock = _Clock(now(), now)
    state = looks
    _write(running, state)
    for number, rounds in enumerate(looks.planned):
        running.run(prepared.schedule(wanted, done, len(running.ended)))
        done = {**done, **wanted}
        state = state.model_copy(update={"looks": (*state.looks, rounds)})
        _write(running, state)
        open_ = undecided(report_of(running.folder), prepared.kinds)
        if not open_:
            state = state.model_copy(update={"stopped": "stable"})
            break
        if number + 1 == len(looks.planned):
            state = state.model_copy(update={"stopped": "max-rounds"})
            break
        wanted = {p: _rounds_at(number + 1, looks.planned, prepared.rounds[p], prepared.kinds[p]) for p in open_}
        coming = len(prepared.schedule(wanted, done, 0))
        if not clock.enough_for(coming, len(running.ended), bounds.budget_s):
            state = state.model_copy(update={"stopped": "budget"})
            break
        running.listen(Look(rounds, tuple(open_), coming))
    _write(running, state)
    return state


def _rounds_at(look: int, planned: tuple[int, ...], base: int, kind: str) -> int:
    """Timed instruments grow with the looks; counts repeat so well that one more round a look says as much."""
    return base + look if kind == "counted" else -(-base * planned[look] // planned[0])


def undecided(report: Report, kinds: Mapping[str, str]) -> tuple[str, ...]:
    """The instruments behind the headline figures that cannot be told yet."""
    from profpipe.analyse.conclusions.undecided import undecided_metrics

    of = {m.key: m.profiler for m in report.metrics}
    found = {of[key] for key in undecided_metrics(report)}
    return tuple(p for p, kind in kinds.items() if p in found and kind in EXTENDED)


def _write(running: RunningStudy, state: Sequential) -> None:
    running.study = replace(running.study, sequential=state, rounds=max(state.looks, default=running.study.rounds))
    store.write_study(running.folder, running.study)
