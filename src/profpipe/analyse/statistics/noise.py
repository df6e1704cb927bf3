"""The baseline against itself: how far one figure differs between runs that cannot differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from profpipe.analyse.statistics.rule import Rule
from profpipe.analyse.statistics.series import valid
from profpipe.model.report import Series

# A median of n values spreads 1.2533 / sqrt(n) as wide as one of them (normal noise, large n; less for small n).
MEDIAN_SD = 1.2533
SD_FACTOR = 3.0


@dataclass(frozen=True, slots=True)
class Noise:
    """The baseline against itself: |ratio - 1| and the sd of the ratio of one pair of rounds. None = not measured.

    `pairs` is how many pairs of rounds the sd comes from, and how many rounds the medians that are compared rest on.
    `calibrated` = the sd of a pair by a calibration of this machine, in place of a missing or narrower control.
    """

    off: float | None = None
    sd: float | None = None
    control: tuple[float, ...] = ()
    pairs: int = 1
    calibrated: float | None = None

    @property
    def pair(self) -> float | None:
        """sd of one pair: the wider of what the control and the calibration say."""
        known = [sd for sd in (self.sd, self.calibrated) if sd is not None]
        return max(known) if known else None

    @property
    def spread(self) -> float | None:
        """sd of the A/A ratio of medians over all pairs: what a difference of medians is compared with."""
        return None if self.pair is None else self.pair * middle_sd(self.pairs) / math.sqrt(self.pairs)

    def floor(self, rule: Rule) -> float:
        """max(the rule's own floor, 3 x A/A spread, what the baseline differs from itself)."""
        spread = SD_FACTOR * self.spread if self.spread is not None and rule.kind == "timed" else 0.0
        return max(rule.floor, spread, self.off or 0.0)


def middle_sd(n: int) -> float:
    """How much wider a median of n values spreads than their mean."""
    return MEDIAN_SD if n > 1 else 1.0


def noise_of(base: Series, control: Series, calibrated: float | None = None) -> Noise:
    """The A/A noise of one figure. A difference from itself counts only when it is more than one round's luck."""
    values = valid(control)
    if not len(values) or base.median in (None, 0) or control.median is None:
        return Noise(pairs=max(len(valid(base)), 1), calibrated=calibrated) if calibrated is not None else Noise()
    assert base.median is not None
    off = abs(control.median / base.median - 1) if len(values) > 1 else None
    pairs = sum(b is not None and c is not None for b, c in zip(base.values, control.values, strict=False))
    return Noise(off, pair_sd(base.values, control.values), tuple(values.tolist()), max(pairs, 1), calibrated)


def pair_sd(base: Sequence[float | None], control: Sequence[float | None]) -> float | None:
    """Standard deviation of the ratio control / baseline over pairs of the same round; None under two pairs."""
    ratios = [c / b for b, c in zip(base, control, strict=False) if b and c is not None]
    return float(np.std(ratios, ddof=1)) if len(ratios) > 1 else None
