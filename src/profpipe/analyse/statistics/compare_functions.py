"""Is a function or category better or worse: one verdict for every row of a table, the whole table one family."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profpipe.analyse.statistics.alpha import RowLevel
from profpipe.analyse.statistics.compare_figures import LEAST_ROUNDS, rounds
from profpipe.analyse.statistics.medians import Floats
from profpipe.analyse.statistics.rule import PRIOR_ROUNDS, Rule
from profpipe.analyse.statistics.significance import MIN_ROUNDS, adjusted, rank_test, t_test
from profpipe.model.report import Verdict

Flags = NDArray[np.bool_]
# A function's difference under this share of the baseline's total is not worth a verdict.
SIZE_FLOOR = 0.001
# Something that happens once in a window or not at all, like a date that is formatted when the second changes, can be
# 0.2 % of a small server's total in every round of one side and in none of the other: with 2 rounds a side and 2 of the
# control in one study of 16, though every function's own rounds agree.
SIZE_FLOOR_FEW = 0.003
# Rows of similar size that a row's noise is estimated with.
NEIGHBOURS, QUARTILE = 31, 0.75
ALONE = RowLevel()


@dataclass(frozen=True, slots=True)
class RowVerdicts:
    """Verdict and reason per function; a reason only where the verdict is "cannot tell"."""

    verdict: tuple[Verdict, ...]
    why: tuple[str | None, ...]


def compare_rows(
    base: Floats,
    other: Floats,
    rule: Rule,
    size: float,
    control: Floats | None = None,
    strict: RowLevel = ALONE,
) -> RowVerdicts:
    """One verdict per function. `base`, `other`: functions x valid rounds; `size` = the baseline's total.

    `strict.level` = the chance that any row is reported while none differs. Counted: against the repeat noise of the
    row and of rows of its size, the A/A control's rounds with the baseline's. Timed and sampled: exact Mann-Whitney.
    Both: Benjamini-Hochberg over the rows that are large enough, and a size floor of 0.1 % of `size`; for counts of 2
    or 3 rounds 0.3 %, unless their total was reported.
    """
    many = base.shape[0]
    fewest = min(base.shape[1], other.shape[1])
    if not fewest:
        return RowVerdicts(("cannot tell",) * many, ("no valid round",) * many)
    delta = np.median(other, axis=1) - np.median(base, axis=1)
    ground = base if control is None or not control.shape[1] else np.concatenate([base, control], axis=1)
    few = rule.kind == "counted" and fewest < MIN_ROUNDS and not strict.inside
    big = np.abs(delta) > (SIZE_FLOOR_FEW if few else SIZE_FLOOR) * size
    if fewest < LEAST_ROUNDS[rule.kind]:
        reported = np.zeros(many, dtype=np.bool_)
        doubt, reason = ~reported, f"{rounds(fewest)} a side; at least {LEAST_ROUNDS[rule.kind]} are needed"
    else:
        enough = np.abs(delta) > (rule.floor if rule.kind == "counted" else 0.0) * np.abs(np.median(base, axis=1))
        reported = big & enough & (_adjusted_p(base, other, ground, rule, size) < strict.level)
        doubt = big & ~reported
        reason = f"not beyond noise in {base.shape[1]} and {other.shape[1]} rounds"
    return _worded(reported, doubt, delta > 0, rule, reason)


def _adjusted_p(base: Floats, other: Floats, ground: Floats, rule: Rule, size: float) -> Floats:
    """p of every row, adjusted over those that are large enough to be reported; 1 for the others."""
    # By the size of both sides together, so that which rows are tested does not depend on their difference.
    large = (base.mean(axis=1) + other.mean(axis=1)) / 2 >= SIZE_FLOOR / 2 * size
    a, b = base[large], other[large]
    out = np.ones(len(base))
    out[large] = adjusted(_repeat_test(a, b, ground[large], rule.prior) if rule.kind == "counted" else rank_test(a, b))
    return out


def _worded(reported: Flags, doubt: Flags, up: Flags, rule: Rule, reason: str) -> RowVerdicts:
    worse: Verdict = "worse" if rule.better == "lower" else "better"
    better: Verdict = "better" if rule.better == "lower" else "worse"
    verdicts: list[Verdict] = [
        (worse if rises else better) if hit else ("cannot tell" if unsure else "no change")
        for hit, unsure, rises in zip(reported, doubt, up, strict=True)
    ]
    return RowVerdicts(tuple(verdicts), tuple(reason if v == "cannot tell" else None for v in verdicts))


def _repeat_test(base: Floats, other: Floats, ground: Floats, least: float) -> Floats:
    """Two-sided p of a difference of means against repeat noise, per row.

    The variance within sides is drawn towards that of rows of similar size, which counts as four rounds (a moderated
    t-test, Smyth 2004): one row's two or three repeats agree by chance, those of thirty rows do not. `least` = relative
    sd that those rows are taken to have at least.
    """
    n, m = base.shape[1], other.shape[1]
    freedom = ground.shape[1] + m - 2
    squares = sum(np.square(side - side.mean(axis=1, keepdims=True)).sum(axis=1) for side in (ground, other))
    middle = np.maximum(ground.mean(axis=1), other.mean(axis=1))
    relative = np.divide(squares / freedom, np.square(middle), out=np.zeros(len(middle)), where=middle > 0)
    prior = np.maximum(_of_neighbours(relative, middle), least**2)
    variance = (PRIOR_ROUNDS * prior + freedom * relative) / (PRIOR_ROUNDS + freedom) * np.square(middle)
    error = np.sqrt(variance) * math.sqrt(1 / n + 1 / m)
    delta = other.mean(axis=1) - base.mean(axis=1)
    t = np.divide(delta, error, out=np.zeros(len(delta)), where=error > 0)
    return t_test(t, PRIOR_ROUNDS + freedom)


def _of_neighbours(values: Floats, size: Floats) -> Floats:
    """Upper quartile of `values` over the 31 rows nearest in `size`.

    Their mean would be that of the one row that runs once in a window or not at all.
    """
    if len(values) <= NEIGHBOURS:
        return np.full(len(values), np.quantile(values, QUARTILE) if len(values) else 0.0)
    order = np.argsort(size, kind="stable")
    around = np.quantile(np.lib.stride_tricks.sliding_window_view(values[order], NEIGHBOURS), QUARTILE, axis=1)
    start = np.clip(np.arange(len(values)) - NEIGHBOURS // 2, 0, len(values) - NEIGHBOURS)
    out = np.empty(len(values))
    out[order] = around[start]
    return out
