"""Medians over rounds and their intervals. Deterministic, no random numbers.

The interval of a median is Efron's ideal bootstrap: the distribution over all n^n resamples, in closed form, because a
resampled median is an order statistic. Samples inside one round are correlated and are never resampled.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEVEL = 0.95
_EXACT_EVEN = 40
_POINTS = 200


@lru_cache(maxsize=64)
def _support(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """Every median a resample of n sorted values can have, as a pair of places to average, with its probability."""
    from scipy.special import bdtrc  # scipy.stats takes as long to import as a report to compute

    at_most = np.arange(n + 1) / n
    if n % 2 or n > _EXACT_EVEN:
        need = n // 2 + 1
        cdf = bdtrc(need - 1, n, at_most)
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
    first = np.diff(bdtrc(half - 1, n, at_most))
    apart = np.bincount(low, weights=weight, minlength=n) if low else np.zeros(n)
    return (
        np.array([*low, *range(n)], dtype=np.intp),
        np.array([*high, *range(n)], dtype=np.intp),
        np.array([*weight, *np.maximum(first - apart, 0.0)]),
    )


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
