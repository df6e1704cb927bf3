"""The model: what check_profile refuses, what derive conserves, what the codec gives back."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profpipe.errors import InvalidProfile, Refused
from profpipe.model.build import Builder
from profpipe.model.codec import dump_json, load_json
from profpipe.model.cycles import components
from profpipe.model.derive import edges, flame, function_table
from profpipe.model.profile import Meta, Profile, Stacks, check_profile
from profpipe.units import CPU_NS, INSTRUCTIONS, SAMPLES

STACK = st.lists(st.sampled_from("abcd"), min_size=1, max_size=6)
FOLDED = st.lists(st.tuples(STACK, st.integers(1, 9)), min_size=1, max_size=12)


def sampled(rows: list[tuple[list[str], int]]) -> Profile:
    builder = Builder("sampled", [SAMPLES])
    for names, value in rows:
        stack = -1
        for name in names:
            stack = builder.stack(stack, builder.frame(builder.function(name)))
        builder.sample(stack, [value])
    return builder.freeze(Meta("folded", "test"))


def counted(costs: dict[tuple[str, int], int], calls: list[tuple[tuple[str, int], tuple[str, int], int]]) -> Profile:
    builder = Builder("counted", [INSTRUCTIONS])

    def frame(place: tuple[str, int]) -> int:
        return builder.frame(builder.function(place[0]), level=place[1])

    for place, value in costs.items():
        builder.cost(frame(place), [value])
    for caller, callee, value in calls:
        builder.call(frame(caller), frame(callee), 1, [value])
    return builder.freeze(Meta("callgrind", "test"))


def by_name(profile: Profile, column: str) -> dict[str, object]:
    table = function_table(profile, profile.metrics[0].key)
    return dict(zip(profile.functions.name, table[column].tolist(), strict=True))


@given(FOLDED)
def test_self_and_total_of_stacks_equal_brute_force(rows: list[tuple[list[str], int]]) -> None:
    profile = sampled(rows)
    own, total = Counter[str](), Counter[str]()
    for names, value in rows:
        own[names[-1]] += value
        for name in set(names):
            total[name] += value
    assert by_name(profile, "self") == {name: own[name] for name in profile.functions.name}
    assert by_name(profile, "total") == dict(total)


@given(FOLDED)
def test_edges_of_stacks_count_a_pair_once_per_stack(rows: list[tuple[list[str], int]]) -> None:
    profile = sampled(rows)
    expected = Counter[tuple[str, str]]()
    for names, value in rows:
        for pair in set(itertools.pairwise(names)):
            expected[pair] += value
    table, names = edges(profile, "samples"), profile.functions.name
    found = {
        (names[caller], names[callee]): value
        for caller, callee, value in zip(table.caller, table.callee, table.value, strict=True)
    }
    assert found == dict(expected)


@given(FOLDED)
def test_flame_is_preorder_and_keeps_the_sum(rows: list[tuple[list[str], int]]) -> None:
    profile = sampled(rows)
    graph = flame(profile, "samples")
    assert graph.own.sum() == sum(value for _, value in rows)
    assert graph.depth[0] == 0
    assert (np.diff(graph.depth) <= 1).all()


@given(FOLDED)
def test_codec_gives_the_same_profile_back(rows: list[tuple[list[str], int]]) -> None:
    data = dump_json(sampled(rows))
    assert dump_json(load_json(data)) == data


def test_a_stack_of_thirty_thousand_frames_is_no_problem() -> None:
    profile = sampled([(["f", "g"] * 15_000, 7)])
    assert by_name(profile, "total") == {"f": 7, "g": 7}


def test_recursion_levels_make_totals_exact_inside_a_cycle() -> None:
    """main(1) -> a(10) -> b(100) -> a'2(1000): a's total is 1110, not the 2110 of naive adding."""
    profile = counted(
        {("main", 1): 1, ("a", 1): 10, ("b", 1): 100, ("a", 2): 1000},
        [(("main", 1), ("a", 1), 1110), (("a", 1), ("b", 1), 1100), (("b", 1), ("a", 2), 1000)],
    )
    assert by_name(profile, "total") == {"main": 1111, "a": 1110, "b": 1100}
    assert by_name(profile, "self") == {"main": 1, "a": 1010, "b": 100}


def test_a_cycle_without_levels_has_no_total_and_says_so() -> None:
    profile = counted(
        {("main", 1): 1, ("a", 1): 10, ("b", 1): 100},
        [(("main", 1), ("a", 1), 110), (("a", 1), ("b", 1), 105), (("b", 1), ("a", 1), 4)],
    )
    table = function_table(profile, "instructions")
    assert table["total_source"].tolist() == ["derived", "unknown", "unknown"]
    assert table["total"].isna().tolist() == [False, True, True]
    assert table["cycle"].tolist()[1:] == [0, 0]


def test_measured_totals_are_never_rebuilt_from_edges() -> None:
    builder = Builder("traced", [CPU_NS])
    f, g = (builder.frame(builder.function(name)) for name in "fg")
    builder.cost(f, [5])
    builder.cost(g, [1])
    builder.total(f, 3, [9])
    builder.call(g, f, 3, [100])
    profile = builder.freeze(Meta("yappi", "test"))
    assert by_name(profile, "total")["f"] == 9
    table = function_table(profile, "cpu_ns")
    assert table["calls"].tolist() == [3, 0]
    assert table["total_source"].tolist() == ["measured", "unknown"]


def test_a_call_graph_refuses_a_flame_graph_with_the_reason() -> None:
    with pytest.raises(Refused, match="no stacks in a callgrind profile"):
        flame(counted({("main", 1): 1}, []), "instructions")


@pytest.mark.parametrize(
    ("edges_", "cycle"),
    [
        ([(0, 1), (1, 2)], [-1, -1, -1]),
        ([(0, 0)], [0]),
        ([(0, 1), (1, 0), (1, 2)], [0, 0, -1]),
        ([(i, i + 1) for i in range(5000)] + [(5000, 0)], [0] * 5001),
    ],
)
def test_cycles(edges_: list[tuple[int, int]], cycle: list[int]) -> None:
    pairs = np.array(edges_, dtype=np.int32)
    assert components(pairs[:, 0], pairs[:, 1], len(cycle)).tolist() == cycle


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (lambda p: replace(p, stacks=Stacks(p.stacks.parent + 1, p.stacks.frame)), "not before its row"),
        (lambda p: replace(p, samples=None), "either samples or costs"),
        (lambda p: replace(p, frames=replace(p.frames, function=p.frames.function + 9)), "outside 0"),
        (lambda p: replace(p, samples=replace(p.samples, values={})), "lacks the column samples"),
        (
            lambda p: replace(p, samples=replace(p.samples, values={"samples": -p.samples.values["samples"]})),
            "negative value",
        ),
        (
            lambda p: replace(
                p, samples=replace(p.samples, values={"samples": p.samples.values["samples"].astype(np.float64)})
            ),
            "not int64",
        ),
    ],
)
def test_check_profile_names_the_rule(broken: object, words: str) -> None:
    profile = sampled([(["a", "b"], 3)])
    with pytest.raises(InvalidProfile, match=words):
        check_profile(broken(profile))  # type: ignore[operator]


def test_unknown_schema_is_refused_by_name() -> None:
    with pytest.raises(InvalidProfile, match="this version reads"):
        load_json(b'{"schema": "profpipe.profile/9"}')
