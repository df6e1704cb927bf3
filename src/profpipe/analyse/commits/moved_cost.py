"""Moved cost: it left one function and arrived in its caller or callee, and the sum of the two stayed the same.

There are three cases. A function was inlined: it is gone, and its callers grew. A function was split: it shrank, and a
new function calls it or is called by it. Code went from one function to another, and both are still there. Where the
sum changed as well, the difference stays in the function that the cost moved to, so a move hides no regression.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from profpipe.analyse.aligned_rows import OF_MOVED
from profpipe.analyse.commits.call_graph import VariantGraph
from profpipe.analyse.statistics.medians import Floats
from profpipe.model.report import GRID

# Two functions that exist at both commits: their sum is the same within this share of it, or of what moved, because a
# call costs a little itself.
SAME_SUM = 0.003
SAME_SUM_TIMED = 0.02
# A change under this share of the baseline's total gets no verdict, so its cause does not matter.
SIZE_FLOOR = 0.001
# The moved amount must be this share of the smaller of a one-sided function and its neighbour. Below it, the function
# was deleted (or is new work), and the neighbour changed for another reason.
TELLING = 0.25


@dataclass(frozen=True, slots=True)
class Shift:
    """`amount` per request left row `source` and arrived in row `target`.

    `gone` = the source exists only before, `new` = the target exists only after, `calls` = the target calls the source.
    """

    source: int
    target: int
    amount: float
    gone: bool = False
    new: bool = False
    calls: bool = False


def shifts(before: VariantGraph, after: VariantGraph, total: float, *, exact: bool) -> tuple[Shift, ...]:
    """The cost that moved between functions that call each other, in multiples of the waterfall's grid.

    No row gives more than it lost or gets more than it gained. `total` is the baseline's. Both graphs share their rows.
    """
    change = after.own - before.own
    floor = SIZE_FLOOR * total
    rest = {int(r): float(change[r]) for r in np.flatnonzero(np.abs(change) > 0)}
    found: list[Shift] = []
    for shift in _one_sided(before, after, change, floor):
        own = before.own[shift.source] if shift.gone else after.own[shift.target]
        other = before.own[shift.target if shift.gone else shift.source]
        _take(shift, rest, found, max(floor, TELLING * float(min(own, other))))
    tolerance = SAME_SUM if exact else SAME_SUM_TIMED
    pairs = sorted(_both_stayed(before, after, rest, floor, tolerance), key=lambda item: item[0])
    for _, shift in pairs:
        if _fits(shift, rest, before, tolerance):
            _take(shift, rest, found, floor)
    return tuple(found)


def net(found: tuple[Shift, ...], rows: int) -> Floats:
    """The cost that moved into each row (positive) or out of it (negative); it adds up to 0."""
    out = np.zeros(rows)
    for shift in found:
        out[shift.source] -= shift.amount
        out[shift.target] += shift.amount
    return out


def _take(shift: Shift, rest: dict[int, float], found: list[Shift], least: float) -> None:
    """Add the shift to `found`, cut to what is `rest` of the changes of its rows, unless that is less than `least`."""
    amount = min(shift.amount, -rest.get(shift.source, 0.0), rest.get(shift.target, 0.0))
    # Rounded down to the grid: no more may move than there was.
    amount = math.floor(amount * GRID) / GRID
    if amount > 0 and amount >= least:
        rest[shift.source] += amount
        rest[shift.target] -= amount
        found.append(replace(shift, amount=amount))


def _one_sided(before: VariantGraph, after: VariantGraph, change: Floats, floor: float) -> Iterator[Shift]:
    """Possible shifts of inlined and split functions, the most expensive functions first.

    Example: `render` is gone, and its callers `serve` and `reply` both grew. It was inlined, and each caller got a
    part of its cost in proportion to the calls. If `reply` had shrunk, `render` would count as deleted. Its callee
    `escape` can have got its cost only if nothing else calls `escape`: otherwise another caller can be why it grew. A
    new function is the reverse: its cost came from callers that all shrank, or from callees that nothing else calls.
    """
    gone = np.flatnonzero(before.present & ~after.present & (before.own > floor))
    new = np.flatnonzero(after.present & ~before.present & (after.own > floor))
    for row in sorted(gone.tolist(), key=lambda r: (-before.own[r], r)):
        for other, part in _neighbours(before.callers.get(row, {}), change, 1.0):
            yield Shift(row, other, float(before.own[row]) * part, gone=True, calls=True)
        for other, _ in _neighbours(_only_called_by_it(before.callees.get(row, {}), before.callers), change, 1.0):
            yield Shift(row, other, float(before.own[row]), gone=True)
    for row in sorted(new.tolist(), key=lambda r: (-after.own[r], r)):
        for other, part in _neighbours(after.callers.get(row, {}), change, -1.0):
            yield Shift(other, row, float(after.own[row]) * part, new=True)
        for other, _ in _neighbours(_only_called_by_it(after.callees.get(row, {}), after.callers), change, -1.0):
            yield Shift(other, row, float(after.own[row]), new=True, calls=True)


def _neighbours(links: Mapping[int, float], change: Floats, sign: float) -> list[tuple[int, float]]:
    """(neighbour, its share of the calls) if every neighbour changed in the direction of `sign`; else nothing."""
    calls = sum(links.values())
    if not links or calls <= 0 or any(change[r] * sign <= 0 for r in links):
        return []
    return sorted(((r, c / calls) for r, c in links.items()), key=lambda item: (-item[1], item[0]))


def _only_called_by_it(callees: Mapping[int, float], callers: Mapping[int, Mapping[int, float]]) -> dict[int, float]:
    """The callees that have no other caller."""
    return {row: calls for row, calls in callees.items() if len(callers.get(row, {})) == 1}


def _both_stayed(
    before: VariantGraph, after: VariantGraph, rest: Mapping[int, float], floor: float, tolerance: float
) -> Iterator[tuple[float, Shift]]:
    """(error of the sum, shift) of two functions that exist at both commits, where one lost what the other gained."""
    seen: set[tuple[int, int]] = set()
    stayed = before.present & after.present
    for graph in (before, after):
        for caller, links in graph.callees.items():
            for callee in links:
                if caller == callee or (caller, callee) in seen or not (stayed[caller] and stayed[callee]):
                    continue
                seen.add((caller, callee))
                a, b = rest.get(caller, 0.0), rest.get(callee, 0.0)
                if a * b >= 0 or min(abs(a), abs(b)) <= floor:
                    continue
                source, target = (caller, callee) if a < 0 else (callee, caller)
                shift = Shift(source, target, min(abs(a), abs(b)), calls=source == callee)
                if _fits(shift, rest, before, tolerance):
                    yield abs(a + b) / min(abs(a), abs(b)), shift


def _fits(shift: Shift, rest: Mapping[int, float], before: VariantGraph, tolerance: float) -> bool:
    lost, gained = -rest.get(shift.source, 0.0), rest.get(shift.target, 0.0)
    if lost <= 0 or gained <= 0:
        return False
    whole = float(before.own[shift.source] + before.own[shift.target])
    return abs(gained - lost) <= max(tolerance * whole, OF_MOVED * min(lost, gained))
