"""Rounds added until the verdict is stable: planned looks, their levels, and that looking costs nothing."""

from __future__ import annotations

import pytest

from bench.aa import NOISES, Noise, simulated
from profpipe.analyse import build_report
from profpipe.analyse.conclusions.undecided import undecided_metrics
from profpipe.analyse.statistics.calibration import share_interval
from profpipe.analyse.statistics.looks import level, looks, plan_looks
from tests.support.analyse_cases import clean_run, study


@pytest.mark.parametrize(
    ("first", "most", "planned"),
    [
        (7, 20, (7, 10, 14, 20)),
        (7, 7, (7,)),
        (5, 10, (5, 7, 10)),
        (2, 6, (2, 3, 4, 6)),
        (1, 3, (1, 2, 3)),
        (7, 11, (7, 11)),
        (7, 8, (7, 8)),
    ],
)
def test_looks_grow_by_two_fifths_and_end_at_the_most(first: int, most: int, planned: tuple[int, ...]) -> None:
    assert looks(first, most) == planned


@pytest.mark.parametrize(("first", "most"), [(0, 5), (8, 7)])
def test_no_look_before_the_first_round_or_after_the_last(first: int, most: int) -> None:
    with pytest.raises(ValueError, match="looks from"):
        looks(first, most)


def test_the_levels_of_all_looks_are_alpha_and_an_unplanned_look_has_none() -> None:
    planned = looks(7, 20)
    assert sum(level(n, planned, 0.01) for n in planned) == pytest.approx(0.01)
    with pytest.raises(ValueError, match="8 rounds are no planned look: 7, 10, 14, 20"):
        level(8, planned, 0.01)


def test_the_report_says_how_rounds_were_added_and_is_judged_at_the_level_of_one_look() -> None:
    said = plan_looks(7, 20)
    assert (said.looks, said.planned, said.alpha) == ((), (7, 10, 14, 20), 0.0025)
    assert "after 7, 10, 14 and 20 rounds, each at 0.25 % for the whole report: together at most 1.0 %" in said.rule
    # 5 rounds that do not meet: p 0.0079, enough for one look at 1 %, not for a quarter of it.
    near = [clean_run(v, i, at + 0.05 * i, 0.25, 1.5) for v, at in (("a", 10.0), ("b", 10.3)) for i in range(1, 6)]
    once = build_report(study(near, alpha=0.05))
    four = build_report(study(near, alpha=0.05, sequential=plan_looks(7, 20, 0.001)))
    assert once.variants[1].against_baseline["clean:cpu_us"].verdict == "worse"
    assert four.variants[1].against_baseline["clean:cpu_us"].verdict == "cannot tell"
    assert once.study.sequential is None
    assert four.study.sequential is not None
    assert four.study.alpha == 0.05


def test_stable_is_when_every_headline_figure_is_decided() -> None:
    def report(*costs: float, spread: float = 0.001) -> bool:
        runs = [
            clean_run(f"v{k}", i, cost * (1 + spread * ((i * 3 + k) % 7)), 0.25, 1.5)
            for k, cost in enumerate(costs)
            for i in range(1, 8)
        ]
        return not undecided_metrics(build_report(study(runs)))

    assert report(10, 12)  # worse
    assert report(10, 10)  # no change
    assert report(10, 12, 10)
    assert not report(10, 10.3, spread=0.03)
    assert not report(10, 20, 10.3, spread=0.03)


def test_a_variant_that_never_runs_is_not_waited_for() -> None:
    runs = [
        clean_run(v, i, 10, 0.25, 1.5, **({} if v == "a" else {"reason": "died"})) for v in "ab" for i in range(1, 8)
    ]
    assert not undecided_metrics(build_report(study(runs)))


@pytest.mark.slow
@pytest.mark.parametrize("noise", NOISES, ids=lambda n: n.name)
def test_looking_four_times_does_not_raise_false_verdicts(noise: Noise) -> None:
    """300 studies that add rounds until CPU time is decided; what is seen must be compatible with 1 %."""
    hits, many, _ = simulated(noise.draw, looks(7, 20), 300)
    assert share_interval(hits, many)[0] <= 0.01
    assert hits <= 6
