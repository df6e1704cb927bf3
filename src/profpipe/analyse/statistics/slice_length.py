"""How long a slice is, chosen from what requests cost by their place in it.

Caches are cold after the slices of other servers, so the first requests of a slice may cost more: they are left out.
Of the lengths that remain, the one that gives the most certain ratio in a given time is taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Positions are alike when their cost is within this of the second half's. It bounds the bias of what is not left out.
TOLERANCE = 0.02
# Shares of the time of a start that goes into slices, at least; and starts that a budget must allow, at least.
LOAD_SHARE = 0.65
LEAST_STARTS = 8
LEAST_PASSES = 12
# A part is two requests a connection. Slices begin and end with idle connections: over ten rounds of requests that is
# a tenth of them.
LEAST_PARTS = 5
MAD_TO_SD = 1.4826
# Reading clocks, looking at connections and sorting latencies take this long a slice.
SLICE_OVERHEAD_S = 100e-6


@dataclass(frozen=True, slots=True)
class Positions:
    """What a start measured by position: `costs` = variant -> slices x parts, CPU nanoseconds a request.

    A part is `part` requests. `pass_s` = seconds of one pass over all variants with all parts, `launch_s` = seconds a
    start takes besides its passes.
    """

    part: int
    costs: Mapping[str, tuple[tuple[float, ...], ...]]
    pass_s: float
    launch_s: float


@dataclass(frozen=True, slots=True)
class SliceLength:
    """The choice. `first_costs` = what the first part costs over the second half's, by variant; `settled` = whether
    every variant comes within TOLERANCE before the second half; `pass_s` = seconds a pass of this length takes."""

    lead: int
    requests: int
    first_costs: Mapping[str, float]
    settled: bool
    pass_s: float
    words: str


def choose_length(positions: Positions, baseline: str) -> SliceLength:
    """The lead that is left out and the number of requests that count."""
    tables = {name: np.array(costs, dtype=np.float64) for name, costs in positions.costs.items()}
    parts = next(iter(tables.values())).shape[1]
    settling = {name: _settled(table) for name, table in tables.items()}
    lead = max(min(first, parts // 2) for first in settling.values())
    counted = _best_length(tables, baseline, lead, positions.pass_s)
    share = (lead + counted) / parts
    first = {name: float(np.median(t[:, 0]) / _later(t)) for name, t in tables.items()}
    settled = all(each <= parts // 2 for each in settling.values())
    return SliceLength(
        lead=lead * positions.part,
        requests=counted * positions.part,
        first_costs=first,
        settled=settled,
        pass_s=positions.pass_s * share + SLICE_OVERHEAD_S * len(tables) * (1 - share),
        words=_words(lead * positions.part, counted * positions.part, positions.part, first, settled),
    )


def _later(table: NDArray[np.float64]) -> float:
    half = table.shape[1] // 2
    return float(np.median(table[:, half:]))


def _settled(table: NDArray[np.float64]) -> int:
    """The first part from which on two neighbouring parts cost what the second half does."""
    middle = np.median(table, axis=0) / _later(table)
    pairs = (middle[:-1] + middle[1:]) / 2
    fits = np.flatnonzero(pairs <= 1 + TOLERANCE)
    return int(fits[0]) if len(fits) else table.shape[1]


def _best_length(tables: Mapping[str, NDArray[np.float64]], baseline: str, lead: int, pass_s: float) -> int:
    """Parts that give the least variance of a paired ratio for the time that they and the lead take."""
    parts = next(iter(tables.values())).shape[1]
    part_s = pass_s / (parts * len(tables))
    costs = {}
    for many in range(min(LEAST_PARTS, parts - lead), parts - lead + 1):
        means = {name: np.log(table[:, lead : lead + many].mean(axis=1)) for name, table in tables.items()}
        spread = [_sd(means[name] - means[baseline]) for name in tables if name != baseline]
        costs[many] = float(np.mean(np.square(spread))) * ((lead + many) * part_s + SLICE_OVERHEAD_S)
    return min(costs, key=lambda many: costs[many])


def _sd(values: NDArray[np.float64]) -> float:
    return float(MAD_TO_SD * np.median(np.abs(values - np.median(values))))


def _words(lead: int, requests: int, part: int, first: Mapping[str, float], settled: bool) -> str:
    worst = max(first, key=lambda name: first[name])
    text = f"slices of {requests} requests"
    text += f", {lead} before them left out" if lead else ", none left out"
    text += f" (the first {part} of {worst} cost {100 * (first[worst] - 1):+.1f} % of the later ones)"
    return text if settled else f"{text}; costs did not settle within {100 * TOLERANCE:g} %"


def passes(length: SliceLength, launch_s: float, budget_s: float) -> int:
    """Passes a start: enough that LOAD_SHARE of its time is slices, few enough for LEAST_STARTS in the budget."""
    wanted = launch_s * LOAD_SHARE / (1 - LOAD_SHARE) / length.pass_s
    most = (budget_s / LEAST_STARTS - launch_s) / length.pass_s
    return max(round(min(wanted, most)), LEAST_PASSES)
