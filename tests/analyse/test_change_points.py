"""Change points: what is there is found, and noise of many shapes raises hardly any: the rates are counted here."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, pairwise

import numpy as np
import pytest

from profpipe.analyse.statistics.change_points import MIN_POINTS, change_points, proposed

Rng = np.random.Generator


def alike(rng: Rng, n: int) -> np.ndarray:
    """Each point half of the one before: a machine that is busy for hours."""
    steps = rng.normal(0, 0.866, n)
    for i in range(1, n):
        steps[i] += 0.5 * steps[i - 1]
    return steps


def spikes(rng: Rng, n: int) -> np.ndarray:
    """One run in twenty was disturbed, by six standard deviations on average."""
    return rng.normal(0, 1, n) + (rng.random(n) < 0.05) * rng.exponential(6, n)


NOISES: dict[str, Callable[[Rng, int], np.ndarray]] = {
    "normal": lambda rng, n: rng.normal(0, 1, n),
    "heavy tails": lambda rng, n: rng.standard_t(3, n) / 1.73,
    "spikes": spikes,
    "alike": alike,
    "two modes": lambda rng, n: np.where(rng.random(n) < 0.5, 0, 2.0) + rng.normal(0, 0.1, n),
    "whole numbers": lambda rng, n: np.round(rng.normal(0, 0.6, n)),
}


@pytest.mark.slow
@pytest.mark.parametrize("noise", NOISES)
def test_the_same_commit_again_and_again_is_no_change(noise: str) -> None:
    """False alarms per series of 8 to 50 points, 400 series, 3 % noise: at most 1 % of them, 1.5 % for `alike`."""
    rng = np.random.default_rng(11)
    false = sum(
        bool(change_points(100 + 3 * NOISES[noise](rng, n), floor=0.02)) for n in (8, 12, 20, 50) for _ in range(100)
    )
    assert false <= (6 if noise == "alike" else 4)


@pytest.mark.parametrize(("n", "at", "size"), [(12, 6, 8), (20, 10, 5), (50, 44, 5), (50, 25, 3), (200, 100, 2)])
def test_a_change_of_some_standard_deviations_is_found_near_its_place(n: int, at: int, size: float) -> None:
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(50):
        series = 100 + rng.normal(0, 1, n)
        series[at:] += size
        found = change_points(series, floor=0.003)
        hits += len(found) == 1 and abs(found[0].index - at) <= 2 and abs(found[0].after - found[0].before - size) < 1.5
    assert hits >= 45


def test_exact_counts_change_where_they_change() -> None:
    (found,) = change_points([1000.0] * 6 + [1010.0] * 5, floor=0.003)
    assert (found.index, found.before, found.after, found.ratio) == (6, 1000.0, 1010.0, 1.01)


def test_under_the_floor_or_without_enough_points_nothing_is_a_change() -> None:
    assert change_points([1000.0] * 6 + [1002.0] * 5, floor=0.003) == ()
    assert change_points([1000.0] * MIN_POINTS + [2000.0] * (MIN_POINTS - 1), floor=0.003) == ()
    assert change_points([1000.0] * 20 + [2000.0] * (MIN_POINTS - 1), floor=0.003) == ()
    assert change_points([], floor=0.003) == ()


def test_a_spike_is_no_level() -> None:
    assert change_points([100.0, 101, 99, 100, 102, 100, 250, 100, 99, 101, 100, 100, 101], floor=0.02) == ()


def test_two_changes_are_two() -> None:
    rng = np.random.default_rng(3)
    levels = np.repeat([100.0, 120.0, 90.0], 15) + rng.normal(0, 1, 45)
    assert [change.index for change in change_points(levels, floor=0.02)] == [15, 30]


def cost(series: np.ndarray, cuts: tuple[int, ...], penalty: float) -> float:
    levels = np.split(series, list(cuts))
    return sum(float(((level - level.mean()) ** 2).sum()) for level in levels) + penalty * len(cuts)


def every_partition(n: int) -> list[tuple[int, ...]]:
    """All cuts of n points into levels of MIN_POINTS or more."""
    places = range(MIN_POINTS, n - MIN_POINTS + 1)
    found = [cuts for k in range(n // MIN_POINTS) for cuts in combinations(places, k)]
    return [cuts for cuts in found if all(b - a >= MIN_POINTS for a, b in pairwise((0, *cuts, n)))]


@pytest.mark.parametrize("n", [4, 7, 8, 13, 18])
def test_no_other_cuts_of_a_series_cost_less_than_the_proposed_ones(n: int) -> None:
    rng = np.random.default_rng(n)
    seen = set()
    for size in (0, 3, 30):
        series = 1e6 + rng.normal(0, 1, n) + size * (np.arange(n) >= n // 2)
        found = proposed(series, penalty=3.0)
        seen.add(len(found))
        assert found == list(min(every_partition(n), key=lambda cuts: cost(series, cuts, 3.0)))
    assert n < 2 * MIN_POINTS or len(seen) > 1
