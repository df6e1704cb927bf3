"""The order of runs: interleaved, balanced, the control far from its baseline, refused pairs absent."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from profpipe.pipeline.prepare.schedule import RunPlan, schedule


def line(runs: tuple[RunPlan, ...], round_number: int) -> str:
    return " ".join(r.variant + ("*" if r.control else "") for r in runs if r.round == round_number)


def test_rounds_go_forward_and_back_with_the_control_at_the_far_end() -> None:
    runs = schedule(["a", "b", "c"], {"clean": 3}, "a", control=["clean"])
    assert [line(runs, n) for n in (1, 2, 3)] == ["a b c a*", "a* c b a", "a b c a*"]


def test_instruments_do_not_mix_and_only_some_are_controlled() -> None:
    runs = schedule(["a", "b"], {"clean": 1, "yappi": 2}, "a", control=["clean"])
    assert [r.profiler for r in runs] == ["clean"] * 3 + ["yappi"] * 4
    assert [r.order for r in runs] == list(range(1, 8))
    assert sum(r.control for r in runs) == 1


def test_a_refused_pair_is_not_run_nor_controlled() -> None:
    runs = schedule(
        ["a", "b"], {"pyinstrument": 2}, "a", control=["pyinstrument"], refused=frozenset({("a", "pyinstrument")})
    )
    assert [(r.variant, r.control) for r in runs] == [("b", False), ("b", False)]


@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6, unique=True), st.integers(1, 4))
def test_over_two_rounds_every_variant_runs_as_early_as_late(variants: list[str], pairs: int) -> None:
    runs = schedule(variants, {"clean": 2 * pairs}, variants[0], control=["clean"])
    places = Counter[tuple[str, bool]]()
    for run in runs:
        places[run.variant, run.control] += run.order
    assert len(set(places.values())) == 1
