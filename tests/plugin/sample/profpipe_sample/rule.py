"""How many requests one processor can serve in a second, from the CPU time of one request."""

from __future__ import annotations

from collections.abc import Iterator

from profpipe.analyse.conclusions.facts import Facts, conclusion
from profpipe.model.metric_keys import CPU
from profpipe.model.report import Conclusion
from profpipe.units import count

WEIGHT = 89.5  # after the verdicts in CPU time, before those in what is counted


def capacity(facts: Facts) -> Iterator[Conclusion]:
    """One sentence per variant whose CPU time is known."""
    for variant in facts.variants:
        cpu = facts.figure(variant.id, CPU)
        if cpu is None or cpu.value <= 0:
            continue
        text = f"One processor can serve about {count(1e6 / cpu.value)} requests of {variant.label} in a second."
        yield conclusion(
            "capacity", variant.id, text, kind="verdict", weight=WEIGHT, rows=[cpu.row], certainty="likely"
        )
