"""Is the contender better or worse, and how sure is that: one Comparison per figure. Rows of a table: rows.py."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from profpipe.analyse.statistics import power as detectable
from profpipe.analyse.statistics.medians import (
    ALPHA,
    MIN_ROUNDS,
    Floats,
    difference_test,
    least_p,
    pair_sd,
    ratio_interval,
    rounded,
    t_limit,
    valid,
)
from profpipe.model.report import Comparison, Series, Verdict
from profpipe.units import percent

# Floors under which no difference is called. CPU time of the same server differs by 0.4-0.9 % between processes and by
# up to 1.8 % in one pair; a fixed count of requests repeats within 0.15 % in instructions.
FLOOR_COUNTED = 0.003
FLOOR_TRACED = 0.02
# A change of just the floor would be measured under it in every second study. From three rounds on, whose repeats can
# be judged, a counted difference is therefore called from 5/6 of the floor on: 0.25 %, what is written as 0.3 %.
NEAR_FLOOR, NEAR_ROUNDS = 5 / 6, 3
FLOOR_TIMED = 0.02
SD_FACTOR = 3.0
# A median of n values spreads 1.2533 / sqrt(n) as wide as one of them (normal noise, large n; less for small n).
MEDIAN_SD = 1.2533
# A counted series that repeats worse than this cannot show that nothing changed.
NOISY_COUNT = 0.01
# What repeats of a count are known to differ by before any is seen, and how many rounds that knowledge is worth: two
# rounds that agree by luck are no proof of a count without noise. 2,000 requests to three servers: sd 0.03 to 0.13 % of
# instructions, but up to 2.4 % of system calls, which depend on how many requests are there when the server looks.
PRIOR_SD = 0.0003
PRIOR_SD_SYSCALLS = 0.02
PRIOR_SD_TRACED = 0.002
PRIOR_ROUNDS = 4
# Nor can a timed one whose noise raises the floor over twice the rule's own: then it cannot tell.
MAX_RAISED = 2.0
# With more than a third of the rounds lost the survivors are a selection, not a sample.
MAX_MISSING = 1 / 3

Kind = Literal["counted", "timed"]


@dataclass(frozen=True, slots=True)
class Rule:
    """How a figure is judged: against repeat noise (counted) or by a rank test (timed); `floor` is relative.

    `prior` = relative sd that repeats of a count have by experience.
    """

    kind: Kind
    floor: float
    better: Literal["lower", "higher"] = "lower"
    prior: float = PRIOR_SD


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
        """sd of the A/A ratio of medians over all pairs: what a difference of medians stands against."""
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


def compare(base: Series, other: Series, rule: Rule, noise: Noise | None = None, level: float = ALPHA) -> Comparison:
    """Contender against baseline for one figure; `level` = the chance of a false verdict that this one may take.

    Unknown medians, too few rounds and too many lost ones give "cannot tell" with the reason; a difference is called
    only beyond the floor, and "no change" only where the interval leaves no room for one.
    """
    noise = noise or Noise()
    if base.median is None or other.median is None:
        return Comparison(verdict="cannot tell", why=_unknown(base, other))
    a, b = valid(base), valid(other)
    facts = _facts(base.median, other.median, a, b)
    lost = _lost(base, "the baseline") or _lost(other, "the contender")
    if lost:
        return Comparison(verdict="cannot tell", why=lost, **facts)
    if base.median == 0 and other.median == 0:
        return Comparison(verdict="no change", why="both are 0", **facts)
    judge = _counted if rule.kind == "counted" else _timed
    return judge(_Pair(base.median, other.median, a, b, facts), rule, noise, level)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two medians, their valid rounds, and what is said of them whatever the verdict."""

    base: float
    other: float
    a: Floats
    b: Floats
    facts: dict[str, float | None]

    @property
    def size(self) -> float:
        return abs(self.other / self.base - 1) if self.base else float("inf")

    @property
    def mean_size(self) -> float:
        return abs(float(self.b.mean() - self.a.mean())) / abs(self.base) if self.base else float("inf")

    def direction(self, rule: Rule) -> Verdict:
        return "worse" if (self.other > self.base) == (rule.better == "lower") else "better"


def _unknown(base: Series, other: Series) -> str:
    who, figure = ("baseline", base) if base.median is None else ("contender", other)
    return f"the {who}'s figure is unknown: {figure.why or 'no valid round'}"


def _lost(figure: Series, who: str) -> str:
    missing = sum(v is None for v in figure.values)
    if missing > MAX_MISSING * len(figure.values):
        return f"{missing} of {len(figure.values)} rounds of {who} are invalid"
    return ""


def _facts(base: float, other: float, a: Floats, b: Floats) -> dict[str, float | None]:
    low, high = ratio_interval(a, b)
    return {
        "ratio": rounded(other / base, 6) if base else None,
        "low": None if low is None else rounded(low, 6),
        "high": None if high is None else rounded(high, 6),
        "delta": rounded(other - base),
    }


def _range(values: Floats) -> float:
    middle = abs(float(np.median(values)))
    return float(values.max() - values.min()) / middle if middle else 0.0


def unseen(floor: float, n: int, m: int) -> str:
    """The detectable floor in words."""
    many = rounds(n) if n == m else f"{n} and {rounds(m)}"
    return f"with {'this' if (n, m) == (1, 1) else 'these'} {many} a change under {percent(floor)} would not be seen"


def _counted(pair: _Pair, rule: Rule, noise: Noise, level: float) -> Comparison:
    ground = np.concatenate([pair.a, np.array(noise.control)])
    repeats = max(_range(ground), _range(pair.b), noise.off or 0.0)
    size = pair.size
    if max(len(ground), len(pair.b)) == 1:
        limit = floor = seen = rule.floor
        basis = f"one round each: judged against a default noise of {percent(rule.floor)}, not a measured one"
    else:
        limit, error = _repeat_noise(pair, ground, rule.prior, noise, level)
        least = min(len(pair.a), len(pair.b))
        floor = max(rule.floor * (NEAR_FLOOR if least >= NEAR_ROUNDS else 1.0), limit)
        seen = floor + detectable.POWER_Z * middle_sd(least) * error
        basis = f"repeats differ by up to {percent(repeats, 2)}"
    called = size > floor and pair.mean_size > limit
    if called:
        verdict, why = pair.direction(rule), basis
    elif size > floor or limit > max(NOISY_COUNT, rule.floor):
        verdict = "cannot tell"
        why = f"{basis}, so that noise of {percent(limit, 2)} can be more than the difference of {percent(size, 2)}"
    else:
        verdict, why = "no change", f"{percent(size, 2)} is under the floor of {percent(floor, 2)}; {basis}"
    return Comparison(
        verdict=verdict,
        significant=pair.mean_size > limit,
        relevant=called,
        floor=rounded(seen, 4),
        why=why,
        **pair.facts,
    )


def _repeat_noise(pair: _Pair, ground: Floats, prior: float, noise: Noise, level: float) -> tuple[float, float]:
    """(what a difference of means reaches by repeat noise with a chance of `level`, its sd); relative to the base.

    Of means: counts often have two values, and the medians of seven rounds that are either jump from one to the other.

    The noise is that of all repeats together, the control's with the baseline's, with a prior worth four rounds: with
    two rounds a side "the ranges do not meet" would be a false alarm in one of three.
    """
    scale = max(abs(pair.base), abs(pair.other))
    squares = sum(float(np.square(side - side.mean()).sum()) for side in (ground, pair.b))
    freedom = len(ground) + len(pair.b) - 2
    variance = (PRIOR_ROUNDS * (prior * scale) ** 2 + squares) / (PRIOR_ROUNDS + freedom)
    if noise.calibrated is not None:
        variance = max(variance, (noise.calibrated * pair.base) ** 2 / 2)
    error = math.sqrt(variance) * math.sqrt(1 / len(pair.a) + 1 / len(pair.b))
    relative = error / abs(pair.base) if pair.base else 0.0
    return t_limit(level, PRIOR_ROUNDS + freedom) * relative, relative


def _timed(pair: _Pair, rule: Rule, noise: Noise, level: float) -> Comparison:
    a, b, facts = pair.a, pair.b, pair.facts
    fewest = min(len(a), len(b))
    if fewest < MIN_ROUNDS:
        why = f"{rounds(fewest)} a side; a difference can be shown from {MIN_ROUNDS} on"
        return Comparison(verdict="cannot tell", why=why, **facts)
    floor, (p, by_ranks) = noise.floor(rule), difference_test(a, b, level)
    size = pair.size
    low, high = (facts["low"], facts["high"]) if pair.base else (None, None)
    room = max(abs(low - 1), abs(high - 1)) if low is not None and high is not None else float("inf")
    significant = p < level and not (low is not None and high is not None and low <= 1 <= high)
    test = f"p {p:.2g} over {len(a)} and {len(b)} rounds"
    if not by_ranks:
        test += f" (t-test: ranks cannot go under {least_p(len(a), len(b)):.2g})"
    seen = detectable.timed(a, b, level, floor, middle_sd(fewest))
    quiet = min(floor, MAX_RAISED * rule.floor)
    if significant and size > floor:
        verdict, why = pair.direction(rule), f"{test}; floor {percent(floor)}"
    elif room <= quiet or (significant and size <= quiet):
        verdict, why = "no change", f"{percent(size, 2)} is under the floor of {percent(quiet)}; {test}"
    else:
        verdict, why = "cannot tell", f"{test}; {unseen(seen, len(a), len(b))}"
    return Comparison(
        verdict=verdict,
        significant=significant,
        relevant=significant and size > floor,
        floor=rounded(seen, 4),
        p=rounded(p, 3),
        why=why,
        **facts,
    )


def rounds(n: int) -> str:
    return "1 round" if n == 1 else f"{n} rounds"
