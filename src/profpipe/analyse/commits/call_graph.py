"""The call graph of one variant and of two commits, as matching and moved cost need them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profpipe.analyse.function_index import Index, Known
from profpipe.analyse.matrix import Matrix
from profpipe.analyse.statistics.medians import Floats
from profpipe.units import Metric

Flags = NDArray[np.bool_]
Edges = Mapping[tuple[int, int], float]


@dataclass(frozen=True, slots=True)
class VariantGraph:
    """One variant of a matrix, one entry per row of the index: medians over its valid runs, per request.

    `calls` is NaN where unknown. `present` = some run saw the function, control runs included: a function that is
    missing from some samples by chance is kept. `callers` and `callees` hold calls per request.
    """

    own: Floats
    calls: Floats
    present: Flags
    callers: Mapping[int, Mapping[int, float]]
    callees: Mapping[int, Mapping[int, float]]


@dataclass(frozen=True, slots=True)
class CommitGraphs:
    """The graphs of two commits over the same rows. `metric` is None where size is no cost (traced calls)."""

    functions: Sequence[Known]
    before: VariantGraph
    after: VariantGraph
    metric: Metric | None
    per: str = "request"


def variant_graph(matrix: Matrix, variant: str, edges: Edges) -> VariantGraph | None:
    """None when the variant has no valid run: then no function is known to be absent from it."""
    columns = matrix.columns(variant)
    if not columns:
        return None
    every = [*columns, *matrix.columns(variant, control=True)]
    calls = matrix.calls[:, columns]
    callers: dict[int, dict[int, float]] = {}
    callees: dict[int, dict[int, float]] = {}
    present: Flags = np.zeros(len(matrix.own), dtype=np.bool_)
    present |= (matrix.own[:, every] > 0).any(axis=1)
    present |= (np.nan_to_num(matrix.calls[:, every]) > 0).any(axis=1)
    for (caller, callee), count in edges.items():
        callers.setdefault(callee, {})[caller] = count
        callees.setdefault(caller, {})[callee] = count
        present[[caller, callee]] = True
    return VariantGraph(
        own=np.median(matrix.own[:, columns], axis=1),
        calls=np.median(calls, axis=1),
        present=present,
        callers=callers,
        callees=callees,
    )


def variant_edges(matrix: Matrix, variant: str, index: Index, others: Mapping[str, Edges]) -> Edges:
    """A variant's edges: its own, else those that another profiler found (`others`, by variant).

    perf knows neither files nor calls, callgrind knows both. Its edges are taken over between functions that have the
    same object and name, where only one function has them.
    """
    own = matrix.edges.get(variant, {})
    other = others.get(variant, {})
    if own or not other:
        return own
    seen = np.flatnonzero((matrix.own[:, matrix.columns(variant)] > 0).any(axis=1)).tolist()
    by_name: dict[tuple[str, str, str], list[int]] = {}
    for row in seen:
        by_name.setdefault(_plain(index, row), []).append(row)
    unique = {name: rows[0] for name, rows in by_name.items() if len(rows) == 1}
    found: dict[tuple[int, int], float] = {}
    for (caller, callee), count in other.items():
        a, b = unique.get(_plain(index, caller)), unique.get(_plain(index, callee))
        if a is not None and b is not None:
            found[a, b] = found.get((a, b), 0.0) + count
    return found


def _plain(index: Index, row: int) -> tuple[str, str, str]:
    key = index.functions[row].key
    return key.language, key.object, key.name
