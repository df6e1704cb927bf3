"""How a report's chance of a false verdict is spent: one level per figure, all of them together at most alpha.

Bonferroni over figures and contenders (a bound that holds however figures depend on each other), so that a level is
known before any round is measured. Rows of a table are a family of their own under one level, by Benjamini-Hochberg,
which keeps the chance of any false row under that level while nothing differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from profpipe.model.metric_keys import FIRST
from profpipe.model.report import ALPHA

# Parts of alpha. Ranks need the most; counts repeat so well that a small level costs them little power.
TIMED, COUNTED, COUNTED_ROWS, SAMPLED_ROWS = 0.8, 0.1, 0.05, 0.05
# Where CPU time is measured by slices, its verdicts take this part of alpha, and all else shares the rest.
STARTS = 0.5
# CPU time is what a report is read for, by itself or divided by the load generator's: its level is twice that of
# memory or context switches.
FIRST_WEIGHT = 2.0
# Rows inside a total that is better or worse: something did change, so the share of false ones among them counts.
WITHIN = 0.05


@dataclass(frozen=True, slots=True)
class RowLevel:
    """How strictly the rows of one table are judged; `inside` = its total is better or worse."""

    level: float = ALPHA
    inside: bool = False


@dataclass(frozen=True, slots=True)
class Levels:
    """Chance of a false verdict that one comparison may take, by what is compared.

    `timed` by key of the figure, for one contender; `counted` for one figure of one contender; rows: for all rows of
    one table, categories and functions each, of one contender.
    """

    timed: Mapping[str, float]
    counted: float = ALPHA
    counted_rows: float = ALPHA
    sampled_rows: float = ALPHA

    def of(self, key: str) -> float:
        """The level of a figure by its key; that of counted figures where it is no timed one."""
        return self.timed.get(key, self.counted)

    def rows(self, *, counted: bool, inside: bool) -> RowLevel:
        """For the rows of a table; `inside` = its total is better or worse."""
        if inside:
            return RowLevel(WITHIN, inside)
        return RowLevel(self.counted_rows if counted else self.sampled_rows)


def levels(
    alpha: float, timed: Sequence[str], contenders: int, *, counted: int = 0, counted_tables: int = 0, tables: int = 0
) -> Levels:
    """Spend `alpha` over a report: `timed` = keys with enough rounds for a verdict.

    `counted` = counted figures, `counted_tables` and `tables` (sampled) = tables with rows. Parts that nothing uses
    are left unspent.
    """
    many = max(contenders, 1)
    weights = {key: FIRST_WEIGHT if key in FIRST else 1.0 for key in timed}
    whole = sum(weights.values()) * many
    return Levels(
        timed={key: alpha * TIMED * weight / whole for key, weight in weights.items()},
        counted=alpha * COUNTED / max(counted * many, 1),
        counted_rows=alpha * COUNTED_ROWS / max(2 * counted_tables * many, 1),
        sampled_rows=alpha * SAMPLED_ROWS / max(2 * tables * many, 1),
    )
