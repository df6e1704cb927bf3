"""Where the level of a series changed: PELT proposes, the noise of the series decides.

PELT (Killick, Fearnhead, Eckley 2012; ruptures' kernel version with the linear kernel is its least-squares cost)
always finds the best cut, also in noise. A cut stays only when the medians at its sides differ by more than
THRESHOLD standard errors, by more than the series' own noise and by more than the floor under which no difference
is reported anywhere else in profpipe. What the threshold is worth is simulated in tests/analyse/test_change_points.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profpipe.analyse.statistics.rule import FLOOR_COUNTED, FLOOR_TIMED
from profpipe.errors import ToolMissing
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
# A series of 1,000 points takes milliseconds; nobody reads a longer one.
MOST = 2000


def floor_of(exact: bool) -> float:
    """The smallest relative change that is reported."""
    return FLOOR_COUNTED if exact else FLOOR_TIMED


def change_points(values: Sequence[float], *, floor: float) -> tuple[ChangePoint, ...]:
    """Changes of level in a series of finite values of one machine, in order; `index` counts within `values`.

    None are found in fewer than 2 x MIN_POINTS values. Only the last MOST are looked at. Raises ToolMissing when
    ruptures is not installed.
    """
    rupture = _ruptures()
    skipped = max(0, len(values) - MOST)
    series = np.asarray(values[skipped:], dtype=np.float64)
    if len(series) < 2 * MIN_POINTS or np.ptp(series) == 0:
        return ()
    scale = max(_jitter(series), floor * abs(float(np.median(series))) / THRESHOLD, np.finfo(float).tiny)
    search = rupture.KernelCPD(kernel="linear", min_size=MIN_POINTS).fit((series / scale).reshape(-1, 1))
    cuts = [int(cut) for cut in search.predict(pen=_PENALTY * np.log(len(series)))][:-1]
    cuts = _placed(series, _kept(series, cuts, floor))
    levels = _levels(series, cuts)
    return tuple(
        ChangePoint(skipped + cut, float(np.median(before)), float(np.median(after)))
        for cut, before, after in zip(cuts, levels, levels[1:], strict=False)
    )


def _ruptures() -> Any:
    try:
        import ruptures  # type: ignore[import-untyped, import-not-found, unused-ignore]
    except ImportError as error:
        raise ToolMissing(
            "change points need ruptures (Python 3.11 to 3.13): pip install 'profpipe[history]'"
        ) from error
    return ruptures


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
    """Cuts that begin with a point of their new level. PELT borrows old points to fill a level of MIN_POINTS.

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
