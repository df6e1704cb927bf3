"""Starts until the verdict is decided: the length of a slice is measured first, then the rule is fixed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from profpipe.analyse.statistics.slice_length import SliceLength, passes
from profpipe.analyse.statistics.starts import StartRatios, start_ratios
from profpipe.analyse.statistics.starts_rule import RESOLUTION, StartsRule, ends, plan_rule
from profpipe.capture.server.layout import draw
from profpipe.capture.side_by_side import StartLost, Variant, control_of
from profpipe.errors import CaptureError
from profpipe.model.start import Lost, SlicePlan, Start
from profpipe.pipeline.slices.start import Setting, measure_start, try_lengths

LOST_MOST = 3
MOST_STARTS = 400
IDLE_S = 0.3
CONTROL = "{}, again"


@dataclass(frozen=True, slots=True)
class Measured:
    """What a study by slices measured. `left_out` = variant -> why, after it had lost LOST_MOST starts.

    `stopped` says in words why no more starts were added. Tickets are drawn from `seed`.
    """

    baseline: str
    control: str
    contenders: tuple[str, ...]
    seed: int
    length: SliceLength
    plan: SlicePlan
    rule: StartsRule
    starts: tuple[Start, ...]
    left_out: Mapping[str, str]
    stopped: str
    seconds: float

    def ratios(self) -> tuple[StartRatios, ...]:
        """Of every contender that is not left out."""
        return tuple(start_ratios(self.starts, name, self.baseline) for name in self.contenders)

    def control_ratios(self) -> StartRatios:
        return start_ratios(self.starts, self.control, self.baseline)


@dataclass(slots=True)
class _Running:
    """A study under way: who still takes part, and how many starts each variant has lost."""

    variants: list[Variant]
    needed: frozenset[str]  # without the baseline and the control there is no study
    losses: Counter[str] = field(default_factory=Counter)
    left_out: dict[str, str] = field(default_factory=dict)

    def lose(self, lost: Lost) -> None:
        """One start less. CaptureError where nothing can be measured any more."""
        name = lost.variant
        if name is None:
            raise CaptureError(lost.phase, lost.reason, log_tail=lost.log_tail)
        self.losses[name] += 1
        if self.losses[name] < LOST_MOST:
            return
        self.variants = [variant for variant in self.variants if variant.name != name]
        self.left_out[name] = f"{lost.reason} (in {LOST_MOST} starts)"
        if name in self.needed or len(self.variants) < 3:
            raise CaptureError(lost.phase, f"{name}: {self.left_out[name]}", log_tail=lost.log_tail)


def measure(
    baseline: Variant,
    contenders: Sequence[Variant],
    setting: Setting,
    *,
    seed: int,
    budget_s: float,
    resolution: float = RESOLUTION,
    precise: bool = False,
    on_start: Callable[[Start], None] = lambda _: None,
) -> Measured:
    """Measure for at most about `budget_s` seconds of starts; the trial of lengths comes before them, some 5 s.

    `precise` = go on until every interval is within the resolution, though verdicts are decided. Raises CaptureError
    where the baseline, or every contender, loses LOST_MOST starts; LoadError when the load client itself fails.
    """
    begun = time.monotonic()
    control = control_of(baseline, CONTROL.format(baseline.name))
    study = _Running([baseline, *contenders, control], frozenset({baseline.name, control.name}))
    length = _length(study, baseline.name, setting, seed)
    plan, start_s = _plan(length, setting, budget_s)
    most = min(max(int(budget_s / start_s), 1), MOST_STARTS)
    rule = plan_rule(most, len(study.variants) - 2, resolution)
    starts: list[Start] = []
    stopped = ""
    limit = time.monotonic() + budget_s
    while not stopped:
        number = len(starts) + 1
        start = measure_start(
            study.variants, draw(seed, number), plan, setting, seed=seed, idle_s=IDLE_S if number == 1 else 0.0
        )
        starts.append(start)
        on_start(start)
        if start.lost is not None:
            study.lose(start.lost)
        stopped = _stopped(study, baseline.name, rule, starts, limit - time.monotonic(), start_s, precise)
    return Measured(
        baseline=baseline.name,
        control=control.name,
        contenders=_contenders(study),
        seed=seed,
        length=length,
        plan=plan,
        rule=rule,
        starts=tuple(starts),
        left_out=study.left_out,
        stopped=stopped,
        seconds=time.monotonic() - begun,
    )


def _plan(length: SliceLength, setting: Setting, budget_s: float) -> tuple[SlicePlan, float]:
    """What every start does, and about how many seconds it takes."""
    many = passes(length.pass_s, length.launch_s, budget_s)
    plan = SlicePlan(lead=length.lead.requests, requests=length.requests, passes=many, connections=setting.connections)
    return plan, length.launch_s + many * length.pass_s


def _contenders(study: _Running) -> tuple[str, ...]:
    return tuple(variant.name for variant in study.variants if variant.name not in study.needed)


def _length(study: _Running, baseline: str, setting: Setting, seed: int) -> SliceLength:
    """Tried until a start goes well; every variant may lose LOST_MOST of them."""
    while True:
        try:
            return try_lengths(study.variants, baseline, draw(seed, 0), setting, seed=seed)
        except StartLost as error:
            study.lose(error.lost)


def _stopped(
    study: _Running,
    baseline: str,
    rule: StartsRule,
    starts: Sequence[Start],
    left_s: float,
    start_s: float,
    precise: bool,
) -> str:
    """Why no more starts are added; empty while they are."""
    good = sum(start.lost is None for start in starts)
    ratios = [start_ratios(starts, name, baseline) for name in _contenders(study)]
    if ends(rule, ratios, good, precise=precise):
        return f"every contender is decided or known within the resolution after {good} starts"
    if good >= rule.looks[-1]:
        return f"the {good} starts that were planned are done"
    # Half a start over the budget is nearer to it than half a start under it.
    return f"the budget is spent after {good} starts" if left_s < start_s / 2 else ""
