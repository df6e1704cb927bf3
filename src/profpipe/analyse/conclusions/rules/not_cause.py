"""What is not the cause: switching, and the kernel. Said only where the report measured it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from profpipe.analyse.conclusions.facts import Facts, Figure, conclusion, listed, share
from profpipe.analyse.conclusions.registry import weight
from profpipe.model.metric_keys import CPU, KERNEL_SHARE, SWITCHES
from profpipe.model.report import Certainty, Conclusion, Evidence, Variant
from profpipe.units import count, duration_ns

SWITCH_SHARE = 0.02
KERNEL_NOT = 0.10
KERNEL_CAUSE = 0.25
SWITCHES_MORE = 1.5


def user_switches(facts: Facts) -> Iterator[Conclusion]:
    """Switching coroutines in user space, where it is under 2 % of the gap in what is counted."""
    key = facts.counted()
    metric = facts.metric(key) if key else None
    for contender in facts.contenders:
        found = facts.waterfall(key, contender.id) if key else None
        if key is None or metric is None or found is None or facts.relevant(contender.id, key) is None:
            continue
        fall, path = found
        for i, bar in enumerate(fall.bars):
            if bar.category != "context-switch" or bar.share_of_gap is None or abs(bar.share_of_gap) >= SWITCH_SHARE:
                continue
            go = "go the other way by" if bar.share_of_gap < 0 else "are"
            text = (
                f"Switching coroutines is not the cause: context switches {go} {share(bar.share_of_gap)} of the gap "
                f"between {contender.label} and {facts.baseline.label} ({count(abs(bar.delta))} of "
                f"{count(abs(fall.gap))} {metric.label})."
            )
            rows = [Figure(bar.delta, f"{path}.bars.{i}.delta").row]
            rows.append(Figure(bar.share_of_gap, f"{path}.bars.{i}.share_of_gap").row)
            yield conclusion(
                "user-switches", contender.id, text, kind="not-the-cause", weight=weight("user-switches"), rows=rows
            )


def kernel_switches(facts: Facts) -> Iterator[Conclusion]:
    """A variant that switches threads more often and costs less all the same: switching cannot be what costs."""
    base = facts.figure(facts.baseline.id, SWITCHES)
    if base is None:
        return
    fewer_and_worse: list[tuple[Variant, Figure]] = []
    fewer_and_better = False
    for contender in facts.contenders:
        found = facts.relevant(contender.id, CPU)
        own, switches = facts.figure(contender.id, SWITCHES), facts.relevant(contender.id, SWITCHES)
        if found is None or own is None or switches is None:
            continue
        if own.value >= base.value and found.verdict == "better":
            yield _not_why_baseline_costs_more(facts, contender, own, base)
        elif own.value < base.value and found.verdict == "worse":
            fewer_and_worse.append((contender, own))
        elif own.value < base.value and found.verdict == "better":
            fewer_and_better = True
    if fewer_and_worse:
        yield _not_why_contenders_cost_more(facts, base, fewer_and_worse, only_these=fewer_and_better)


def _not_why_baseline_costs_more(facts: Facts, contender: Variant, own: Figure, base: Figure) -> Conclusion:
    text = (
        f"Switching threads is not why {facts.baseline.label} costs more: {contender.label} switches "
        f"{count(own.value)} times per request, {facts.baseline.label} {count(base.value)}, and costs less CPU."
    )
    heavy = weight("kernel-switches/baseline costs more")
    rows = [own.row, base.row]
    return conclusion("kernel-switches", contender.id, text, kind="not-the-cause", weight=heavy, rows=rows)


def _not_why_contenders_cost_more(
    facts: Facts, base: Figure, found: list[tuple[Variant, Figure]], *, only_these: bool
) -> Conclusion:
    """`only_these`: others switch less and cost less, so switching may be what the baseline pays for."""
    names = [f"{contender.label} ({count(own.value)})" for contender, own in found]
    times = f"{facts.baseline.label} switches {count(base.value)} times per request"
    text = f"Switching threads is not the cause: {times}, more than {listed(names)}, and still costs less CPU."
    if only_these:
        text = f"It is not for switching that {listed(names)} {_verb(names)} more: {times}, and costs less CPU."
    heavy = weight("kernel-switches/a pair" if only_these else "kernel-switches/not the cause")
    rows = [base.row, *(own.row for _, own in found)]
    return conclusion("kernel-switches", "", text, kind="not-the-cause", weight=heavy, rows=rows)


def _verb(names: list[str]) -> str:
    return "costs" if len(names) == 1 else "cost"


def kernel_part(facts: Facts) -> Iterator[Conclusion]:
    """How much of the gap in CPU time is in the kernel: a cause from 25 % on, none under 10 %.

    The kernel's part of each variant is its CPU time x its kernel share; that share comes from ticks of 10 ms, so its
    interval decides how sure the sentence is.
    """
    for contender in facts.contenders:
        own, base = _kernel_time(facts, contender), _kernel_time(facts, facts.baseline)
        if facts.relevant(contender.id, CPU) is None or own is None or base is None:
            continue
        gap = own.cpu.value - base.cpu.value
        if gap == 0:
            continue
        part = (own.middle - base.middle) / gap
        low, high = sorted(((own.low - base.high) / gap, (own.high - base.low) / gap))
        if part < KERNEL_NOT and high < KERNEL_CAUSE:
            yield _kernel_not_the_cause(facts, contender, own, base, "measured" if high < KERNEL_NOT else "likely")
        elif part >= KERNEL_CAUSE and low > 0:
            yield _kernel_the_cause(facts, contender, own, base, "measured" if low >= KERNEL_CAUSE else "likely")


def _kernel_not_the_cause(
    facts: Facts, contender: Variant, own: _KernelTime, base: _KernelTime, certainty: Certainty
) -> Conclusion:
    kernel, gap = own.middle - base.middle, own.cpu.value - base.cpu.value
    pair = f"{contender.label} and {facts.baseline.label}"
    where = f"{share(kernel / gap)} of the CPU gap between {pair} is in it ({_kernel_size(own, base)})"
    if kernel / gap < 0:
        more, less = (contender, facts.baseline) if gap > 0 else (facts.baseline, contender)
        where = (
            f"{more.label} costs {_time(gap)} more CPU per request than {less.label}, and spends about "
            f"{_time(kernel)} less in it"
        )
    return conclusion(
        "kernel-part",
        contender.id,
        f"The kernel is not the cause: {where}.",
        kind="not-the-cause",
        weight=weight("kernel-part/not the cause"),
        certainty=certainty,
        rows=[*own.rows, *base.rows],
    )


def _kernel_the_cause(
    facts: Facts, contender: Variant, own: _KernelTime, base: _KernelTime, certainty: Certainty
) -> Conclusion:
    kernel, gap = own.middle - base.middle, own.cpu.value - base.cpu.value
    more, less = (contender, facts.baseline) if gap > 0 else (facts.baseline, contender)
    rows = [*own.rows, *base.rows]
    where = f"{share(kernel / gap)} of the gap is there ({_kernel_size(own, base)})"
    if abs(kernel) > abs(gap):
        where = f"about {_time(kernel)} more per request there, and {_time(kernel - gap)} less outside it"
    text = f"{more.label} costs more CPU than {less.label} in the kernel: {where}{_switching(facts, more, less, rows)}."
    return conclusion(
        "kernel-part",
        contender.id,
        text,
        kind="cause",
        weight=weight("kernel-part/cause"),
        certainty=certainty,
        rows=rows,
    )


def _kernel_size(own: _KernelTime, base: _KernelTime) -> str:
    return f"about {_time(own.middle - base.middle)} of {_time(own.cpu.value - base.cpu.value)} per request"


def _time(us: float) -> str:
    return duration_ns(abs(us) * 1e3)


@dataclass(frozen=True, slots=True)
class _KernelTime:
    """CPU us per request in the kernel, between low and high, and the two figures it is the product of."""

    cpu: Figure
    share: Figure
    low: float
    middle: float
    high: float

    @property
    def rows(self) -> list[Evidence]:
        return [self.cpu.row, self.share.row]


def _kernel_time(facts: Facts, variant: Variant) -> _KernelTime | None:
    cpu, part = facts.figure(variant.id, CPU), facts.figure(variant.id, KERNEL_SHARE)
    if cpu is None or part is None:
        return None
    series = variant.figures[KERNEL_SHARE]
    low, high = (part.value if bound is None else bound for bound in (series.low, series.high))
    return _KernelTime(cpu, part, cpu.value * low, cpu.value * part.value, cpu.value * high)


def _switching(facts: Facts, dear: Variant, cheap: Variant, rows: list[Evidence]) -> str:
    """That the one that costs more also switches threads more often, where it does by half or more."""
    more, fewer = facts.figure(dear.id, SWITCHES), facts.figure(cheap.id, SWITCHES)
    if more is None or fewer is None or more.value < SWITCHES_MORE * fewer.value:
        return ""
    rows += [more.row, fewer.row]
    return f", and it switches threads {count(more.value)} times per request against {count(fewer.value)}"
