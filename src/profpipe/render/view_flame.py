"""Flame graphs for the page's script: preorder columns packed as typed arrays, the smallest frames folded.

Column j of a graph holds node j: name, depth, own value per request. 7 to 10 bytes a node before base64.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np

from profpipe.model.report import Flame, Report
from profpipe.render.view_hotspots import hue_of
from profpipe.render.view_text import anchor, per_what, visible

# Of all graphs of a page together: some 160 KB of its megabyte in base64.
NODES = 16_000
FOLDED = "(frames too small to draw)"
RUNTIMES = ("python", "native", "kernel", "synthetic")


@dataclass(frozen=True, slots=True)
class FlameHead:
    """What the page says about a graph before its script draws it. `folded` = frames summed up per caller."""

    id: str
    variant: str
    variant_id: str
    metric: str
    metric_key: str
    nodes: str
    folded: str


@dataclass(frozen=True, slots=True)
class Columns:
    names: tuple[str, ...]
    kind: tuple[int, ...]
    function: tuple[int, ...]
    depth: tuple[int, ...]
    own: tuple[float, ...]


def flame_heads(report: Report) -> tuple[FlameHead, ...]:
    budget = _budget(report)
    labels = {v.id: visible(v.label) for v in report.variants}
    metrics = {m.key: f"{per_what(visible(m.label))[0]} ({visible(m.profiler)})" for m in report.metrics}
    found = []
    for flame in report.flames:
        kept = fold(columns(flame), budget)
        lost = len(flame.function) - sum(kept.names[f] != FOLDED for f in kept.function)
        folded = f"{lost:,} frames too narrow to see are drawn as one per caller" if lost else ""
        found.append(
            FlameHead(
                flame_id(flame),
                labels.get(flame.variant, visible(flame.variant)),
                anchor(flame.variant),
                metrics.get(flame.metric, visible(flame.metric)),
                anchor(flame.metric),
                f"{len(flame.function):,} frames",
                folded,
            )
        )
    return tuple(found)


def flame_id(flame: Flame) -> str:
    return anchor("flame", flame.metric, flame.variant)


def _budget(report: Report) -> int:
    return max(NODES // max(len(report.flames), 1), 500)


def columns(flame: Flame) -> Columns:
    return Columns(flame.names, flame.name_kind, flame.function, flame.depth, flame.own)


def totals(depth: tuple[int, ...], own: tuple[float, ...]) -> list[float]:
    """Own value plus that of everything below, for nodes in preorder."""
    found = [0.0] * len(own)
    below = [0.0] * (max(depth, default=0) + 2)
    for node in range(len(own) - 1, -1, -1):
        level = depth[node]
        found[node] = own[node] + below[level + 1]
        below[level + 1] = 0.0
        below[level] += found[node]
    return found


def fold(graph: Columns, budget: int) -> Columns:
    """At most about `budget` nodes: the smallest subtrees become one child of their caller each. Sums stay equal."""
    if len(graph.function) <= budget:
        return graph
    total = totals(graph.depth, graph.own)
    limit = sorted(total, reverse=True)[budget // 2]
    names = (*graph.names, FOLDED)
    function: list[int] = []
    depth: list[int] = []
    own: list[float] = []
    dropped: list[float] = []  # by level of the open path: what was left out directly below

    def close(level: int) -> None:
        while len(dropped) > level:
            rest = dropped.pop()
            if rest > 0:
                function.append(len(names) - 1)
                depth.append(len(dropped) + 1)
                own.append(rest)

    skip: int | None = None
    for node, level in enumerate(graph.depth):
        if skip is not None and level > skip:
            continue
        skip = None
        if total[node] < limit and level > 0:
            close(level)
            dropped[-1] += total[node]
            skip = level
            continue
        close(level)
        dropped.append(0.0)
        function.append(graph.function[node])
        depth.append(level)
        own.append(graph.own[node])
    close(0)
    return Columns(names, (*graph.kind, RUNTIMES.index("synthetic")), tuple(function), tuple(depth), tuple(own))


def flame_data(report: Report) -> list[dict[str, Any]]:
    """One entry per graph, in the order of `flame_heads`: names as text, columns little-endian in base64."""
    budget = _budget(report)
    hues = hue_of(report)
    category = {f.function.name: row.category for table in report.hotspots for row in table.rows for f in row.functions}
    labels = {c.key: visible(c.label) for c in report.categories}
    units = {m.key: m.unit for m in report.metrics}
    found = []
    for flame in report.flames:
        graph = fold(columns(flame), budget)
        keys = [category.get(name, "") for name in graph.names]
        found.append(
            {
                "id": flame_id(flame),
                "unit": units.get(flame.metric, "1"),
                "names": [visible(name, limit=240) for name in graph.names],
                "kind": list(graph.kind),
                "category": [labels.get(key, "") for key in keys],
                "hue": [hues.get(key, 0) if key else -1 for key in keys],
                "function": _packed(graph.function, "<u2" if len(graph.names) <= 0xFFFF else "<u4"),
                "depth": _packed(graph.depth, "<u2" if max(graph.depth, default=0) > 0xFF else "u1"),
                "own": _packed(graph.own, "<f4"),
            }
        )
    return found


def _packed(values: tuple[int, ...] | tuple[float, ...], dtype: str) -> str:
    return base64.b64encode(np.asarray(values, dtype=dtype).tobytes()).decode("ascii")
