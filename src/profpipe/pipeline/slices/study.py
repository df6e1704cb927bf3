"""Starts until the verdict is decided: the length of a slice is measured first, then the rule is fixed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from profpipe.analyse.statistics.slice_length import LEAST_PASSES, LEAST_PASSES_OF_ROUTES, SliceLength, passes
from profpipe.analyse.statistics.starts import StartRatios, cost_ns, route_cost_ns, start_ratios
from profpipe.analyse.statistics.starts_rule import (
    LEAST_FOR_A_VERDICT,
    RESOLUTION,
    StartsRule,
    ends,
    plan_rule,
    reaches_verdict,
)
from profpipe.capture.server.layout import draw
from profpipe.capture.side_by_side import StartLost, Variant, control_of
from profpipe.errors import CaptureError
from profpipe.model.report import ALPHA
from profpipe.model.start import Lost, RoutePlan, SlicePlan, Start, control_name
from profpipe.pipeline.slices.lengths import try_lengths
from profpipe.pipeline.slices.start import REPLACES, Setting, measure_start, serves_alone

LOST_MOST = 3
MOST_STARTS = 400
IDLE_S = 0.3


class NotTogether(Exception):
    """A variant that serves on its own and not next to the others: a port, a lock file, or memory for one of them."""


class Starts(Protocol):
    """What carries out the starts of a study."""

    def try_lengths(self, variants: Sequence[Variant], baseline: str) -> SliceLength:
        """As try_lengths of lengths.py. Raises StartLost."""

    def measure(self, variants: Sequence[Variant], number: int, plan: SlicePlan, *, idle_s: float) -> Start:
        """Start `number` of the study, as measure_start of start.py."""

    def alone(self, variant: Variant) -> Lost | None:
        """Why this variant does not serve without the others; None where it does."""


@dataclass(frozen=True, slots=True)
class Here:
    """Starts in this process."""

    setting: Setting
    seed: int

    def try_lengths(self, variants: Sequence[Variant], baseline: str) -> SliceLength:
        return try_lengths(variants, baseline, draw(self.seed, 0), self.setting, seed=self.seed)

    def measure(self, variants: Sequence[Variant], number: int, plan: SlicePlan, *, idle_s: float) -> Start:
        return measure_start(variants, draw(self.seed, number), plan, self.setting, seed=self.seed, idle_s=idle_s)

    def alone(self, variant: Variant) -> Lost | None:
        return serves_alone(variant, draw(self.seed, 0), self.setting)


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


@dataclass(frozen=True, slots=True)
class _Fixed:
    """What is decided before the first start. `start_s` = about how many seconds a start takes."""

    length: SliceLength
    plan: SlicePlan
    rule: StartsRule
    start_s: float
    budget_s: float


@dataclass(slots=True)
class _Running:
    """A study under way: who still takes part, how many starts each variant has lost, and the starts so far."""

    variants: list[Variant]
    baseline: str
    control: str
    losses: Counter[str] = field(default_factory=Counter)
    left_out: dict[str, str] = field(default_factory=dict)
    starts: list[Start] = field(default_factory=list)

    @property
    def needed(self) -> frozenset[str]:
        """Without these there is no study."""
        return frozenset({self.baseline, self.control})

    def lose(self, lost: Lost) -> None:
        """One start less. CaptureError where nothing can be measured any more."""
        name = lost.variant
        if name is None:
            self.losses[""] += 1  # no variant has this name
            if lost.phase != "service" or self.losses[""] >= LOST_MOST:
                raise CaptureError(lost.phase, lost.reason, log_tail=lost.log_tail)
            return
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
    alpha: float = ALPHA,
    starts: Starts | None = None,
    on_plan: Callable[[SliceLength, SlicePlan, StartsRule], None] = lambda *_: None,
    on_start: Callable[[Start], None] = lambda _: None,
) -> Measured:
    """Measure for at most about `budget_s` seconds of starts; the trial of lengths comes before them, some 5 s.

    `precise` = go on until every interval is within the resolution, though verdicts are decided. `alpha` = the chance
    of a false verdict that the study may take. `starts` = what carries them out; None = this process. `on_plan` is
    called when the rule is fixed, before the first start. Raises NotTogether where a variant runs only without the
    others, CaptureError where the baseline, or every contender, loses LOST_MOST starts, and LoadError when the load
    client itself fails.
    """
    begun = time.monotonic()
    control = control_of(baseline, control_name(baseline.name))
    study = _Running([baseline, *contenders, control], baseline.name, control.name)
    starts = starts or Here(setting, seed)
    fixed = _fix(study, starts, setting, budget_s=budget_s, resolution=resolution, alpha=alpha)
    on_plan(fixed.length, fixed.plan, fixed.rule)
    limit = time.monotonic() + budget_s
    stopped = ""
    while not stopped:
        idle_s = 0.0 if any_kept(study.starts) else IDLE_S
        start = starts.measure(study.variants, len(study.starts) + 1, fixed.plan, idle_s=idle_s)
        study.starts.append(start)
        on_start(start)
        if start.lost is not None:
            study.lose(start.lost)
        stopped = _stopped(study, fixed, limit - time.monotonic(), precise)
    return _measured(study, fixed, seed, stopped, time.monotonic() - begun)


def _fix(
    study: _Running, starts: Starts, setting: Setting, *, budget_s: float, resolution: float, alpha: float
) -> _Fixed:
    """Try lengths, then choose the plan of every start and the rule that ends the study."""
    length = _length(study, starts)
    least = LEAST_PASSES_OF_ROUTES if length.routes else LEAST_PASSES
    many = passes(length.pass_s, length.launch_s, budget_s, least)
    plan = SlicePlan(
        lead=length.lead.requests,
        requests=length.requests,
        passes=many,
        connections=setting.connections,
        routes=tuple(RoutePlan(name, requests) for name, requests in length.routes.items()),
    )
    start_s = length.launch_s + many * length.pass_s
    most = min(max(int(budget_s / start_s), 1), MOST_STARTS)
    if reaches_verdict(0, start_s, budget_s, budget_s):
        most = max(most, LEAST_FOR_A_VERDICT)
    comparisons = (len(study.variants) - 2) * (len(plan.routes) + 1) * (len(setting.beside.running) + 1)
    return _Fixed(length, plan, plan_rule(most, comparisons, resolution, alpha), start_s, budget_s)


def _measured(study: _Running, fixed: _Fixed, seed: int, stopped: str, seconds: float) -> Measured:
    return Measured(
        baseline=study.baseline,
        control=study.control,
        contenders=_contenders(study),
        seed=seed,
        length=fixed.length,
        plan=fixed.plan,
        rule=fixed.rule,
        starts=tuple(study.starts),
        left_out=study.left_out,
        stopped=stopped,
        seconds=seconds,
    )


def _contenders(study: _Running) -> tuple[str, ...]:
    return tuple(variant.name for variant in study.variants if variant.name not in study.needed)


def _length(study: _Running, starts: Starts) -> SliceLength:
    """Tried until a start goes well; every variant may lose LOST_MOST of them.

    NotTogether is raised where memory does not suffice, or a variant replaces its processes. A variant that loses them
    because it does not start, or is killed for want of memory, is tried without the others: where it serves then,
    NotTogether is raised as well.
    """
    while True:
        try:
            return starts.try_lengths(study.variants, study.baseline)
        except StartLost as error:
            lost = error.lost
            if lost.phase == "memory":
                raise NotTogether(lost.reason) from error
            if REPLACES in lost.reason:
                raise NotTogether(f"{lost.variant}: {lost.reason}") from error
            loser = next((variant for variant in study.variants if variant.name == lost.variant), None)
            crowded = lost.phase in {"start", "ready"} or "SIGKILL" in lost.reason
            last = loser is not None and study.losses[loser.name] + 1 == LOST_MOST
            if loser is not None and crowded and last and starts.alone(loser) is None:
                raise NotTogether(f"{loser.name} fails when the others run next to it: {lost.reason}") from error
            study.lose(error.lost)


def any_kept(starts: Sequence[Start]) -> bool:
    return any(start.lost is None for start in starts)


def _stopped(study: _Running, fixed: _Fixed, left_s: float, precise: bool) -> str:
    """Why no more starts are added; empty while they are."""
    good = sum(start.lost is None for start in study.starts)
    costs = [cost_ns, *(route_cost_ns(route.name) for route in fixed.plan.routes)]
    ratios = [start_ratios(study.starts, name, study.baseline, cost) for name in _contenders(study) for cost in costs]
    if ends(fixed.rule, ratios, good, precise=precise):
        return f"every contender is decided or known within the resolution after {good} starts"
    if good >= fixed.rule.looks[-1]:
        return f"the {good} starts that were planned are done"
    start_s = max(fixed.start_s, (fixed.budget_s - left_s) / max(len(study.starts), 1))
    if good < LEAST_FOR_A_VERDICT and reaches_verdict(good, start_s, left_s, fixed.budget_s):
        return ""
    # Half a start over the budget is nearer to it than half a start under it.
    return f"the budget is spent after {good} starts" if left_s < fixed.start_s / 2 else ""
