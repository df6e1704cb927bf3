"""How long a slice is, chosen by measurement at the start of a study.

Caches are cold after the slices of other servers, so the first requests of a slice may cost more: they are left out.
Of the lengths that are tried then, the one that gives the most certain ratio in a given time is taken: short slices
of two variants fall into the same weather, long ones lose less time to the requests that are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from profpipe.analyse.statistics.starts import median_error
from profpipe.analyse.statistics.starts_rule import LEAST_FOR_A_VERDICT, MOST_OVER

# A place in a slice counts from where two neighbouring parts cost what the second half does within this. It bounds the
# bias of what is not left out.
TOLERANCE = 0.02
# Share of the time of a start that goes into slices, at least; starts that a budget must allow, at least.
LOAD_SHARE, LEAST_SHARE = 0.7, 0.4
LEAST_STARTS = 12
LEAST_PASSES = 12
# Fewer passes a start, where only then the budget allows as many starts as a verdict needs: one in reserve, or just as
# many in the time that they may take for it.
FEWEST_PASSES = 3
VERDICT_STARTS = ((LEAST_FOR_A_VERDICT + 1, 1.0), (LEAST_FOR_A_VERDICT, MOST_OVER))
# A pass over several routes takes as many times as long, and a verdict needs starts more than passes.
LEAST_PASSES_OF_ROUTES = 6

Costs = Mapping[str, Sequence[Sequence[float]]]


@dataclass(frozen=True, slots=True)
class Lead:
    """`requests` are left out of every slice. `first` = what the first `part` requests cost over those of the second
    half, by variant; `settled` = every variant comes within TOLERANCE before the second half."""

    requests: int
    part: int
    first: Mapping[str, float]
    settled: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """Slices of one length that were tried: cost of each by variant, in the order of the passes."""

    requests: int
    costs: Mapping[str, Sequence[float]]
    pass_s: float


@dataclass(frozen=True, slots=True)
class SliceLength:
    """The choice. `pass_s` = seconds that one pass over all variants takes, `launch_s` = those of a start besides.

    `routes` = requests of a slice by route, where the load has several: then a pass has a block for each.
    """

    lead: Lead
    requests: int
    pass_s: float
    launch_s: float
    routes: Mapping[str, int] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """For the report."""
        lead, worst = self.lead, max(self.lead.first, key=lambda name: self.lead.first[name])
        text = f"slices of {self.requests} requests"
        text += f", {lead.requests} before them left out" if lead.requests else ", none left out"
        if self.routes:
            least, most = min(self.routes.values()), max(self.routes.values())
            text += f"; of each route {least}" + (f" to {most}" if most > least else "") + " requests"
        more = lead.first[worst] - 1
        size = f"{100 * abs(more):.0f} % {'more' if more >= 0 else 'less'}"
        text += f" (the first {lead.part} of {worst} cost {size} than the later ones)"
        return text if lead.settled else f"{text}; costs did not settle within {100 * TOLERANCE:g} %"


def choose_lead(costs: Costs, part: int) -> Lead:
    """From slices of many parts of `part` requests: `costs` = variant -> slices x parts, a request's CPU time."""
    tables = {name: np.array(rows, dtype=np.float64) for name, rows in costs.items()}
    parts = next(iter(tables.values())).shape[1]
    settling = {name: _settled(table) for name, table in tables.items()}
    return Lead(
        requests=max(min(place, parts // 2) for place in settling.values()) * part,
        part=part,
        first={name: float(np.median(table[:, 0]) / _later(table)) for name, table in tables.items()},
        settled=all(place <= parts // 2 for place in settling.values()),
    )


def _later(table: NDArray[np.float64]) -> float:
    return float(np.median(table[:, table.shape[1] // 2 :]))


def _settled(table: NDArray[np.float64]) -> int:
    """The first part of the first two that together cost what the second half does; all parts where none do.

    On a busy machine medians of a few slices are less certain than TOLERANCE: then twice their standard error counts.
    """
    later = _later(table)
    middle = np.median(table, axis=0) / later
    error = np.median([median_error(column) for column in table.T]) / later / 2**0.5
    fits = np.flatnonzero((middle[:-1] + middle[1:]) / 2 <= 1 + max(TOLERANCE, 2 * float(error)))
    return int(fits[0]) if len(fits) else table.shape[1]


def choose_length(trials: Sequence[Trial], baseline: str) -> Trial:
    """The trial whose ratios to the baseline are the most certain for the time they took."""

    def error(trial: Trial) -> float:
        base = np.log(trial.costs[baseline])
        errors = [median_error(np.log(costs) - base) for name, costs in trial.costs.items() if name != baseline]
        return float(np.mean(np.square(errors))) * len(base) * trial.pass_s

    return min(trials, key=error)


def choose_routes(length: SliceLength, least: int, mix_s: float, routes_s: Mapping[str, float]) -> SliceLength:
    """The length with slices of each route, none of which takes longer than one of the mix, or has under `least`
    requests.

    `mix_s`, `routes_s` = seconds a request of the slowest variant takes, of the mix and of each route.
    """
    found = {
        name: min(max(round(length.requests * mix_s / seconds), least), max(length.requests, least))
        for name, seconds in routes_s.items()
    }
    lead = length.lead.requests
    times = sum((lead + many) * routes_s[name] for name, many in found.items()) / ((lead + length.requests) * mix_s)
    return replace(length, routes=found, pass_s=length.pass_s * (1 + times))


def passes(pass_s: float, launch_s: float, budget_s: float, least: int = LEAST_PASSES) -> int:
    """Passes a start, at least `least`: enough that LOAD_SHARE of its time is slices, few enough for LEAST_STARTS in
    the budget.

    Where a budget is short for that, LEAST_SHARE of the time still goes into slices: fewer starts that each say more.
    Fewer than a verdict needs would say nothing, so down to FEWEST_PASSES are made for them.
    """

    def for_share(share: float) -> float:
        return launch_s * share / (1 - share) / pass_s

    most = (budget_s / LEAST_STARTS - launch_s) / pass_s
    many = max(round(max(min(for_share(LOAD_SHARE), most), for_share(LEAST_SHARE))), least)
    for_verdict = (int((budget_s * part / starts - launch_s) / pass_s) for starts, part in VERDICT_STARTS)
    return min(many, next((few for few in for_verdict if few >= FEWEST_PASSES), many))
