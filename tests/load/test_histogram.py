"""Latencies keep their number, their order and three digits, however many they are."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profpipe.model.run import Histogram

LATENCIES = st.lists(st.floats(min_value=0, max_value=1e9), max_size=200)
SHARES = st.floats(min_value=0, max_value=100)


@given(LATENCIES)
def test_every_latency_is_counted_once(values: list[float]) -> None:
    histogram = Histogram.of(values)
    assert histogram.total == len(values)
    assert all(many > 0 for many in histogram.counts)


@given(LATENCIES)
def test_values_rise(values: list[float]) -> None:
    rising = Histogram.of(values).values_us
    assert list(rising) == sorted(set(rising))


@given(st.floats(min_value=1, max_value=1e9))
def test_three_digits_are_kept(value: float) -> None:
    (kept,) = Histogram.of([value]).values_us
    assert abs(kept - value) <= 0.005 * value * (1 + 1e-9)


@given(LATENCIES.filter(bool), SHARES, SHARES)
def test_percentiles_rise_and_stay_inside(values: list[float], one: float, other: float) -> None:
    histogram = Histogram.of(values)
    low, high = (histogram.percentile(q) for q in sorted((one, other)))
    assert low is not None
    assert high is not None
    assert histogram.values_us[0] <= low <= high <= histogram.values_us[-1]
    assert histogram.percentile(100) == histogram.values_us[-1]


@given(st.lists(st.integers(1, 999), min_size=1, max_size=300), st.integers(1, 1000))
def test_a_percentile_is_the_smallest_value_that_covers_its_share(values: list[int], thousandths: int) -> None:
    q = thousandths / 10
    need = math.ceil(Fraction(len(values)) * thousandths / 1000)
    assert Histogram.of(values).percentile(q) == sorted(values)[need - 1]


@pytest.mark.parametrize(("total", "q", "rank"), [(250, 64.4, 161), (375, 8.8, 33), (1000, 99.9, 999), (3, 100, 3)])
def test_ranks_are_not_moved_by_rounding(total: int, q: float, rank: int) -> None:
    assert Histogram(tuple(map(float, range(1, total + 1))), (1,) * total).percentile(q) == rank


def test_nothing_has_no_percentile() -> None:
    assert Histogram.of([]).percentile(50) is None


@pytest.mark.parametrize(
    ("value", "kept"),
    [(0.0, 0.0), (0.004, 0.0), (1.234, 1.23), (12.34, 12.3), (123.44, 123.4), (1234.0, 1230.0), (123_456.0, 123_000.0)],
)
def test_rounding_by_example(value: float, kept: float) -> None:
    assert Histogram.of([value]).values_us == (kept,)
