"""Statistics over rounds: exact where they claim to be, silent where rounds are too few."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profpipe.analyse import noise
from profpipe.analyse.compare import Noise, Rule, compare, compare_rows, noise_of

TIMED = Rule("timed", 0.02)
COUNTED = Rule("counted", 0.003)
values = st.lists(st.floats(0.001, 1e6, allow_nan=False), min_size=2, max_size=5)


@settings(max_examples=60, deadline=None)
@given(values)
def test_the_interval_is_that_of_all_resamples(rounds: list[float]) -> None:
    """Brute force: the medians of all n^n resamples, their 2.5th and 97.5th percentile."""
    medians = sorted(float(np.median(pick)) for pick in itertools.product(rounds, repeat=len(rounds)))
    low, high = noise.median_interval(np.array(rounds))
    assert low is not None
    assert high is not None
    n = len(medians)
    assert low == pytest.approx(medians[int(np.ceil(0.025 * n - 1e-6)) - 1])
    assert high == pytest.approx(medians[int(np.ceil(0.975 * n - 1e-6)) - 1])


def test_one_round_has_no_interval() -> None:
    assert noise.median_interval(np.array([5.0])) == (None, None)
    assert noise.ratio_interval(np.array([5.0]), np.array([5.0, 6.0])) == (None, None)
    assert noise.series([5.0]).low is None
    assert noise.series([5.0]).cv is None


def test_intervals_of_a_matrix_are_those_of_its_rows() -> None:
    rows = np.random.default_rng(1).lognormal(size=(20, 7))
    low, high = noise.median_intervals(rows)
    for i, row in enumerate(rows):
        assert (low[i], high[i]) == noise.median_interval(row)


@pytest.mark.parametrize("n", [41, 60, 100])
def test_many_rounds_stay_quick_and_narrow(n: int) -> None:
    rng = np.random.default_rng(n)
    low, high = noise.ratio_interval(rng.normal(100, 2, n), rng.normal(110, 2, n))
    assert low is not None
    assert high is not None
    assert 1.08 < low < 1.1 < high < 1.12


def test_an_invalid_round_keeps_its_place_and_counts_nowhere() -> None:
    figure = noise.series([10.0, None, 12.0], "crashed")
    assert figure.values == (10.0, None, 12.0)
    assert figure.median == 11.0
    empty = noise.series([None, None], "crashed")
    assert empty.median is None
    assert empty.why == "crashed"


def test_ranks_cannot_reach_five_per_cent_with_three_rounds_and_do_with_four() -> None:
    assert np.isnan(noise.rank_test(np.array([[1.0, 2, 3]]), np.array([[4.0, 5, 6]]))).all()
    assert noise.rank_test(np.array([[1.0, 2, 3, 4]]), np.array([[5.0, 6, 7, 8]]))[0] == pytest.approx(2 / 70)


def test_ties_make_the_test_more_careful_not_less() -> None:
    """With every value tied there is nothing to see."""
    assert noise.rank_test(np.ones((1, 5)), np.ones((1, 5)))[0] == pytest.approx(1.0)


def test_two_hundred_functions_that_do_not_differ_give_no_hit_after_adjustment() -> None:
    rng = np.random.default_rng(3)
    p = noise.rank_test(rng.normal(100, 2, (200, 7)), rng.normal(100, 2, (200, 7)))
    assert (p < 0.05).sum() > 0
    assert (noise.adjusted(p) < 0.05).sum() == 0


def timed(base: list[float], other: list[float], aa: Noise | None = None) -> str:
    return compare(noise.series(base), noise.series(other), TIMED, aa).verdict


QUIET = [100.0, 100.3, 99.8, 100.1, 99.9, 100.2, 99.7]


@pytest.mark.parametrize(
    ("factor", "verdict"), [(1.05, "worse"), (0.9, "better"), (1.0, "no change"), (1.01, "no change")]
)
def test_a_quiet_timed_series(factor: float, verdict: str) -> None:
    assert timed(QUIET, [v * factor for v in QUIET]) == verdict


def test_higher_is_better_for_throughput() -> None:
    rule = Rule("timed", 0.02, "higher")
    assert compare(noise.series(QUIET), noise.series([v * 1.1 for v in QUIET]), rule).verdict == "better"


def test_a_real_difference_under_the_floor_is_significant_but_not_relevant() -> None:
    found = compare(noise.series(QUIET), noise.series([v * 1.01 for v in QUIET]), TIMED)
    assert (found.significant, found.relevant) == (True, False)
    assert "under the floor" in found.why


def test_a_noisy_series_cannot_tell_and_says_what_it_could() -> None:
    rng = random.Random(2)
    noisy = [100 * (1 + rng.gauss(0, 0.1)) for _ in range(7)]
    other = [103 * (1 + rng.gauss(0, 0.1)) for _ in range(7)]
    found = compare(noise.series(noisy), noise.series(other), TIMED)
    assert found.verdict == "cannot tell"
    assert "these rounds could show" in found.why
    assert found.floor is not None
    assert found.floor > 0.02


def test_the_control_raises_the_floor() -> None:
    """3 % is a difference, unless the baseline differs from itself by as much, or its pairs vary by 1.5 %."""
    other = [v * 1.03 for v in QUIET]
    assert timed(QUIET, other) == "worse"
    assert timed(QUIET, other, Noise(off=0.035)) == "no change"
    assert timed(QUIET, other, Noise(sd=0.012)) == "no change"
    # The medians of seven rounds spread half as wide as one pair: 3 x 2.0 % x 1.2533 / sqrt(7) = 2.8 %.
    assert Noise(sd=0.02, pairs=7).floor(TIMED) == pytest.approx(0.0284, abs=1e-4)
    assert timed(QUIET, other, Noise(sd=0.02, pairs=7)) == "worse"


def test_a_control_as_noisy_as_that_cannot_tell_and_never_says_no_change() -> None:
    """Pairs of the baseline vary by 17 %: a server that costs 42 % less is then neither cheaper nor the same."""
    found = compare(noise.series(QUIET), noise.series([v * 0.58 for v in QUIET]), TIMED, Noise(sd=0.17))
    assert found.verdict == "cannot tell"
    assert found.significant
    assert "could show 51.0 %" in found.why


def test_three_rounds_cannot_tell_however_far_apart() -> None:
    found = compare(noise.series([1.0, 1.1, 1.2]), noise.series([9.0, 9.1, 9.2]), TIMED)
    assert found.verdict == "cannot tell"
    assert found.why == "3 rounds a side; a difference can be shown from 4 on"
    assert found.ratio == pytest.approx(9.1 / 1.1, rel=1e-5)


def test_lost_rounds_cannot_tell() -> None:
    some: list[float | None] = [*QUIET[:4], None, None, None]
    found = compare(noise.series(QUIET), noise.series(some), TIMED)
    assert found.verdict == "cannot tell"
    assert found.why == "3 of 7 rounds of the contender are invalid"
    one: list[float | None] = [v * 1.1 for v in QUIET[:6]]
    assert compare(noise.series(QUIET), noise.series([*one, None]), TIMED).verdict == "worse"


@pytest.mark.parametrize("side", [0, 1])
def test_an_unknown_figure_cannot_tell(side: int) -> None:
    pair = [noise.series(QUIET), noise.series(QUIET)]
    pair[side] = noise.series([None] * 7, "the server died")
    found = compare(pair[0], pair[1], TIMED)
    assert (found.verdict, found.ratio) == ("cannot tell", None)
    assert "the server died" in found.why


@pytest.mark.parametrize(
    ("base", "other", "verdict", "why"),
    [
        ([1000, 1000.5, 1001], [1010, 1010.5, 1011], "worse", "repeats differ by up to 0.10 %"),
        ([1000, 1000.5, 1001], [1001, 1002, 1002], "no change", "under the floor of 0.30 %"),
        ([1000, 1050, 1100], [1020, 1070, 1120], "cannot tell", "more than the difference"),
        ([1000], [1010], "worse", "default noise of 0.3 %"),
        ([1000], [1002], "no change", "default noise of 0.3 %"),
        ([0, 0], [0, 0], "no change", "both are 0"),
        ([0, 0], [5, 5], "worse", "repeats differ"),
    ],
)
def test_counts_are_judged_against_their_repeats(base: list[float], other: list[float], verdict: str, why: str) -> None:
    found = compare(noise.series(base), noise.series(other), COUNTED)
    assert found.verdict == verdict
    assert why in found.why
    assert found.p is None


def test_noise_of_a_control() -> None:
    found = noise_of(noise.series([100.0, 100.0, 100.0]), noise.series([101.0, 99.0, 103.0]))
    assert found.off == pytest.approx(0.01)
    assert found.sd == pytest.approx(0.02)
    assert noise_of(noise.series([100.0]), noise.series([])) == Noise()


def test_a_series_against_itself_is_rarely_called() -> None:
    """A/A over 400 studies, 2 % noise with 10 % outliers of +15 %: called better or worse in at most 5 %."""
    rng = np.random.default_rng(7)

    def rounds() -> list[float]:
        return list(100 * (1 + rng.normal(0, 0.02, 7)) * np.where(rng.random(7) < 0.1, 1.15, 1.0))

    verdicts = [timed(rounds(), rounds()) for _ in range(400)]
    assert sum(v in ("better", "worse") for v in verdicts) <= 20


def test_functions_that_do_not_differ_are_rarely_called() -> None:
    rng = np.random.default_rng(8)
    called = 0
    for _ in range(20):
        base, other = rng.normal(100, 3, (100, 7)), rng.normal(100, 3, (100, 7))
        found = compare_rows(base, other, TIMED, 10_000)
        called += sum(v in ("better", "worse") for v in found.verdict)
    assert called <= 20 * 100 * 0.01


def test_rows_of_counts() -> None:
    base = np.array([[100.0, 101, 102], [100, 101, 102], [100, 101, 102], [0, 0, 0], [5, 5, 5]])
    other = np.array([[200.0, 201, 202], [50, 51, 52], [101, 102, 110], [90, 90, 90], [5.1, 5.1, 5.1]])
    found = compare_rows(base, other, COUNTED, 1000)
    assert found.verdict == ("worse", "better", "no change", "worse", "no change")
    noisy = compare_rows(base[2:3], np.array([[101.0, 105, 150]]), COUNTED, 1000)
    assert noisy.verdict == ("cannot tell",)
    assert noisy.why == ("the rounds of both overlap",)


def test_the_control_widens_the_ground_a_function_must_leave() -> None:
    base, other = np.array([[100.0, 101]]), np.array([[110.0, 111]])
    assert compare_rows(base, other, COUNTED, 1000).verdict == ("worse",)
    assert compare_rows(base, other, COUNTED, 1000, np.array([[112.0, 99]])).verdict == ("cannot tell",)
