"""Where the level of a series changed: optimal partitioning proposes, the noise of the series decides.

Optimal partitioning (Jackson et al. 2005, "An algorithm for optimal partitioning of data on an interval") with the
least-squares cost always finds the best cuts, also in noise. A cut stays only when the medians at its sides differ by
more than THRESHOLD standard errors, by more than the series' own noise and by more than the floor under which no
difference is reported anywhere else in profpipe. What the threshold is worth is simulated in
tests/analyse/test_change_points.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from profpipe.analyse.statistics.rule import FLOOR_COUNTED, FLOOR_TIMED
from profpipe.model.history import ChangePoint

Floats = NDArray[np.float64]
# A level needs this many points: with three, one busy hour on a shared machine is a level.
MIN_POINTS = 4
# Standard errors between two levels. Above the usual 3 because the cut was chosen among all.
THRESHOLD = 4.0
# Fewer points say less about their own noise: the threshold is this much higher, divided by their number.
SMALL = 8.0
_PENALTY = 2.0
_MAD = 1.4826
_MEDIAN_SE = 1.2533
# A series of 1,000 points takes 20 ms, one of 2,000 takes 60 ms; nobody reads a longer one.
MOST = 2000


def floor_of(exact: bool) -> float:
    """The smallest relative change that is reported."""
    return FLOOR_COUNTED if exact else FLOOR_TIMED


def change_points(values: Sequence[float], *, floor: float) -> tuple[ChangePoint, ...]:
    """Changes of level in a series of finite values of one machine, in order; `index` counts within `values`.

    None are found in fewer than 2 x MIN_POINTS values. Only the last MOST are looked at.
    """
    skipped = max(0, len(values) - MOST)
    series = np.asarray(values[skipped:], dtype=np.float64)
    if len(series) < 2 * MIN_POINTS or np.ptp(series) == 0:
        return ()
    scale = max(_jitter(series), floor * abs(float(np.median(series))) / THRESHOLD, np.finfo(float).tiny)
    cuts = proposed(series / scale, _PENALTY * float(np.log(len(series))))
    cuts = _placed(series, _kept(series, cuts, floor))
    levels = _levels(series, cuts)
    return tuple(
        ChangePoint(skipped + cut, float(np.median(before)), float(np.median(after)))
        for cut, before, after in zip(cuts, levels, levels[1:], strict=False)
    )


def proposed(series: Floats, penalty: float) -> list[int]:
    """The cuts with the least sum of squares around the means of their levels, plus `penalty` for each cut.

    Every level has MIN_POINTS or more; the series has MIN_POINTS at least. The best cuts of the first points are
    those of fewer points and one more level, so that each end is found from all ends before it.
    """
    # Around the mean, because squares of large numbers that hardly differ would be lost in rounding.
    centred = series - series.mean()
    sums, squares = (np.concatenate([[0.0], np.cumsum(each)]) for each in (centred, centred**2))
    places = np.arange(len(series) + 1)
    least = np.full(len(places), np.inf)
    least[0] = -penalty
    begins = np.zeros(len(places), dtype=np.int64)
    for end in range(MIN_POINTS, len(places)):
        last = slice(0, end - MIN_POINTS + 1)
        around = squares[end] - squares[last] - (sums[end] - sums[last]) ** 2 / (end - places[last])
        costs = least[last] + around + penalty
        begins[end] = best = int(np.argmin(costs))
        least[end] = costs[best]
    cuts: list[int] = []
    end = int(begins[-1])
    while end:
        cuts.insert(0, end)
        end = int(begins[end])
    return cuts


def _kept(series: Floats, cuts: list[int], floor: float) -> list[int]:
    """Drop the weakest cut and judge the others again, until every cut holds."""
    while cuts:
        strength = _strengths(series, cuts, floor)
        weakest = int(np.argmin(strength))
        if strength[weakest] >= 1:
            break
        cuts = cuts[:weakest] + cuts[weakest + 1 :]
    return cuts


def _placed(series: Floats, cuts: list[int]) -> list[int]:
    """Cuts that begin with a point of their new level. The search borrows old points to fill a level of MIN_POINTS.

    A cut whose new level has too few points of its own goes: they may be a busy hour.
    """
    ends, found = [0, *cuts, len(series)], []
    for number, cut in enumerate(cuts):
        first, last = ends[number], ends[number + 2]
        before, after = np.median(series[first:cut]), np.median(series[cut:last])
        while cut < last and abs(series[cut] - before) < abs(series[cut] - after):
            cut += 1
        while cut > first and abs(series[cut - 1] - after) < abs(series[cut - 1] - before):
            cut -= 1
        if min(cut - first, last - cut) >= MIN_POINTS:
            found.append(cut)
    return found


def _strengths(series: Floats, cuts: list[int], floor: float) -> Floats:
    """Per cut the difference of its sides over what it must exceed: 1 and more holds."""
    levels = _levels(series, cuts)
    around = max(_jitter(series), _spread(levels))
    needed = THRESHOLD + SMALL / len(series)
    found = []
    for cut, before, after in zip(cuts, levels, levels[1:], strict=False):
        noise = max(around, _steps(series, cut))
        # Both: a few outliers move a mean, and the median of noise of two modes jumps between them.
        middles, means = float(np.median(after) - np.median(before)), float(after.mean() - before.mean())
        size = min(abs(middles), abs(means)) if middles * means > 0 else 0.0
        error = noise * _MEDIAN_SE * (1 / len(before) + 1 / len(after)) ** 0.5
        limit = max(needed * error, noise, floor * abs(float(np.median(before))))
        found.append(size / limit if limit else np.inf)
    return np.array(found)


def _levels(series: Floats, cuts: Sequence[int]) -> list[Floats]:
    return np.split(series, list(cuts))


def _jitter(series: Floats) -> float:
    """Noise from one point to the next, which a change of level hardly touches: robust sd of the first differences."""
    steps = np.diff(series)
    return float(_MAD * np.median(np.abs(steps - np.median(steps))) / 2**0.5)


def _steps(series: Floats, cut: int) -> float:
    """The same, not robust and without the step that is judged: noise of two modes would be nearly 0 to a median."""
    steps = np.delete(np.diff(series), cut - 1)
    return float(np.std(steps)) / 2**0.5


def _spread(levels: Sequence[Floats]) -> float:
    """Pooled sd around the levels, widened where neighbours resemble each other: such points count for fewer."""
    residuals = np.concatenate([level - level.mean() for level in levels])
    free = max(1, len(residuals) - len(levels))
    sd = float(np.sqrt((residuals**2).sum() / free))
    total = float((residuals**2).sum())
    alike = float((residuals[1:] * residuals[:-1]).sum()) / total if total else 0.0
    alike = min(max(alike, 0.0), 0.9)
    return sd * float(np.sqrt((1 + alike) / (1 - alike)))
