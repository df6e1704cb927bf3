"""One variant's functions and who calls whom in it, as alignment and moved cost need them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profpipe.analyse.function_index import Index
from profpipe.analyse.matrix import Matrix
from profpipe.analyse.statistics.medians import Floats

Flags = NDArray[np.bool_]
Edges = Mapping[tuple[int, int], float]


@dataclass(frozen=True, slots=True)
class Side:
    """One variant of a matrix, one entry per row of the index: medians over its valid runs, per request.

    `calls` is NaN where unknown. `present` is whether any run saw the function at all, the control's included: a
    function that luck kept out of some samples is not gone. `callers` and `callees` hold calls per request.
    """

    own: Floats
    calls: Floats
    present: Flags
    callers: Mapping[int, Mapping[int, float]]
    callees: Mapping[int, Mapping[int, float]]


def side_of(matrix: Matrix, variant: str, links: Edges) -> Side | None:
    """None when the variant has no valid run: nothing can be said to be absent from it."""
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
    for (caller, callee), count in links.items():
        callers.setdefault(callee, {})[caller] = count
        callees.setdefault(caller, {})[callee] = count
        present[[caller, callee]] = True
    return Side(np.median(matrix.own[:, columns], axis=1), np.median(calls, axis=1), present, callers, callees)


def links_of(matrix: Matrix, variant: str, index: Index, others: Mapping[str, Edges]) -> Edges:
    """A variant's edges: its own, else those of another profiler (`others`, by variant) between functions of one name.

    perf knows no files and no calls, callgrind knows both: functions are one by object and name, where that is unique.
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
    return key.family, key.object, key.name
