"""Statistics over rounds: exact where they claim to be, silent where rounds are too few."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, mannwhitneyu

from profpipe.analyse.statistics import medians, significance
from profpipe.analyse.statistics.alpha import RowLevel
from profpipe.analyse.statistics.compare_figures import compare
from profpipe.analyse.statistics.compare_functions import compare_rows
from profpipe.analyse.statistics.noise import Noise, noise_of
from profpipe.analyse.statistics.rule import Rule
from profpipe.analyse.statistics.series import series
from tests.support.examples import examples

TIMED = Rule("timed", 0.02)
COUNTED = Rule("counted", 0.003)
values = st.lists(st.floats(0.001, 1e6, allow_nan=False), min_size=2, max_size=5)


@pytest.mark.slow
@settings(max_examples=examples(60))
@given(values)
def test_the_interval_is_that_of_all_resamples(rounds: list[float]) -> None:
    """Brute force: the medians of all n^n resamples, their 2.5th and 97.5th percentile."""
    every = sorted(float(np.median(pick)) for pick in itertools.product(rounds, repeat=len(rounds)))
    low, high = medians.median_interval(np.array(rounds))
    assert low is not None
    assert high is not None
    n = len(every)
    assert low == pytest.approx(every[int(np.ceil(0.025 * n - 1e-6)) - 1])
    assert high == pytest.approx(every[int(np.ceil(0.975 * n - 1e-6)) - 1])


def test_one_round_has_no_interval() -> None:
    assert medians.median_interval(np.array([5.0])) == (None, None)
    assert medians.ratio_interval(np.array([5.0]), np.array([5.0, 6.0])) == (None, None)
    assert series([5.0]).low is None
    assert series([5.0]).cv is None


def test_intervals_of_a_matrix_are_those_of_its_rows() -> None:
    rows = np.random.default_rng(1).lognormal(size=(20, 7))
    low, high = medians.median_intervals(rows)
    for i, row in enumerate(rows):
        assert (low[i], high[i]) == medians.median_interval(row)


@pytest.mark.parametrize("n", [41, 60, 100])
def test_many_rounds_stay_quick_and_narrow(n: int) -> None:
    rng = np.random.default_rng(n)
    low, high = medians.ratio_interval(rng.normal(100, 2, n), rng.normal(110, 2, n))
    assert low is not None
    assert high is not None
    assert 1.08 < low < 1.1 < high < 1.12


def test_an_invalid_round_keeps_its_place_and_counts_nowhere() -> None:
    figure = series([10.0, None, 12.0], "crashed")
    assert figure.values == (10.0, None, 12.0)
    assert figure.median == 11.0
    empty = series([None, None], "crashed")
    assert empty.median is None
    assert empty.why == "crashed"


def test_ranks_cannot_reach_five_per_cent_with_three_rounds_and_do_with_four() -> None:
    assert np.isnan(significance.rank_test(np.array([[1.0, 2, 3]]), np.array([[4.0, 5, 6]]))).all()
    assert significance.rank_test(np.array([[1.0, 2, 3, 4]]), np.array([[5.0, 6, 7, 8]]))[0] == pytest.approx(2 / 70)


def test_ties_make_the_test_more_careful_not_less() -> None:
    """With every value tied there is nothing to see."""
    assert significance.rank_test(np.ones((1, 5)), np.ones((1, 5)))[0] == pytest.approx(1.0)


def test_two_hundred_functions_that_do_not_differ_give_no_hit_after_adjustment() -> None:
    rng = np.random.default_rng(3)
    p = significance.rank_test(rng.normal(100, 2, (200, 7)), rng.normal(100, 2, (200, 7)))
    assert (p < 0.05).sum() > 0
    assert (significance.adjusted(p) < 0.05).sum() == 0


@pytest.mark.parametrize(("n", "m"), [(4, 4), (5, 7), (10, 10), (50, 13)])
def test_rank_tests_and_their_correction_are_those_of_scipy_ties_included(n: int, m: int) -> None:
    rng = np.random.default_rng(n + m)
    base, other = np.round(rng.normal(100, 2, (60, n)), 0), np.round(rng.normal(101, 2, (60, m)), 0)
    p = significance.rank_test(base, other)
    assert p == pytest.approx(mannwhitneyu(other, base, axis=1, method="exact").pvalue, rel=1e-12)
    assert significance.adjusted(p) == pytest.approx(false_discovery_control(p), rel=1e-12)
    base[0, 0] = np.nan
    assert np.isnan(significance.rank_test(base, other)).tolist() == [True] + 59 * [False]


def timed(base: list[float], other: list[float], aa: Noise | None = None) -> str:
    return compare(series(base), series(other), TIMED, aa).verdict


QUIET = [100.0, 100.3, 99.8, 100.1, 99.9, 100.2, 99.7]


@pytest.mark.parametrize(
    ("factor", "verdict"), [(1.05, "worse"), (0.9, "better"), (1.0, "no change"), (1.01, "no change")]
)
def test_a_quiet_timed_series(factor: float, verdict: str) -> None:
    assert timed(QUIET, [v * factor for v in QUIET]) == verdict


def test_higher_is_better_for_throughput() -> None:
    rule = Rule("timed", 0.02, "higher")
    assert compare(series(QUIET), series([v * 1.1 for v in QUIET]), rule).verdict == "better"


def test_a_real_difference_under_the_floor_is_significant_but_not_relevant() -> None:
    found = compare(series(QUIET), series([v * 1.01 for v in QUIET]), TIMED)
    assert (found.significant, found.relevant) == (True, False)
    assert "under the floor" in found.why


def test_a_noisy_series_cannot_tell_and_says_what_it_could() -> None:
    rng = random.Random(2)
    noisy = [100 * (1 + rng.gauss(0, 0.1)) for _ in range(7)]
    other = [103 * (1 + rng.gauss(0, 0.1)) for _ in range(7)]
    found = compare(series(noisy), series(other), TIMED)
    assert found.verdict == "cannot tell"
    assert found.detectable is not None
    assert found.detectable > 0.02
    assert f"with these 7 rounds a change under {found.detectable:.1%}".replace("%", " %") in found.why


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
    found = compare(series(QUIET), series([v * 0.58 for v in QUIET]), TIMED, Noise(sd=0.17))
    assert found.verdict == "cannot tell"
    assert found.significant
    assert found.detectable is not None
    assert found.detectable >= 0.51


def test_three_rounds_cannot_tell_however_far_apart() -> None:
    found = compare(series([1.0, 1.1, 1.2]), series([9.0, 9.1, 9.2]), TIMED)
    assert found.verdict == "cannot tell"
    assert found.why == "3 rounds a side; a difference can be shown from 4 on"
    assert found.ratio == pytest.approx(9.1 / 1.1, rel=1e-5)


def test_lost_rounds_cannot_tell() -> None:
    some: list[float | None] = [*QUIET[:4], None, None, None]
    found = compare(series(QUIET), series(some), TIMED)
    assert found.verdict == "cannot tell"
    assert found.why == "the contender has no valid run in 3 of 7 rounds"
    one: list[float | None] = [v * 1.1 for v in QUIET[:6]]
    assert compare(series(QUIET), series([*one, None]), TIMED).verdict == "worse"


@pytest.mark.parametrize("side", [0, 1])
def test_an_unknown_figure_cannot_tell(side: int) -> None:
    pair = [series(QUIET), series(QUIET)]
    pair[side] = series([None] * 7, "the server died")
    found = compare(pair[0], pair[1], TIMED)
    assert (found.verdict, found.ratio) == ("cannot tell", None)
    assert "the server died" in found.why


@pytest.mark.parametrize(
    ("base", "other", "verdict", "why"),
    [
        ([1000, 1000.5, 1001], [1010, 1010.5, 1011], "worse", "repeats differ by up to 0.10 %"),
        ([1000, 1000.5, 1001], [1001, 1002, 1002], "no change", "under the floor of 0.25 %"),
        ([1000, 1050, 1100], [1020, 1070, 1120], "cannot tell", "more than the difference"),
        ([1000], [1010], "cannot tell", "from 2 on"),
        ([1000], [1002], "cannot tell", "from 2 on"),
        ([0, 0], [0, 0], "no change", "both are 0"),
        ([0, 0], [5, 5], "worse", "repeats differ"),
    ],
)
def test_counts_are_judged_against_their_repeats(base: list[float], other: list[float], verdict: str, why: str) -> None:
    found = compare(series(base), series(other), COUNTED)
    assert found.verdict == verdict
    assert why in found.why
    assert found.p is None


def test_noise_of_a_control() -> None:
    found = noise_of(series([100.0, 100.0, 100.0]), series([101.0, 99.0, 103.0]))
    assert found.off == pytest.approx(0.01)
    assert found.sd == pytest.approx(0.02)
    assert noise_of(series([100.0]), series([])) == Noise()


@pytest.mark.slow
def test_a_series_against_itself_is_rarely_called() -> None:
    """A/A over 400 studies, 2 % noise with 10 % outliers of +15 %: called better or worse in at most 1 %."""
    rng = np.random.default_rng(7)

    def rounds() -> list[float]:
        return list(100 * (1 + rng.normal(0, 0.02, 7)) * np.where(rng.random(7) < 0.1, 1.15, 1.0))

    verdicts = [timed(rounds(), rounds()) for _ in range(400)]
    assert sum(v in ("better", "worse") for v in verdicts) <= 4


def test_functions_that_do_not_differ_are_rarely_called() -> None:
    rng = np.random.default_rng(8)
    called = 0
    for _ in range(20):
        base, other = rng.normal(100, 3, (100, 7)), rng.normal(100, 3, (100, 7))
        found = compare_rows(base, other, TIMED, 10_000)
        called += sum(v in ("better", "worse") for v in found.verdict)
    assert called == 0


def test_rows_of_counts() -> None:
    base = np.array([[100.0, 101, 102], [100, 101, 102], [100, 101, 102], [0, 0, 0], [5, 5, 5]])
    other = np.array([[200.0, 201, 202], [50, 51, 52], [101, 102, 110], [90, 90, 90], [5.1, 5.1, 5.1]])
    found = compare_rows(base, other, COUNTED, 1000)
    assert found.verdict == ("worse", "better", "no change", "worse", "no change")
    noisy = compare_rows(base[2:3], np.array([[101.0, 105, 150]]), COUNTED, 1000)
    assert noisy.verdict == ("cannot tell",)
    assert noisy.why == ("not beyond noise in 3 and 3 rounds",)


def test_the_control_widens_the_ground_a_function_must_leave() -> None:
    base, other = np.array([[100.0, 101]]), np.array([[110.0, 111]])
    assert compare_rows(base, other, COUNTED, 1000).verdict == ("worse",)
    assert compare_rows(base, other, COUNTED, 1000, np.array([[112.0, 99]])).verdict == ("cannot tell",)


def test_two_rounds_that_agree_by_luck_are_no_proof() -> None:
    """Half of the rounds spend 1 % more: two of one kind beside two of the other do not meet, and differ by nothing."""
    low, high = [1000.0, 1000.2], [1010.1, 1010.3]
    assert compare(series(low), series(high), COUNTED).verdict == "worse"
    control = Noise(off=0.005, sd=0.007, control=(1000.1, 1010.2))
    assert compare(series(low), series(high), COUNTED, control).verdict != "worse"


def test_three_thousandths_of_the_instructions_are_found_in_three_rounds() -> None:
    """Real repeats of a server. Two rounds cannot tell 0.28 % from what happens once in a window."""
    base, other = [19236.0, 19245, 19229], [19236 * 1.0028, 19245 * 1.0028, 19229 * 1.0028]
    assert compare(series(base[:2]), series(other[:2]), COUNTED, level=5e-4).verdict == "no change"
    assert compare(series(base), series(other), COUNTED, level=5e-4).verdict == "worse"
    assert compare(series(base), series([v * 1.001 for v in base]), COUNTED).verdict == "no change"


def test_what_happens_once_in_a_window_is_no_change_of_two_rounds() -> None:
    """The date is formatted when the second changes: 0.2 % of this server in some rounds, nothing in the others."""
    never, once = np.array([[0.0, 0.0], [99, 99]]), np.array([[0.2, 0.2], [99, 99]])
    assert compare_rows(never, once, COUNTED, 100).verdict == ("no change", "no change")
    # Where the total was called something did change, and its parts are named down to 0.1 %.
    assert compare_rows(never, once, COUNTED, 100, None, RowLevel(0.05, True)).verdict == ("worse", "no change")
    often = np.array([[0.5, 0.5], [99, 99]])
    assert compare_rows(never, often, COUNTED, 100).verdict == ("worse", "no change")


def test_rows_of_similar_size_say_how_far_a_row_can_be_believed() -> None:
    """Two rounds of one row agree to a millionth; those of its neighbours differ by 5 %."""
    rng = np.random.default_rng(5)
    rows = 100 * rng.normal(1, 0.05, (40, 6))
    rows[0, :2], rows[0, 2:4], rows[0, 4:] = 100, 115, 100
    assert compare_rows(rows[:, :2], rows[:, 2:4], COUNTED, 4000, rows[:, 4:]).verdict[0] == "cannot tell"
    quiet = rows.copy()
    quiet[1:] = 100 * rng.normal(1, 0.0005, (39, 6))
    quiet[0, 4:] = 100
    assert compare_rows(quiet[:, :2], quiet[:, 2:4], COUNTED, 4000, quiet[:, 4:]).verdict[0] == "worse"


def test_few_rounds_far_apart_are_called_by_size_where_ranks_cannot() -> None:
    """Ranks of 4 rounds reach 0.029 at best. 40 % at 0.3 % noise is no luck; 3 % that just do not meet may be."""
    base = QUIET[:4]
    far = compare(series(base), series([v * 1.4 for v in base]), TIMED, level=0.003)
    assert far.verdict == "worse"
    assert "ranks cannot go under 0.029" in far.why
    spread = [100.0, 101.5, 99.0, 100.5]
    near = compare(series(spread), series([v * 1.03 for v in spread]), TIMED, level=0.003)
    assert near.verdict == "cannot tell"
    meeting = compare(series(base), series([*(v * 1.4 for v in base[:3]), 99.9]), TIMED, level=0.003)
    assert meeting.verdict == "cannot tell"


def test_a_calibration_stands_in_for_a_control_or_widens_it() -> None:
    other = [v * 1.03 for v in QUIET]
    base, none = series(QUIET), series([])
    assert compare(base, series(other), TIMED, noise_of(base, none)).verdict == "worse"
    assert compare(base, series(other), TIMED, noise_of(base, none, 0.025)).verdict != "worse"
    quiet_control = series(QUIET[::-1])
    assert compare(base, series(other), TIMED, noise_of(base, quiet_control, 0.025)).verdict != "worse"
    assert noise_of(base, quiet_control, 0.0001).pair == noise_of(base, quiet_control).sd
    counted, more = series([1000.0, 1000.5, 1001]), series([1005.0, 1005.5, 1006])
    assert compare(counted, more, COUNTED).verdict == "worse"
    assert compare(counted, more, COUNTED, noise_of(counted, none, 0.01)).verdict != "worse"
