"""Is the contender better or worse, and how sure is that: one Comparison per figure, one verdict per function."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from profpipe.analyse.noise import (
    ALPHA,
    MIN_ROUNDS,
    Floats,
    adjusted,
    pair_sd,
    rank_test,
    ratio_interval,
    rounded,
    valid,
)
from profpipe.model.report import Comparison, Series, Verdict
from profpipe.units import percent

# Floors under which no difference is called. CPU time of the same server differs by 0.4-0.9 % between processes and by
# up to 1.8 % in one pair; a fixed count of requests repeats within 0.15 % in instructions.
FLOOR_COUNTED = 0.003
FLOOR_TRACED = 0.02
FLOOR_TIMED = 0.02
SD_FACTOR = 3.0
# A median of n values spreads 1.2533 / sqrt(n) as wide as one of them (normal noise, large n; less for small n).
MEDIAN_SD = 1.2533
# A counted series that repeats worse than this cannot show that nothing changed.
NOISY_COUNT = 0.01
# Nor can a timed one whose noise raises the floor over twice the rule's own: then it cannot tell.
MAX_RAISED = 2.0
# A function's difference under this share of the baseline's total is not worth a verdict.
SIZE_FLOOR = 0.001
# With more than a third of the rounds lost the survivors are a selection, not a sample.
MAX_MISSING = 1 / 3

Kind = Literal["counted", "timed"]


@dataclass(frozen=True, slots=True)
class Rule:
    """How a figure is judged: against repeat noise (counted) or by a rank test (timed); `floor` is relative."""

    kind: Kind
    floor: float
    better: Literal["lower", "higher"] = "lower"


@dataclass(frozen=True, slots=True)
class Noise:
    """The baseline against itself: |ratio - 1| and the sd of the ratio of one pair of rounds. None = not measured.

    `pairs` is how many pairs of rounds the sd comes from, and how many rounds the medians that are compared rest on.
    """

    off: float | None = None
    sd: float | None = None
    control: tuple[float, ...] = ()
    pairs: int = 1

    @property
    def spread(self) -> float | None:
        """sd of the A/A ratio of medians over all pairs: what a difference of medians stands against."""
        return None if self.sd is None else self.sd * (MEDIAN_SD / math.sqrt(self.pairs) if self.pairs > 1 else 1.0)

    def floor(self, rule: Rule) -> float:
        """max(the rule's own floor, 3 x A/A spread, what the baseline differs from itself)."""
        spread = SD_FACTOR * self.spread if self.spread is not None and rule.kind == "timed" else 0.0
        return max(rule.floor, spread, self.off or 0.0)


def noise_of(base: Series, control: Series) -> Noise:
    """The A/A noise of one figure. A difference from itself counts only when it is more than one round's luck."""
    values = valid(control)
    if not len(values) or base.median in (None, 0) or control.median is None:
        return Noise()
    assert base.median is not None
    off = abs(control.median / base.median - 1) if len(values) > 1 else None
    pairs = sum(b is not None and c is not None for b, c in zip(base.values, control.values, strict=False))
    return Noise(off, pair_sd(base.values, control.values), tuple(values.tolist()), max(pairs, 1))


def compare(base: Series, other: Series, rule: Rule, noise: Noise | None = None) -> Comparison:
    """Contender against baseline for one figure.

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
    if rule.kind == "counted":
        return _counted(base.median, other.median, a, b, rule, noise, facts)
    return _timed(base.median, other.median, a, b, rule, noise, facts)


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


def _direction(base: float, other: float, rule: Rule) -> Verdict:
    return "worse" if (other > base) == (rule.better == "lower") else "better"


def _range(values: Floats) -> float:
    middle = abs(float(np.median(values)))
    return float(values.max() - values.min()) / middle if middle else 0.0


def _counted(
    base: float, other: float, a: Floats, b: Floats, rule: Rule, noise: Noise, facts: dict[str, float | None]
) -> Comparison:
    repeated = len(a) > 1 or len(b) > 1
    own = max(_range(np.concatenate([a, np.array(noise.control)])), _range(b), noise.off or 0.0)
    floor = max(rule.floor, own)
    size = abs(other / base - 1) if base else float("inf")
    beyond = size > (own if repeated else rule.floor)
    basis = (
        f"repeats differ by up to {percent(own, 2)}"
        if repeated
        else f"one round each: judged against a default noise of {percent(rule.floor)}, not a measured one"
    )
    if size > floor:
        verdict, why = _direction(base, other, rule), basis
    elif own > max(NOISY_COUNT, rule.floor):
        verdict, why = "cannot tell", f"{basis}, more than the difference of {percent(size, 2)}"
    else:
        verdict, why = "no change", f"{percent(size, 2)} is under the floor of {percent(floor, 2)}; {basis}"
    return Comparison(
        verdict=verdict, significant=beyond, relevant=size > floor, floor=rounded(floor, 4), why=why, **facts
    )


def _timed(
    base: float, other: float, a: Floats, b: Floats, rule: Rule, noise: Noise, facts: dict[str, float | None]
) -> Comparison:
    fewest = min(len(a), len(b))
    if fewest < MIN_ROUNDS:
        why = f"{_rounds(fewest)} a side; a difference can be shown from {MIN_ROUNDS} on"
        return Comparison(verdict="cannot tell", why=why, **facts)
    floor, p = noise.floor(rule), float(rank_test(a[None, :], b[None, :])[0])
    size = abs(other / base - 1) if base else float("inf")
    low, high = (facts["low"], facts["high"]) if base else (None, None)
    room = max(abs(low - 1), abs(high - 1)) if low is not None and high is not None else float("inf")
    width = (high - low) / 2 if low is not None and high is not None else 0.0
    significant = p < ALPHA and not (low is not None and high is not None and low <= 1 <= high)
    test = f"p {p:.2g} over {len(a)} and {len(b)} rounds"
    quiet = min(floor, MAX_RAISED * rule.floor)
    if significant and size > floor:
        verdict, why = _direction(base, other, rule), f"{test}; floor {percent(floor)}"
    elif room <= quiet or (significant and size <= quiet):
        verdict, why = "no change", f"{percent(size, 2)} is under the floor of {percent(quiet)}; {test}"
    else:
        verdict, why = "cannot tell", f"{test}; these rounds could show {percent(max(floor, width))}"
    return Comparison(
        verdict=verdict,
        significant=significant,
        relevant=significant and size > floor,
        floor=rounded(max(floor, width), 4),
        p=rounded(p, 3),
        why=why,
        **facts,
    )


def _rounds(n: int) -> str:
    return "1 round" if n == 1 else f"{n} rounds"


@dataclass(frozen=True, slots=True)
class RowVerdicts:
    """Verdict and reason per function; a reason only where the verdict is "cannot tell"."""

    verdict: tuple[Verdict, ...]
    why: tuple[str | None, ...]


def compare_rows(base: Floats, other: Floats, rule: Rule, size: float, control: Floats | None = None) -> RowVerdicts:
    """One verdict per function. `base`, `other`: functions x valid rounds; `size` = the baseline's total.

    Counted: the ranges over rounds (the A/A control's with the baseline's) do not meet, and by more than the floor.
    Timed and sampled: exact Mann-Whitney, Benjamini-Hochberg over all rows. Both: a size floor of 0.1 % of `size`.
    """
    rows = base.shape[0]
    if not base.shape[1] or not other.shape[1]:
        return RowVerdicts(("cannot tell",) * rows, ("no valid round",) * rows)
    delta = np.median(other, axis=1) - np.median(base, axis=1)
    big = np.abs(delta) > SIZE_FLOOR * size
    if rule.kind == "counted":
        ground = base if control is None or not control.shape[1] else np.concatenate([base, control], axis=1)
        gap = np.maximum(other.min(axis=1) - ground.max(axis=1), ground.min(axis=1) - other.max(axis=1))
        called = big & (gap > rule.floor * np.abs(np.median(base, axis=1)))
        doubt = big & ~called
        reason = "the rounds of both overlap"
    elif min(base.shape[1], other.shape[1]) < MIN_ROUNDS:
        called, doubt = np.zeros(rows, dtype=np.bool_), np.ones(rows, dtype=np.bool_)
        reason = f"{_rounds(min(base.shape[1], other.shape[1]))} a side; at least {MIN_ROUNDS} are needed"
    else:
        p = adjusted(rank_test(base, other))
        called = big & (np.nan_to_num(p, nan=1.0) < ALPHA)
        doubt = big & ~called
        reason = f"not beyond noise in {base.shape[1]} and {other.shape[1]} rounds"
    worse: Verdict = "worse" if rule.better == "lower" else "better"
    better: Verdict = "better" if rule.better == "lower" else "worse"
    verdicts: list[Verdict] = [
        (worse if up else better) if hit else ("cannot tell" if unsure else "no change")
        for hit, unsure, up in zip(called, doubt, delta > 0, strict=True)
    ]
    return RowVerdicts(tuple(verdicts), tuple(reason if v == "cannot tell" else None for v in verdicts))
