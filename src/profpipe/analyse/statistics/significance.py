"""Whether two series differ: exact rank tests, t-tests where ranks cannot decide, and the correction over many rows."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from profpipe.analyse.statistics.medians import Floats

# Under 4 rounds a side even ranges that do not overlap are chance too often (3 and 3 rounds: 10 %; 4 and 4: 2.9 %).
MIN_ROUNDS = 4
# No timed figure repeats better than this: without it, four values that happen to agree would prove anything.
LEAST_SD = 0.002


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
