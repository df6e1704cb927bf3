"""The smallest change that given rounds would have shown: "a change under 3.1 % would not have been seen".

A change of that size is reported in some eight of ten studies with the same noise and as many rounds;
tests/analyse/test_power.py simulates it. Normal noise is the model; with outliers the estimate is on the safe side.
"""

from __future__ import annotations

import math

from profpipe.analyse.statistics.medians import Floats
from profpipe.analyse.statistics.significance import least_p, pooled_sd, t_limit

# 84 % would be one sd; a change must pass the test, the floor and the interval at once, and the noise that sets the
# floor is itself an estimate: 1.4 sd give 75 to 90 % in simulations (1.0: 66 to 82 %).
POWER_Z = 1.4
# Ranks see as much as a t-test does from 1 / 0.955 as many rounds (normal noise).
RANK_LOSS = 1 / math.sqrt(0.955)


def timed(base: Floats, other: Floats, level: float, floor: float, middle_sd: float) -> float:
    """Relative change that a timed figure of these rounds shows with a chance of about 80 %.

    It must pass the test at `level` and, as a difference of medians, `floor`. `middle_sd` = sd of a median of n values
    over sd / sqrt(n).
    """
    rounds = math.sqrt(1 / len(base) + 1 / len(other))
    sd = pooled_sd([base, other])
    tested = (t_limit(level, len(base) + len(other) - 2) + POWER_Z) * RANK_LOSS * sd * rounds
    if level < 4 * least_p(len(base), len(other)):
        # At its smallest p a rank test asks that the ranges do not meet at all, the extremes of both sides included.
        tested = max(tested, apart(len(base), len(other)) * sd)
    return max(tested, floor + POWER_Z * middle_sd * sd * rounds)


def apart(n: int, m: int) -> float:
    """Distance, in sd, at which the ranges of n and m normal values miss each other with a chance of 80 %.

    Mean and sd of the extreme of n values by Blom's approximation and its spread for 4 to 20 values (0.70 to 0.53).
    """
    return _extreme(n) + _extreme(m) + POWER_Z * math.hypot(_extreme_sd(n), _extreme_sd(m))


def _extreme(n: int) -> float:
    from scipy.special import ndtri

    return float(ndtri((n - 0.375) / (n + 0.25)))


def _extreme_sd(n: int) -> float:
    return float(1 / math.sqrt(1 + 0.75 * math.log(n)))
