"""What is not the cause: switching, and the kernel. Said only where the report measured it."""

from __future__ import annotations

from collections.abc import Iterator

from profpipe.analyse.rules.facts import CPU, SWITCHES, SYSTEM, Facts, Figure, conclusion, listed, share
from profpipe.model.report import Conclusion
from profpipe.units import count, duration_ns

SWITCH_SHARE = 0.02
KERNEL_NOT = 0.10
KERNEL_CAUSE = 0.25


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
            yield conclusion("user-switches", contender.id, text, kind="not-the-cause", weight=55, rows=rows)


def kernel_switches(facts: Facts) -> Iterator[Conclusion]:
    """A variant that switches threads more often and is cheaper all the same: switching cannot be what costs."""
    base = facts.figure(facts.baseline.id, SWITCHES)
    if base is None:
        return
    dearer, rows = [], [base.row]
    for contender in facts.contenders:
        found = facts.relevant(contender.id, CPU)
        own, switches = facts.figure(contender.id, SWITCHES), facts.relevant(contender.id, SWITCHES)
        if found is None or own is None or switches is None:
            continue
        if found.verdict == "worse" and own.value < base.value:
            dearer.append(f"{contender.label} ({count(own.value)})")
            rows.append(own.row)
        elif found.verdict == "better" and own.value > base.value:
            text = (
                f"Switching threads is not the cause: {contender.label} switches {count(own.value)} times per "
                f"request, {facts.baseline.label} {count(base.value)}, and it still costs less CPU."
            )
            yield conclusion(
                "kernel-switches",
                contender.id,
                text,
                kind="not-the-cause",
                weight=54,
                rows=[own.row, base.row],
            )
    if dearer:
        text = (
            f"Switching threads is not the cause: {facts.baseline.label} switches {count(base.value)} times per "
            f"request, more than {listed(dearer)}, and still costs less CPU."
        )
        yield conclusion("kernel-switches", "", text, kind="not-the-cause", weight=56, rows=rows)


def kernel_part(facts: Facts) -> Iterator[Conclusion]:
    """How much of the gap in CPU time is in the kernel: under 10 % it is not the cause, over 25 % it is one."""
    for contender in facts.contenders:
        if facts.relevant(contender.id, CPU) is None:
            continue
        figures = [facts.figure(v, k) for v in (contender.id, facts.baseline.id) for k in (CPU, SYSTEM)]
        cpu, system, base_cpu, base_system = figures
        if cpu is None or system is None or base_cpu is None or base_system is None or cpu.value == base_cpu.value:
            continue
        gap, kernel = cpu.value - base_cpu.value, system.value - base_system.value
        part = kernel / gap
        rows = [f.row for f in figures if f is not None]
        pair = f"{contender.label} and {facts.baseline.label}"
        size = f"{duration_ns(abs(kernel) * 1e3)} of {duration_ns(abs(gap) * 1e3)} per request"
        if part < KERNEL_NOT:
            text = f"The kernel is not the cause: {share(part)} of the CPU gap between {pair} is in it ({size})."
            if part < 0:
                text = f"The kernel is not the cause: its part of the CPU gap between {pair} is the other way ({size})."
            yield conclusion("kernel-part", contender.id, text, kind="not-the-cause", weight=50, rows=rows)
        elif part >= KERNEL_CAUSE:
            text = f"The kernel has {share(part)} of the CPU gap between {pair} ({size})."
            yield conclusion("kernel-part", contender.id, text, kind="cause", weight=58, rows=rows)
