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
            text = (
                f"Switching coroutines is not the cause: context switches are {share(bar.share_of_gap)} of the gap "
                f"between {contender.label} and {facts.baseline.label} ({count(abs(bar.delta))} of "
                f"{count(abs(fall.gap))} {metric.label})."
            )
            rows = [Figure(bar.delta, f"{path}.bars.{i}.delta").row]
            rows.append(Figure(bar.share_of_gap, f"{path}.bars.{i}.share_of_gap").row)
            yield conclusion(
                "user-switches", contender.id, text, kind="not-the-cause", weight=weight("user-switches"), rows=rows
            )


def kernel_switches(facts: Facts) -> Iterator[Conclusion]:
    """A variant that switches threads more often and is cheaper all the same: switching cannot be what costs."""
    base = facts.figure(facts.baseline.id, SWITCHES)
    if base is None:
        return
    dearer, rows, saves = [], [base.row], False
    for contender in facts.contenders:
        found = facts.relevant(contender.id, CPU)
        own, switches = facts.figure(contender.id, SWITCHES), facts.relevant(contender.id, SWITCHES)
        if found is None or own is None or switches is None:
            continue
        if found.verdict == "worse" and own.value < base.value:
            dearer.append(f"{contender.label} ({count(own.value)})")
            rows.append(own.row)
        elif found.verdict == "better" and own.value < base.value:
            saves = True
        elif found.verdict == "better":
            text = (
                f"Switching threads is not why {facts.baseline.label} costs more: {contender.label} switches "
                f"{count(own.value)} times per request, {facts.baseline.label} {count(base.value)}, and costs less CPU."
            )
            yield conclusion(
                "kernel-switches",
                contender.id,
                text,
                kind="not-the-cause",
                weight=weight("kernel-switches/baseline costs more"),
                rows=[own.row, base.row],
            )
    if not dearer:
        return
    times = f"{facts.baseline.label} switches {count(base.value)} times per request"
    text = f"Switching threads is not the cause: {times}, more than {listed(dearer)}, and still costs less CPU."
    if saves:
        # Others switch less and are cheaper, so switching may be what the baseline pays for: only the pair is said.
        text = f"It is not for switching that {listed(dearer)} {_verb(dearer)} more: {times}, and costs less CPU."
    yield conclusion(
        "kernel-switches",
        "",
        text,
        kind="not-the-cause",
        weight=weight("kernel-switches/a pair" if saves else "kernel-switches/not the cause"),
        rows=rows,
    )


def _verb(names: list[str]) -> str:
    return "costs" if len(names) == 1 else "cost"


def kernel_part(facts: Facts) -> Iterator[Conclusion]:
    """How much of the gap in CPU time is in the kernel: a cause from 25 % on, none under 10 %.

    The kernel's part of each variant is its CPU time x its kernel share; that share comes from ticks of 10 ms, so its
    interval decides how sure the sentence is.
    """
    for contender in facts.contenders:
        if facts.relevant(contender.id, CPU) is None:
            continue
        own, base = _kernel_time(facts, contender), _kernel_time(facts, facts.baseline)
        if own is None or base is None or own.cpu.value == base.cpu.value:
            continue
        gap, kernel = own.cpu.value - base.cpu.value, own.middle - base.middle
        low, high = sorted(((own.low - base.high) / gap, (own.high - base.low) / gap))
        rows = [own.cpu.row, own.share.row, base.cpu.row, base.share.row]
        pair = f"{contender.label} and {facts.baseline.label}"
        size = f"about {duration_ns(abs(kernel) * 1e3)} of {duration_ns(abs(gap) * 1e3)} per request"
        if kernel / gap < KERNEL_NOT and high < KERNEL_CAUSE:
            ruled_out: Certainty = "measured" if high < KERNEL_NOT else "likely"
            where = f"{share(kernel / gap)} of the CPU gap between {pair} is in it"
            if kernel / gap < 0:
                where = f"its part of the CPU gap between {pair} is the other way"
            text = f"The kernel is not the cause: {where} ({size})."
            yield conclusion(
                "kernel-part",
                contender.id,
                text,
                kind="not-the-cause",
                weight=weight("kernel-part/not the cause"),
                certainty=ruled_out,
                rows=rows,
            )
        elif kernel / gap >= KERNEL_CAUSE and low > 0:
            sure: Certainty = "measured" if low >= KERNEL_CAUSE else "likely"
            dear, cheap = (contender, facts.baseline) if gap > 0 else (facts.baseline, contender)
            text = (
                f"{dear.label} costs more CPU than {cheap.label} in the kernel: {share(kernel / gap)} of the gap is "
                f"there ({size}){_switching(facts, dear, cheap, rows)}."
            )
            yield conclusion(
                "kernel-part",
                contender.id,
                text,
                kind="cause",
                weight=weight("kernel-part/cause"),
                certainty=sure,
                rows=rows,
            )


@dataclass(frozen=True, slots=True)
class _KernelTime:
    """CPU us per request in the kernel, between low and high, and the two figures it is the product of."""

    cpu: Figure
    share: Figure
    low: float
    middle: float
    high: float


def _kernel_time(facts: Facts, variant: Variant) -> _KernelTime | None:
    cpu, part = facts.figure(variant.id, CPU), facts.figure(variant.id, KERNEL_SHARE)
    if cpu is None or part is None:
        return None
    series = variant.figures[KERNEL_SHARE]
    low, high = (part.value if bound is None else bound for bound in (series.low, series.high))
    return _KernelTime(cpu, part, cpu.value * low, cpu.value * part.value, cpu.value * high)


def _switching(facts: Facts, dear: Variant, cheap: Variant, rows: list[Evidence]) -> str:
    """That the dearer one also switches threads more often, where it does by half or more."""
    more, fewer = facts.figure(dear.id, SWITCHES), facts.figure(cheap.id, SWITCHES)
    if more is None or fewer is None or more.value < SWITCHES_MORE * fewer.value:
        return ""
    rows += [more.row, fewer.row]
    return f", and it switches threads {count(more.value)} times per request against {count(fewer.value)}"
