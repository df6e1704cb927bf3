"""System calls per request, where two variants differ in them."""

from __future__ import annotations

from collections.abc import Iterator

from profpipe.analyse.rules.facts import Facts, conclusion
from profpipe.model.report import Conclusion
from profpipe.units import count

# Half a call per request: under it a difference in batching, not in what a request needs.
MIN_DELTA = 0.5


def syscalls(facts: Facts) -> Iterator[Conclusion]:
    """For every contender whose system calls per request differ beyond noise."""
    keys = [m.key for m in facts.report.metrics if m.key.endswith(":syscalls")]
    for key in keys:
        for contender in facts.contenders:
            found = facts.relevant(contender.id, key)
            own, base = facts.figure(contender.id, key), facts.figure(facts.baseline.id, key)
            if found is None or own is None or base is None or abs(own.value - base.value) < MIN_DELTA:
                continue
            more = "more" if own.value > base.value else "fewer"
            text = (
                f"{contender.label} makes {count(own.value)} system calls per request, {facts.baseline.label} "
                f"{count(base.value)}: {count(abs(own.value - base.value))} {more}{_where(facts, key, contender.id)}."
            )
            rows = [own.row, base.row]
            weight = 57 + min(2.0, abs(own.value - base.value) / 10)
            yield conclusion("syscalls", f"{contender.id}:{key}", text, kind="cause", weight=weight, rows=rows)


def _where(facts: Facts, key: str, contender: str) -> str:
    """The function whose system calls differ most, when the table names it."""
    found = facts.table(key)
    if found is None:
        return ""
    best: tuple[float, str] = (0.0, "")
    for row in found[0].rows:
        for function in row.functions:
            cells = function.cells.get(contender), function.cells.get(facts.baseline.id)
            after, before = ((cell.self if cell else None) or 0.0 for cell in cells)
            best = max(best, (abs(after - before), function.function.name))
    return f", most of the difference in {best[1]}" if best[0] >= MIN_DELTA else ""
