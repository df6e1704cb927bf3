"""Whether two series differ: exact rank tests, t-tests where ranks cannot decide, and the correction over many rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from profpipe.analyse.statistics.medians import Floats

# Under 4 rounds a side even ranges that do not overlap are chance too often (3 and 3 rounds: 10 %; 4 and 4: 2.9 %).
MIN_ROUNDS = 4
MOST_EXACT = 50  # rounds a side; the normal distribution is near enough above
# No timed figure repeats better than this: without it, four values that happen to agree would prove anything.
LEAST_SD = 0.002


def rank_test(base: Floats, other: Floats) -> Floats:
    """Two-sided exact Mann-Whitney p per row (axis 1 = rounds). NaN under four rounds a side.

    Ties count as midranks against the table without ties, which makes p too large, never too small.
    """
    if base.shape[-1] < MIN_ROUNDS or other.shape[-1] < MIN_ROUNDS:
        return np.full(base.shape[0], np.nan)
    n, m = base.shape[-1], other.shape[-1]
    if max(n, m) > MOST_EXACT:
        from scipy.stats import mannwhitneyu

        return np.atleast_1d(mannwhitneyu(other, base, axis=1, method="asymptotic").pvalue)
    pairs = other[:, :, None], base[:, None, :]
    wins = (pairs[0] > pairs[1]).sum(axis=(1, 2)) + (pairs[0] == pairs[1]).sum(axis=(1, 2)) / 2
    p = np.minimum(2 * _at_least(n, m)[np.maximum(wins, n * m - wins).astype(np.intp)], 1.0)
    return np.where(np.isnan(base).any(axis=1) | np.isnan(other).any(axis=1), np.nan, p)


@lru_cache(maxsize=64)
def _at_least(n: int, m: int) -> Floats:
    """The chance that one side exceeds the other in k pairs or more, k = 0 .. n x m, where nothing differs.

    The number of orders with k such pairs is the coefficient of q^k in the Gaussian binomial: the product of
    (1 - q^(m+i)) / (1 - q^i) for i = 1 .. n. In whole numbers, which are exact. scipy.stats has the same test, but
    takes as long to import as a report takes to compute.
    """
    ways = [1] + [0] * (n * m)
    for i in range(1, n + 1):
        for k in range(n * m, m + i - 1, -1):
            ways[k] -= ways[k - m - i]
        for k in range(i, n * m + 1):
            ways[k] += ways[k - i]
    orders, reached, found = math.comb(n + m, n), 0, []
    for count in reversed(ways):
        reached += count
        found.append(reached / orders)
    return np.array(found[::-1])


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
    known = p[tested]
    largest_first = np.argsort(known)[::-1]
    scaled = known[largest_first] * (len(known) / np.arange(len(known), 0, -1))
    known[largest_first] = np.minimum(np.minimum.accumulate(scaled), 1.0)
    out[tested] = known
    return out
