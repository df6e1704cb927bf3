"""The length of a slice follows from what requests cost by their place in it, and growth is told from weather."""

from __future__ import annotations

import numpy as np
import pytest

from profpipe.analyse.statistics.slice_length import (
    LEAST_PASSES,
    LEAST_SHARE,
    LOAD_SHARE,
    Lead,
    SliceLength,
    Trial,
    choose_lead,
    choose_length,
    passes,
)
from profpipe.analyse.statistics.slowing import slower_at_the_end

PARTS, SLICES = 12, 16


def costs(first: list[float], noise: float = 0.0, seed: int = 1) -> list[list[float]]:
    """Slices whose first parts cost so much more than the others, which cost 1."""
    rng = np.random.default_rng(seed)
    shape = np.array(first + [1.0] * (PARTS - len(first)))
    return (shape * rng.normal(1, noise, (SLICES, PARTS))).tolist()


def test_the_parts_that_cost_more_are_left_out() -> None:
    lead = choose_lead({"a": costs([1.4, 1.1]), "b": costs([1.1])}, part=40)
    assert lead.requests == 80
    assert lead.settled
    assert lead.first == {"a": pytest.approx(1.4), "b": pytest.approx(1.1)}


def test_nothing_is_left_out_where_the_first_requests_cost_what_the_others_do() -> None:
    assert choose_lead({"a": costs([1.01]), "b": costs([])}, part=40).requests == 0


def test_noise_of_a_few_slices_does_not_make_the_lead_long() -> None:
    leads = [choose_lead({"a": costs([1.5], 0.15, seed)}, part=40).requests for seed in range(50)]
    assert np.mean([lead <= 80 for lead in leads]) >= 0.9
    assert min(leads) >= 40


def test_costs_that_never_settle_are_left_out_by_half_with_a_note() -> None:
    falling = [1 + 0.5 * (PARTS - place) for place in range(PARTS)]
    lead = choose_lead({"a": costs(falling)}, part=10)
    assert (lead.requests, lead.settled) == (60, False)
    words = SliceLength(lead=lead, requests=80, pass_s=0.01, launch_s=0.5).words
    assert words.endswith("costs did not settle within 2 %")


def test_the_words_name_the_lead_and_the_worst_variant() -> None:
    lead = Lead(requests=40, part=40, first={"a": 1.3, "b": 1.1}, settled=True)
    words = SliceLength(lead=lead, requests=80, pass_s=0.01, launch_s=0.5).words
    assert (
        words == "slices of 80 requests, 40 before them left out (the first 40 of a cost 30 % more than the later ones)"
    )


def trial(requests: int, noise: float, pass_s: float) -> Trial:
    rng = np.random.default_rng(requests)
    return Trial(requests, {name: rng.normal(1, noise, 200).tolist() for name in ("base", "other")}, pass_s)


def test_the_length_that_is_most_certain_for_its_time_is_taken() -> None:
    long, short = trial(400, 0.05, 0.010), trial(100, 0.06, 0.003)
    assert choose_length([long, short], "base") is short
    assert choose_length([long, trial(100, 0.15, 0.003)], "base") is long


def test_passes_fill_most_of_a_start_but_leave_room_for_starts() -> None:
    many = passes(pass_s=0.01, launch_s=0.5, budget_s=600)
    assert many * 0.01 / (many * 0.01 + 0.5) == pytest.approx(LOAD_SHARE, abs=0.01)
    assert passes(pass_s=0.01, launch_s=0.5, budget_s=12) == 50
    assert passes(pass_s=1.0, launch_s=5.0, budget_s=10) == 12
    short = passes(pass_s=0.0125, launch_s=1.4, budget_s=15)
    assert short * 0.0125 / (short * 0.0125 + 1.4) == pytest.approx(LEAST_SHARE, abs=0.01), "no start is mostly launch"


def weather(many: int, seed: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Spells of some tens of slices in which everything costs 1.6 times as much, and noise."""
    rng = np.random.default_rng(seed)
    spells = np.repeat(rng.choice([1.0, 1.6], size=many // 20 + 1), 20)[:many]
    return spells * rng.normal(1, 0.05, many) * 1e5


@pytest.mark.slow
def test_spells_of_weather_are_not_taken_for_growth() -> None:
    found = []
    for seed in range(600):
        costs_of = {name: weather(200, seed * 3 + number) for number, name in enumerate("abc")}
        found.append(slower_at_the_end({name: values.astype(int).tolist() for name, values in costs_of.items()}))
    assert sum(each is not None for each in found) <= 1


def test_growth_of_one_variant_is_named_and_growth_of_all_is_not() -> None:
    leak = np.linspace(1, 1.6, 200)
    spells = weather(200, 2)
    one = {name: (spells * (leak if name == "b" else 1)).astype(int).tolist() for name in "abc"}
    found = slower_at_the_end(one)
    assert found is not None
    assert found[0] == "b"
    assert "became slower" in found[1]
    every = {name: (leak * 1e5).astype(int).tolist() for name in "abc"}
    assert slower_at_the_end(every) is None


def test_too_few_slices_or_variants_say_nothing() -> None:
    assert slower_at_the_end({"a": [1] * 20 + [9] * 20, "b": [1] * 40}) is None
    assert slower_at_the_end({"a": list(range(1, 200))}) is None


def test_slow_requests_get_fewer_passes_a_start_so_that_a_verdict_has_its_starts() -> None:
    """Twelve passes of 3 s would be one start of 40 s, and a verdict needs five."""
    assert passes(pass_s=1.5, launch_s=1.0, budget_s=42.0) == 4
    assert passes(pass_s=3.0, launch_s=1.0, budget_s=42.0) == 3  # five starts of 10 s, in 1.3 times the budget
    assert passes(pass_s=4.0, launch_s=1.0, budget_s=42.0) == LEAST_PASSES  # no verdict is within reach
