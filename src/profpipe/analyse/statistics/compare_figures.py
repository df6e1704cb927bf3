"""Is the contender better or worse, and how sure is that: one Comparison per figure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from profpipe.analyse.statistics import power
from profpipe.analyse.statistics.medians import Floats, ratio_interval
from profpipe.analyse.statistics.noise import Noise, middle_sd
from profpipe.analyse.statistics.rule import PRIOR_ROUNDS, Rule, Test
from profpipe.analyse.statistics.series import rounded, valid
from profpipe.analyse.statistics.significance import MIN_ROUNDS, difference_test, least_p, t_limit
from profpipe.model.report import ALPHA, Comparison, Series, Verdict
from profpipe.units import percent

# A change of just the floor would be measured under it in every second study. From three rounds on, whose repeats can
# be judged, a counted difference is therefore reported from 5/6 of the floor on: 0.25 %, what is written as 0.3 %.
NEAR_FLOOR, NEAR_ROUNDS = 5 / 6, 3
# A counted series that repeats worse than this cannot show that nothing changed.
NOISY_COUNT = 0.01
# Nor can a timed one whose noise raises the floor over twice the rule's own: then it cannot tell.
MAX_RAISED = 2.0
# Rounds a side under which nothing is called. One round has no repeat: whatever it differs by may be its own luck.
LEAST_ROUNDS: Mapping[Test, int] = {"counted": 2, "timed": MIN_ROUNDS}
# With more than a third of the rounds lost the survivors are a selection, not a sample.
MAX_MISSING = 1 / 3


def compare(base: Series, other: Series, rule: Rule, noise: Noise | None = None, level: float = ALPHA) -> Comparison:
    """Contender against baseline for one figure; `level` = the chance of a false verdict that this one may take.

    Unknown medians, too few rounds and too many lost ones give "cannot tell" with the reason; a difference is reported
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
    fewest = min(len(a), len(b))
    if fewest < LEAST_ROUNDS[rule.kind]:
        why = f"{rounds(fewest)} a side; a difference can be shown from {LEAST_ROUNDS[rule.kind]} on"
        return Comparison(verdict="cannot tell", why=why, **facts)
    if base.median == 0 and other.median == 0:
        return Comparison(verdict="no change", why="both are 0", **facts)
    judge = _counted if rule.kind == "counted" else _timed
    return judge(_Pair(base.median, other.median, a, b, facts), rule, noise, level)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two medians, their valid rounds, and what is reported of them whatever the verdict."""

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
        return f"{who} has no valid run in {missing} of {len(figure.values)} rounds"
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
    limit, error = _repeat_noise(pair, ground, rule.prior, noise, level)
    least = min(len(pair.a), len(pair.b))
    floor = max(rule.floor * (NEAR_FLOOR if least >= NEAR_ROUNDS else 1.0), limit)
    seen = floor + power.POWER_Z * middle_sd(least) * error
    basis = f"repeats differ by up to {percent(repeats, 2)}"
    reported = size > floor and pair.mean_size > limit
    if reported:
        verdict, why = pair.direction(rule), basis
    elif size > floor or limit > max(NOISY_COUNT, rule.floor):
        verdict = "cannot tell"
        why = f"{basis}, so that noise of {percent(limit, 2)} can be more than the difference of {percent(size, 2)}"
    else:
        verdict, why = "no change", f"{percent(size, 2)} is under the floor of {percent(floor, 2)}; {basis}"
    return Comparison(
        verdict=verdict,
        significant=pair.mean_size > limit,
        relevant=reported,
        detectable=rounded(seen, 4),
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
    floor, (p, by_ranks) = noise.floor(rule), difference_test(a, b, level)
    size = pair.size
    low, high = (facts["low"], facts["high"]) if pair.base else (None, None)
    room = max(abs(low - 1), abs(high - 1)) if low is not None and high is not None else float("inf")
    significant = p < level and not (low is not None and high is not None and low <= 1 <= high)
    test = f"p {p:.2g} over {len(a)} and {len(b)} rounds"
    if not by_ranks:
        test += f" (t-test: ranks cannot go under {least_p(len(a), len(b)):.2g})"
    seen = power.timed(a, b, level, floor, middle_sd(min(len(a), len(b))))
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
        detectable=rounded(seen, 4),
        p=rounded(p, 3),
        why=why,
        **facts,
    )


def rounds(n: int) -> str:
    return "1 round" if n == 1 else f"{n} rounds"
