"""Statistics over rounds: medians, their intervals, and whether two series differ. Deterministic, no random numbers.

The interval of a median is Efron's ideal bootstrap: the distribution over all n^n resamples, in closed form, because a
resampled median is an order statistic. Samples inside one round are correlated and are never resampled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from profpipe.model.report import Series

Floats = NDArray[np.float64]
LEVEL = 0.95
# Under 4 rounds a side even ranges that do not meet are luck too often (3 and 3 rounds: 10 %; 4 and 4: 2.9 %).
MIN_ROUNDS = 4
# Share of reports, or of comparisons that stand alone, in which a false verdict is accepted.
ALPHA = 0.01
# No timed figure repeats better than this: without it, four values that happen to agree would prove anything.
LEAST_SD = 0.002
_EXACT_EVEN = 40
_POINTS = 200


def rounded(value: float, digits: int = 9) -> float:
    """Significant digits enough for any figure here, so that a report does not carry 17 of them."""
    return float(f"{value:.{digits}g}")


def series(values: Sequence[float | None], why: str | None = None) -> Series:
    """The figure of a variant over its rounds; None = that round is invalid. No valid round: `why` says the reason."""
    known = np.array([v for v in values if v is not None], dtype=np.float64)
    shown = tuple(None if v is None else rounded(v) for v in values)
    if not len(known):
        return Series(values=shown, why=why or "no valid round")
    low, high = median_interval(known)
    middle = float(np.median(known))
    cv = float(np.std(known, ddof=1) / abs(known.mean())) if len(known) > 1 and known.mean() else None
    return Series(
        values=shown,
        median=rounded(middle),
        low=None if low is None else rounded(low),
        high=None if high is None else rounded(high),
        cv=None if cv is None else rounded(cv, 4),
        why=why,
    )


def valid(figure: Series) -> Floats:
    """The values of the valid rounds."""
    return np.array([v for v in figure.values if v is not None], dtype=np.float64)


@lru_cache(maxsize=64)
def _support(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """Every median a resample of n sorted values can have, as a pair of places to average, with its probability."""
    at_most = np.arange(n + 1) / n
    if n % 2 or n > _EXACT_EVEN:
        need = n // 2 + 1
        cdf = np.array([_binomial_tail(n, p, need) for p in at_most])
        places = np.arange(n)
        return places, places, np.diff(cdf)
    half = n // 2
    low, high, weight = [], [], []
    ways = math.comb(n, half)
    lower = np.diff(at_most**half)
    upper = np.diff(-((1 - at_most) ** half))
    for i in range(n):
        for j in range(i + 1, n):
            low.append(i)
            high.append(j)
            weight.append(ways * lower[i] * upper[j])
    first = np.diff([_binomial_tail(n, p, half) for p in at_most])
    apart = np.bincount(low, weights=weight, minlength=n) if low else np.zeros(n)
    return (
        np.array([*low, *range(n)], dtype=np.intp),
        np.array([*high, *range(n)], dtype=np.intp),
        np.array([*weight, *np.maximum(first - apart, 0.0)]),
    )


def _binomial_tail(n: int, p: float, need: int) -> float:
    return sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(need, n + 1))


def _medians(values: Floats) -> tuple[Floats, Floats]:
    low, high, weight = _support(len(values))
    ordered = np.sort(values)
    return (ordered[low] + ordered[high]) / 2, weight


def _quantiles(points: Floats, weights: Floats, wanted: Floats) -> Floats:
    order = np.argsort(points, kind="stable")
    reached = np.cumsum(weights[order]) / weights.sum()
    # 1e-9: the cumulated weights miss 0.025 by rounding when it is reached exactly.
    picked = np.minimum(np.searchsorted(reached, wanted - 1e-9), len(points) - 1)
    return points[order][picked]


def _tails(level: float) -> Floats:
    return np.array([(1 - level) / 2, (1 + level) / 2])


def median_interval(values: Floats, level: float = LEVEL) -> tuple[float | None, float | None]:
    """Bootstrap interval of the median over rounds; (None, None) for one round, which shows no spread."""
    if len(values) < 2:
        return None, None
    low, high = _quantiles(*_medians(values), _tails(level))
    return float(low), float(high)


def median_intervals(rows: Floats, level: float = LEVEL) -> tuple[Floats, Floats]:
    """The same for a matrix, one row per function and one column per round (at least two)."""
    low, high, weight = _support(rows.shape[1])
    ordered = np.sort(rows, axis=1)
    points = (ordered[:, low] + ordered[:, high]) / 2
    order = np.argsort(points, axis=1, kind="stable")
    reached = np.cumsum(weight[order], axis=1) / weight.sum()
    bounds = []
    for wanted in _tails(level):
        picked = np.minimum((reached < wanted - 1e-9).sum(axis=1), points.shape[1] - 1)
        bounds.append(np.take_along_axis(points, np.take_along_axis(order, picked[:, None], 1), 1)[:, 0])
    return bounds[0], bounds[1]


def ratio_interval(base: Floats, other: Floats, level: float = LEVEL) -> tuple[float | None, float | None]:
    """Bootstrap interval of median(other) / median(base), the two resampled independently.

    (None, None) under two rounds a side or where a baseline median can be 0.
    """
    if len(base) < 2 or len(other) < 2 or base.min() <= 0:
        return None, None
    below, below_weight = _thinned(*_medians(base))
    above, above_weight = _thinned(*_medians(other))
    points = np.divide.outer(above, below).ravel()
    low, high = _quantiles(points, np.multiply.outer(above_weight, below_weight).ravel(), _tails(level))
    return float(low), float(high)


def _thinned(points: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """At most 200 points: with many rounds the product of two supports would grow beyond use."""
    if len(points) <= _POINTS:
        return points, weights
    middles = (np.arange(_POINTS) + 0.5) / _POINTS
    return _quantiles(points, weights, middles), np.full(_POINTS, 1 / _POINTS)


def rank_test(base: Floats, other: Floats) -> Floats:
    """Two-sided exact Mann-Whitney p per row (axis 1 = rounds). NaN under four rounds a side.

    Ties count as midranks against the table without ties, which makes p too large, never too small.
    """
    if base.shape[-1] < MIN_ROUNDS or other.shape[-1] < MIN_ROUNDS:
        return np.full(base.shape[0], np.nan)
    from scipy.stats import mannwhitneyu

    if max(base.shape[-1], other.shape[-1]) <= 50:
        return np.atleast_1d(mannwhitneyu(other, base, axis=1, method="exact").pvalue)
    return np.atleast_1d(mannwhitneyu(other, base, axis=1, method="asymptotic").pvalue)


def least_p(n: int, m: int) -> float:
    """The smallest p that ranks of n and m rounds can reach, when their ranges do not meet (7 and 7: 0.00058)."""
    return 2 / math.comb(n + m, n)


def difference_test(base: Floats, other: Floats, level: float) -> tuple[float, bool]:
    """(p, by ranks): exact Mann-Whitney; where so few rounds cannot reach `level` by ranks, a t-test of logarithms.

    The t-test is asked only where the ranges do not meet (else p is that of the ranks), so that it can call large
    differences of few rounds and nothing else.
    """
    p = float(rank_test(base[None, :], other[None, :])[0])
    apart = base.max() < other.min() or other.max() < base.min()
    if least_p(len(base), len(other)) < level or not apart or min(base.min(), other.min()) <= 0:
        return p, True
    error = pooled_sd([base, other]) * math.sqrt(1 / len(base) + 1 / len(other))
    size = abs(float(np.log(other).mean() - np.log(base).mean()))
    return float(t_test(np.array([size / error]), len(base) + len(other) - 2)[0]), False


def pooled_sd(sides: Sequence[Floats]) -> float:
    """Relative standard deviation within sides (of logarithms where all are positive), at least 0.2 %.

    Of a timed figure; sides of one round add nothing. 0.2 % when no side has two.
    """
    squares, freedom = 0.0, 0
    for side in sides:
        if len(side) < 2:
            continue
        scaled = np.log(side) if side.min() > 0 else side / (abs(float(np.median(side))) or 1.0)
        squares += float(np.square(scaled - scaled.mean()).sum())
        freedom += len(side) - 1
    return max(math.sqrt(squares / freedom), LEAST_SD) if freedom else LEAST_SD


def t_test(t: Floats, freedom: float) -> Floats:
    """Two-sided p of Student's t."""
    from scipy.special import stdtr

    return np.asarray(2 * stdtr(freedom, -np.abs(t)), dtype=np.float64)


def t_limit(level: float, freedom: float) -> float:
    """The t that is exceeded, either way, with a chance of `level`."""
    from scipy.special import stdtrit

    return float(-stdtrit(freedom, level / 2))


def adjusted(p: Floats) -> Floats:
    """Benjamini-Hochberg over the rows that were tested (200 null functions give 8 raw hits, none after it)."""
    tested = np.isfinite(p)
    out = np.full(len(p), np.nan)
    if tested.any():
        from scipy.stats import false_discovery_control

        out[tested] = false_discovery_control(p[tested])
    return out


def pair_sd(base: Sequence[float | None], control: Sequence[float | None]) -> float | None:
    """Standard deviation of the ratio control / baseline over pairs of the same round; None under two pairs."""
    ratios = [c / b for b, c in zip(base, control, strict=False) if b and c is not None]
    return float(np.std(ratios, ddof=1)) if len(ratios) > 1 else None
