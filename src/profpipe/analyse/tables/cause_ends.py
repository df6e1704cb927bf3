"""Where a way through the call graph ends: at the deepest function that a reader can change something in."""

from __future__ import annotations

from profpipe.analyse.tables.cost_graph import CostGraph

# The last function that a cause names holds this much of the difference of the first one.
HELD = 0.5
# Where none holds that much, the function with the largest part is named if it has this much.
PART = 0.3


def held(graph: CostGraph, way: list[int], entry: int) -> list[int]:
    """The way without what is deeper than the last function that holds most of the entry's difference."""
    least, first = HELD * abs(graph.delta(entry)), way.index(entry)
    deep = [i for i in range(first, len(way)) if abs(graph.delta(way[i])) >= least]
    return way[: max(deep, default=first) + 1]


def with_part(graph: CostGraph, way: list[int], entry: int) -> list[int]:
    """The way, and where nothing below the entry is on it, the function that makes the largest part of the entry's
    difference, unless that makes most itself: of a handler that does several things, the name alone says little.
    """
    leaf = way[-1]
    delta = graph.delta(leaf)
    if leaf != entry or abs(graph.after.own[leaf] - graph.before.own[leaf]) >= HELD * abs(delta):
        return way
    parts = {
        row: cost / delta
        for row, cost in graph.more.get(leaf, {}).items()
        if row not in way and graph.of_source(row) and not graph.dispatches(row) and not graph.recursive(leaf, row)
    }
    row = max(parts, key=lambda row: (parts[row], -row), default=None)
    if row is None or not PART <= parts[row] <= 1 or not PART <= graph.delta(row) / delta <= 1:
        return way
    return [*way, row]
