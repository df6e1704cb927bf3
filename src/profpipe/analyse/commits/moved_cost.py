"""Cost that only changed place: it left one function and arrived in its caller or callee, and the sum stayed.

Three shapes: a function was inlined (it is gone, its callers grew), it was split (a new one is called by it alone, or
calls it, and it shrank), or code went from one to the other while both stayed. What the sum did change stays where
it arrived, so that a regression behind a move is seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from profpipe.analyse.aligned_rows import OF_MOVED
from profpipe.analyse.commits.call_graph import Side
from profpipe.analyse.statistics.medians import Floats
from profpipe.model.report import GRID

# Two functions that both stayed: their sum is the same within this share of it, or of what moved (calls cost a little).
SAME_SUM = 0.003
SAME_SUM_TIMED = 0.02
# A change under this share of the baseline's total gets no verdict, so that nothing has to be said of it.
SIZE_FLOOR = 0.001
# A one-sided function and its neighbour must have this share of the smaller of them in common, else it is a deletion
# (or new work) beside a change of another kind.
TELLING = 0.25


@dataclass(frozen=True, slots=True)
class Shift:
    """`amount` per request left row `source` and arrived in row `place`. `gone`, `new`: what happened to a function."""

    source: int
    place: int
    amount: float
    gone: bool = False
    new: bool = False
    calls: bool = False  # whether `source` is called by `place`


def shifts(before: Side, after: Side, total: float, *, exact: bool) -> tuple[Shift, ...]:
    """What moved between functions that call each other; amounts lie on the waterfall's grid, so that sums are exact.

    A row never gives more than it lost nor gets more than it gained. `total` is the baseline's; the sides share rows.
    """
    change = after.own - before.own
    floor = SIZE_FLOOR * total
    rest = {int(r): float(change[r]) for r in np.flatnonzero(np.abs(change) > 0)}
    found: list[Shift] = []
    for shift in _one_sided(before, after, change, floor):
        own = before.own[shift.source] if shift.gone else after.own[shift.place]
        other = before.own[shift.place if shift.gone else shift.source]
        _take(shift, rest, found, max(floor, TELLING * float(min(own, other))))
    tolerance = SAME_SUM if exact else SAME_SUM_TIMED
    pairs = sorted(_both_stayed(before, after, rest, floor, tolerance), key=lambda item: item[0])
    for _, shift in pairs:
        if _fits(shift, rest, before, tolerance):
            _take(shift, rest, found, floor)
    return tuple(found)


def net(found: tuple[Shift, ...], rows: int) -> Floats:
    """What moved into (positive) or out of each row; adds up to 0."""
    out = np.zeros(rows)
    for shift in found:
        out[shift.source] -= shift.amount
        out[shift.place] += shift.amount
    return out


def _take(shift: Shift, rest: dict[int, float], found: list[Shift], least: float) -> None:
    """Keep a shift as far as what is left of both changes allows, if that is at least `least`."""
    amount = min(shift.amount, -rest.get(shift.source, 0.0), rest.get(shift.place, 0.0))
    # Downwards to the grid: nothing may move that was not there.
    amount = math.floor(amount * GRID) / GRID
    if amount > 0 and amount >= least:
        rest[shift.source] += amount
        rest[shift.place] -= amount
        found.append(replace(shift, amount=amount))


def _one_sided(before: Side, after: Side, change: Floats, floor: float) -> Iterator[Shift]:
    """Inlined and split functions, the dearest first, each with neighbours that changed the other way.

    A new function takes only from what calls nobody else's: its callers, when these all shrank (else it is new work
    that happens to be called from something that got cheaper), or from the one function that it calls.
    """
    gone = np.flatnonzero(before.present & ~after.present & (before.own > floor))
    new = np.flatnonzero(after.present & ~before.present & (after.own > floor))
    for row in sorted(gone.tolist(), key=lambda r: (-before.own[r], r)):
        for other, part in _others(before.callers.get(row, {}), change, 1.0):
            yield Shift(row, other, float(before.own[row]) * part, gone=True, calls=True)
        for other, _ in _others(_only(before.callees.get(row, {}), before.callers), change, 1.0):
            yield Shift(row, other, float(before.own[row]), gone=True)
    for row in sorted(new.tolist(), key=lambda r: (-after.own[r], r)):
        for other, part in _others(after.callers.get(row, {}), change, -1.0):
            yield Shift(other, row, float(after.own[row]) * part, new=True)
        for other, _ in _others(_only(after.callees.get(row, {}), after.callers), change, -1.0):
            yield Shift(other, row, float(after.own[row]), new=True, calls=True)


def _others(links: Mapping[int, float], change: Floats, sign: float) -> list[tuple[int, float]]:
    """(neighbour, its part of the calls), when every neighbour changed in the direction of `sign`; else nothing."""
    calls = sum(links.values())
    if not links or calls <= 0 or any(change[r] * sign <= 0 for r in links):
        return []
    return sorted(((r, c / calls) for r, c in links.items()), key=lambda item: (-item[1], item[0]))


def _only(callees: Mapping[int, float], callers: Mapping[int, Mapping[int, float]]) -> dict[int, float]:
    """The callees that nobody else calls."""
    return {row: calls for row, calls in callees.items() if len(callers.get(row, {})) == 1}


def _both_stayed(
    before: Side, after: Side, rest: Mapping[int, float], floor: float, tolerance: float
) -> Iterator[tuple[float, Shift]]:
    """Pairs of functions there on both sides of which one lost what the other gained; with how far the sum is off."""
    seen: set[tuple[int, int]] = set()
    stayed = before.present & after.present
    for side in (before, after):
        for caller, links in side.callees.items():
            for callee in links:
                if caller == callee or (caller, callee) in seen or not (stayed[caller] and stayed[callee]):
                    continue
                seen.add((caller, callee))
                a, b = rest.get(caller, 0.0), rest.get(callee, 0.0)
                if a * b >= 0 or min(abs(a), abs(b)) <= floor:
                    continue
                source, place = (caller, callee) if a < 0 else (callee, caller)
                shift = Shift(source, place, min(abs(a), abs(b)), calls=source == callee)
                if _fits(shift, rest, before, tolerance):
                    yield abs(a + b) / min(abs(a), abs(b)), shift


def _fits(shift: Shift, rest: Mapping[int, float], before: Side, tolerance: float) -> bool:
    lost, gained = -rest.get(shift.source, 0.0), rest.get(shift.place, 0.0)
    if lost <= 0 or gained <= 0:
        return False
    whole = float(before.own[shift.source] + before.own[shift.place])
    return abs(gained - lost) <= max(tolerance * whole, OF_MOVED * min(lost, gained))
