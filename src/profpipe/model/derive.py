"""Self, total and callers per function, each by the rule that is true for its kind of source.

- stacks: subtree sums, a function counted once per stack.
- call graph with recursion levels (callgrind --separate-recs=2): self + outgoing calls of the level-1 rows. Level 1
  never nests in itself, so this is exact inside cycles too.
- call graph without levels: the same outside cycles; inside one the total is unknown, and says so.
- measured (pstats, yappi): the tool's own total, never rebuilt from edges (under mutual recursion they do not add up).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from profpipe.model.cycles import components
from profpipe.model.profile import Ids, Profile
from profpipe.model.tree import TreeShape, function_tree, tree_shape

if TYPE_CHECKING:
    import pandas as pd

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Flame:
    """Preorder columns of a flame graph: function ids, depth from the root, self value."""

    function: Ids
    depth: Ids
    own: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FunctionColumns:
    """One value per function, by function id.

    `known` = which of the totals are known; the others are 0. `source` = where the known totals are from. `cycle` = the
    number of the function's cycle in the call graph, -1 outside cycles. `calls` is None where the source counts none.
    """

    own: Counts
    total: Counts
    known: NDArray[np.bool_]
    source: Literal["derived", "measured"]
    cycle: Counts
    calls: Counts | None


@dataclass(frozen=True, slots=True)
class Edges:
    """One row for each pair of functions that call each other, by function id, the largest value first.

    `value` = the callee's total in these calls. `calls` is None where the source does not count them.
    """

    caller: Counts
    callee: Counts
    calls: Counts | None
    value: Counts


def function_columns(profile: Profile, metric: str) -> FunctionColumns:
    """Self, total and calls of every function. The sum of self is the profile's. Raises InvalidProfile for an unknown
    metric."""
    return _columns(profile, metric, None)


def columns_of_metrics(profile: Profile) -> dict[str, FunctionColumns]:
    """The same for every metric of the profile: what its stacks have in common is worked out once."""
    shape = tree_shape(profile) if profile.stacks is not None and profile.measured is None else None
    return {metric.key: _columns(profile, metric.key, shape) for metric in profile.metrics}


def _columns(profile: Profile, metric: str, shape: TreeShape | None) -> FunctionColumns:
    profile.metric(metric)
    size = len(profile.functions.name)
    total: Counts = np.zeros(size, dtype=np.int64)
    known: NDArray[np.bool_] = np.zeros(size, dtype=np.bool_)
    cycle: Counts = np.full(size, -1, dtype=np.int64)
    if profile.measured is not None:
        function = profile.frames.function[profile.measured.frame]
        total = _sum_by(function, profile.measured.values[metric], size)
        known[function] = True
    elif profile.stacks is not None:
        tree = function_tree(profile, metric, shape)
        total = _sum_by(tree.function[tree.outermost], tree.total[tree.outermost], size)
        known[:] = True
    elif profile.calls is not None:
        total, known, cycle = _call_graph(profile, metric)
    return FunctionColumns(
        own=own_costs(profile, metric),
        total=np.where(known, total, 0),
        known=known,
        source="derived" if profile.measured is None else "measured",
        cycle=cycle,
        calls=_calls(profile),
    )


def function_table(profile: Profile, metric: str) -> pd.DataFrame:
    """`function_columns` as a table, one row per function, index = function id.

    Columns: self (int64); total (Int64, <NA> = unknown); total_source "derived" | "measured" | "unknown";
    cycle (Int64, rows of one cycle share a number); calls (Int64, <NA> = the source does not count them).
    """
    import pandas as pd  # 0.2 s of CPU, which the hotspot list of one capture does not need

    columns = function_columns(profile, metric)
    size = len(columns.own)
    uncounted = np.full(size, columns.calls is None)
    return pd.DataFrame(
        {
            "self": columns.own,
            "total": pd.arrays.IntegerArray(columns.total, ~columns.known),
            "total_source": np.where(columns.known, columns.source, "unknown"),
            "cycle": pd.arrays.IntegerArray(columns.cycle, columns.cycle < 0),
            "calls": pd.arrays.IntegerArray(columns.own * 0 if columns.calls is None else columns.calls, uncounted),
        },
        index=pd.RangeIndex(size, name="function"),
    )


def edges(profile: Profile, metric: str) -> Edges:
    """Who calls whom. Recursion levels are merged. Empty when the source has no edges. Raises InvalidProfile for an
    unknown metric."""
    profile.metric(metric)
    if profile.calls is not None:
        c, function = profile.calls, profile.frames.function
        return _edges_of(function[c.caller], function[c.callee], c.calls, c.values[metric])
    if profile.stacks is not None:
        tree = function_tree(profile, metric)
        keep = tree.outermost_edge
        return _edges_of(tree.function[tree.parent[keep]], tree.function[keep], None, tree.total[keep])
    nothing = np.zeros(0, dtype=np.int64)
    return Edges(caller=nothing, callee=nothing, calls=None, value=nothing)


def _edges_of(caller: Ids, callee: Ids, calls: Counts | None, value: Counts) -> Edges:
    """One edge for each pair, the largest value first. With numpy: as pandas' groupby it was a tenth of a report."""
    size = int(max(caller.max(initial=0), callee.max(initial=0))) + 1
    keys, pair = np.unique(caller.astype(np.int64) * size + callee, return_inverse=True)
    values = _sum_by(pair, value, len(keys))
    callers, callees = np.divmod(keys, size)
    order = np.lexsort((callees, callers, -values))
    return Edges(
        caller=callers[order],
        callee=callees[order],
        calls=None if calls is None else _sum_by(pair, calls, len(keys))[order],
        value=values[order],
    )


def flame(profile: Profile, metric: str) -> Flame:
    """The flame graph of a profile that has stacks. Raises Refused for one that has not."""
    profile.metric(metric)
    tree = function_tree(profile, metric)
    return Flame(tree.function, tree.depth, tree.own)


def _sum_by(ids: Ids | NDArray[np.intp], values: Counts, size: int) -> Counts:
    """Integer sums per id; np.bincount would go through float64 and lose counts over 2^53."""
    out = np.zeros(size, dtype=np.int64)
    np.add.at(out, ids, values)
    return out


def own_costs(profile: Profile, metric: str) -> Counts:
    """Self of every function, by function id."""
    size = len(profile.functions.name)
    if profile.samples is not None and profile.stacks is not None:
        frame = profile.stacks.frame[profile.samples.stack]
        return _sum_by(profile.frames.function[frame], profile.samples.values[metric], size)
    assert profile.costs is not None
    return _sum_by(profile.frames.function[profile.costs.frame], profile.costs.values[metric], size)


def _call_graph(profile: Profile, metric: str) -> tuple[Counts, NDArray[np.bool_], Counts]:
    """Total, whether it is known, and the cycle of every function of a call graph."""
    assert profile.calls is not None
    assert profile.costs is not None
    size, frames, calls = len(profile.functions.name), profile.frames, profile.calls
    first = frames.level == 1
    own = first[profile.costs.frame]
    total = _sum_by(frames.function[profile.costs.frame[own]], profile.costs.values[metric][own], size)
    out = first[calls.caller]
    total += _sum_by(frames.function[calls.caller[out]], calls.values[metric][out], size)
    cycle = components(frames.function[calls.caller], frames.function[calls.callee], size)
    levels_kept = bool((frames.level > 1).any())
    return total, (cycle < 0) | levels_kept, cycle


def _calls(profile: Profile) -> Counts | None:
    size, function = len(profile.functions.name), profile.frames.function
    if profile.measured is not None:
        return _sum_by(function[profile.measured.frame], profile.measured.calls, size)
    if profile.calls is not None:
        return _sum_by(function[profile.calls.callee], profile.calls.calls, size)
    return None
