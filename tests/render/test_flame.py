"""Flame graphs as the page carries them: every frame of every graph, packed, and which two are laid over each other."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profpipe.model.report import Flame, Report
from profpipe.render.page.flame_graph import difference_heads, flame_data, flame_view, pairs
from tests.support.sample_report import document, sample


def unpacked(graph: dict[str, Any]) -> tuple[list[float], list[int], list[int]]:
    """own, frame and depth, read as the page reads them."""
    data = zlib.decompress(base64.b64decode(graph["columns"]))
    many, (frame, depth) = graph["nodes"], graph["width"]
    own, rest = data[: 4 * many], data[4 * many :]
    types = {1: "u1", 2: "<u2", 4: "<u4"}
    frames, depths = rest[: frame * many], rest[frame * many :]
    assert len(depths) == depth * many
    return (
        np.frombuffer(own, "<f4").tolist(),
        np.frombuffer(frames, types[frame]).tolist(),
        np.frombuffer(depths, types[depth]).tolist(),
    )


def with_flames(*flames: Flame) -> Report:
    return sample().model_copy(update={"flames": flames})


@st.composite
def flames(draw: st.DrawFn) -> Flame:
    depth = [0]
    for step in draw(st.lists(st.integers(0, 6), max_size=60)):
        depth.append(min(step, depth[-1] + 1))
    names = draw(st.lists(st.text(max_size=4), min_size=1, max_size=6))
    places, values = st.integers(0, len(names) - 1), st.integers(0, 4000).map(lambda value: value / 8)
    return Flame(
        variant="threads",
        metric="yappi:calls",
        names=tuple(names),
        name_kind=tuple(draw(st.integers(0, 3)) for _ in names),
        function=tuple(draw(places) for _ in depth),
        depth=tuple(depth),
        own=tuple(draw(values) for _ in depth),
    )


@given(st.lists(flames(), min_size=1, max_size=3))
def test_every_frame_arrives_in_its_place(given_: list[Flame]) -> None:
    data = flame_data(with_flames(*given_))
    kinds = list(zip(data["names"], data["kind"], strict=True))
    for flame, graph in zip(given_, data["graphs"], strict=True):
        own, frame, depth = unpacked(graph)
        assert own == list(flame.own)
        assert depth == list(flame.depth)
        assert [kinds[f][1] for f in frame] == [flame.name_kind[f] for f in flame.function]


def test_a_frame_of_two_graphs_has_one_number_and_numbers_follow_names() -> None:
    first = (
        sample()
        .flames[0]
        .model_copy(
            update={"names": ("b", "a", "a"), "name_kind": (0, 0, 1), "function": (0, 1, 2), "depth": (0, 1, 1)}
        )
    )
    first = first.model_copy(update={"own": (1.0, 2.0, 3.0)})
    second = first.model_copy(update={"names": ("a", "c", "b"), "name_kind": (1, 0, 0), "variant": "uvloop"})
    data = flame_data(with_flames(first, second))
    assert list(zip(data["names"], data["kind"], strict=True)) == [("a", 0), ("a", 1), ("b", 0), ("c", 0)]
    assert [unpacked(graph)[1] for graph in data["graphs"]] == [[2, 0, 1], [1, 3, 2]]


@pytest.mark.parametrize(("deepest", "width"), [(255, 1), (256, 2), (30_000, 2), (70_000, 4)])
def test_no_depth_is_too_deep(deepest: int, width: int) -> None:
    many = deepest + 1
    deep = (
        sample()
        .flames[0]
        .model_copy(update={"function": (0,) * many, "depth": tuple(range(many)), "own": (0.0,) * deepest + (1.0,)})
    )
    graph = flame_data(with_flames(deep))["graphs"][0]
    assert graph["width"][1] == width
    assert unpacked(graph)[2] == list(range(many))


def test_the_baseline_is_compared_with_every_contender_that_has_the_same_graph() -> None:
    report = sample()
    other = report.flames[1].model_copy(update={"metric": "perf:cpu_ns"})
    report = report.model_copy(update={"flames": (*report.flames, other)})
    assert [(p.id, p.baseline, p.contender) for p in pairs(report)] == [
        ("diff-yappi-calls-asyncio-protocol", 0, 1),
        ("diff-yappi-calls-asyncio-streams", 0, 2),
    ]
    heads = difference_heads(report)
    assert [(h.variant, h.contender) for h in heads] == [
        ("threads, blocking sockets", "asyncio, Protocol"),
        ("threads, blocking sockets", "asyncio, streams"),
    ]


def test_without_a_graph_of_the_baseline_there_is_no_difference() -> None:
    data = document()
    data["flames"] = data["flames"][1:]
    view = flame_view(Report.model_validate(data))
    assert view
    assert view.differences == ()
    assert len(view.graphs) == 2
