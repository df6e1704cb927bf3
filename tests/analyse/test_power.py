"""The detectable floor means what it says: a change of that size is seen in some 80 to 90 of 100 studies."""

from __future__ import annotations

import numpy as np
import pytest

from profpipe.analyse.statistics import series
from profpipe.analyse.statistics.compare_figures import compare
from profpipe.analyse.statistics.noise import noise_of
from profpipe.analyse.statistics.rule import Rule
from profpipe.model.report import Comparison

pytestmark = pytest.mark.slow

RULES = {"timed": Rule("timed", 0.02), "counted": Rule("counted", 0.003)}


def drawn(rng: np.random.Generator, rule: str, rounds: int, cv: float, factor: float, level: float) -> Comparison:
    """A study with a control: three sides of normal noise, one of them dearer."""
    sides = [100 * f * (1 + rng.normal(0, cv, rounds)) for f in (1, factor, 1)]
    base, other, control = (series.series([float(v) for v in side]) for side in sides)
    return compare(base, other, RULES[rule], noise_of(base, control), level)


@pytest.mark.parametrize(
    ("rule", "rounds", "cv", "level"),
    [
        ("timed", 5, 0.01, 0.002),
        ("timed", 7, 0.01, 0.004),
        ("timed", 7, 0.03, 0.001),
        ("timed", 10, 0.02, 0.001),
        ("timed", 20, 0.05, 0.001),
        ("counted", 3, 0.0005, 0.0005),
        ("counted", 3, 0.005, 0.0005),
        ("counted", 7, 0.001, 0.0005),
    ],
)
def test_a_change_of_the_detectable_size_is_seen(rule: str, rounds: int, cv: float, level: float) -> None:
    rng = np.random.default_rng(rounds)
    floors = [drawn(rng, rule, rounds, cv, 1.0, level).detectable for _ in range(100)]
    size = float(np.median([f for f in floors if f is not None]))
    seen = sum(drawn(rng, rule, rounds, cv, 1 + size, level).verdict == "worse" for _ in range(200)) / 200
    assert 0.72 <= seen <= 0.97, f"a change of {size:.2%} was seen in {seen:.0%}"
    half = sum(drawn(rng, rule, rounds, cv, 1 + size / 2, level).verdict == "worse" for _ in range(200)) / 200
    assert half < 0.5
