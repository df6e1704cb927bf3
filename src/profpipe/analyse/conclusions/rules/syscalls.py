"""System calls per request, where two variants differ in them."""

from __future__ import annotations

from collections.abc import Iterator

from profpipe.analyse.conclusions.facts import Facts, conclusion
from profpipe.analyse.conclusions.registry import weight
from profpipe.model.report import Conclusion, FunctionName
from profpipe.units import count

# Half a call per request: under it a difference in batching, not in what a request needs.
MIN_DELTA = 0.5


def syscalls(facts: Facts) -> Iterator[Conclusion]:
    """For every contender whose system calls per request differ beyond noise."""
    keys = [m.key for m in facts.report.metrics if m.key.endswith(":syscalls")]
    for key in keys:
        for contender in facts.contenders:
            own, base = facts.figure(contender.id, key), facts.figure(facts.baseline.id, key)
            if facts.relevant(contender.id, key) is None or own is None or base is None:
                continue
            after, before = own.value, base.value
            if abs(after - before) < MIN_DELTA:
                continue
            more = "more" if after > before else "fewer"
            calls = "system call" if after == 1 else "system calls"
            text = (
                f"{contender.label} makes {count(after)} {calls} per request, {facts.baseline.label} {count(before)}: "
                f"{count(abs(after - before))} {more}{_where(facts, key, contender.id, after - before)}."
            )
            heavy = weight("syscalls", abs(after - before) / 10)
            yield conclusion(
                "syscalls", f"{contender.id}:{key}", text, kind="cause", weight=heavy, rows=[own.row, base.row]
            )


def _where(facts: Facts, key: str, contender: str, difference: float) -> str:
    """The function with the largest part of the difference, in its direction, when the table names one.

    "Most" is over half. What changed the other way is no part of the difference, however large it is.
    """
    found = facts.table(key)
    if found is None:
        return ""
    sign = 1.0 if difference > 0 else -1.0
    best: tuple[float, FunctionName | None] = (0.0, None)
    for row in found[0].rows:
        for function in row.functions:
            cells = function.cells.get(contender), function.cells.get(facts.baseline.id)
            after, before = ((cell.self if cell else None) or 0.0 for cell in cells)
            best = max(best, (sign * (after - before), function.function), key=lambda item: item[0])
    part, named = best
    if part < MIN_DELTA or named is None:
        return ""
    size = "most of the difference" if part > abs(difference) / 2 else f"{count(part)} of them"
    return f", {size} {_maker(named)}"


def _maker(named: FunctionName) -> str:
    """A function of C is a system call by its name; one of Python makes system calls."""
    if named.runtime != "python":
        return f"in {named.name}"
    place = f" ({named.file})" if named.file else ""
    return f"made by the Python function “{named.name}”{place}"
