"""Self, total and callers per function, each by the rule that is true for its kind of source.

- stacks: subtree sums, a function counted once per stack.
- call graph with recursion levels (callgrind --separate-recs=2): self + outgoing calls of the level-1 rows. Level 1
  never nests in itself, so this is exact inside cycles too.
- call graph without levels: the same outside cycles; inside one the total is unknown, and says so.
- measured (pstats, yappi): the tool's own total, never rebuilt from edges (under mutual recursion they do not add up).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from profpipe.model.cycles import components
from profpipe.model.profile import Ids, Profile
from profpipe.model.tree import function_tree


@dataclass(frozen=True, slots=True)
class Flame:
    """Preorder columns of a flame graph: function ids, depth from the root, self value."""

    function: Ids
    depth: Ids
    own: NDArray[np.int64]


def function_table(profile: Profile, metric: str) -> pd.DataFrame:
    """One row per function, index = function id.

    Columns: self (int64); total (Int64, <NA> = unknown); total_source "derived" | "measured" | "unknown";
    cycle (Int64, rows of one cycle share a number); calls (Int64, <NA> = the source does not count them).
    Sum of self is conserved. Raises InvalidProfile for an unknown metric.
    """
    profile.metric(metric)
    table = pd.DataFrame(index=pd.RangeIndex(len(profile.functions.name), name="function"))
    table["self"] = _self(profile, metric)
    missing = pd.array([pd.NA] * len(table), dtype="Int64")
    table["total"], table["total_source"], table["cycle"] = missing, "unknown", missing
    if profile.measured is not None:
        _measured(profile, metric, table)
    elif profile.stacks is not None:
        tree = function_tree(profile, metric)
        totals = _sum_by(tree.function[tree.outermost], tree.total[tree.outermost], len(table))
        table["total"], table["total_source"] = pd.array(totals, dtype="Int64"), "derived"
    elif profile.calls is not None:
        _call_graph(profile, metric, table)
    table["calls"] = _calls(profile)
    return table


def edges(profile: Profile, metric: str) -> pd.DataFrame:
    """Who calls whom: caller, callee (function ids), calls (Int64), value = the callee's total in these calls.

    Recursion levels are merged; rows ordered by value, largest first. Empty when the source has no edges.
    """
    profile.metric(metric)
    if profile.calls is not None:
        c, function = profile.calls, profile.frames.function
        rows = pd.DataFrame(
            {"caller": function[c.caller], "callee": function[c.callee], "calls": c.calls, "value": c.values[metric]}
        )
        rows = rows.groupby(["caller", "callee"], as_index=False, sort=False).sum()
        rows["calls"] = rows["calls"].astype("Int64")
    elif profile.stacks is not None:
        tree = function_tree(profile, metric)
        keep = tree.outermost_edge
        rows = pd.DataFrame(
            {
                "caller": tree.function[tree.parent[keep]],
                "callee": tree.function[keep],
                "value": tree.total[keep],
            }
        )
        rows = rows.groupby(["caller", "callee"], as_index=False, sort=False).sum()
        rows["calls"] = pd.array([pd.NA] * len(rows), dtype="Int64")
    else:
        rows = pd.DataFrame({"caller": [], "callee": [], "calls": pd.array([], dtype="Int64"), "value": []})
    ordered = rows.sort_values(["value", "caller", "callee"], ascending=[False, True, True], ignore_index=True)
    return ordered[["caller", "callee", "calls", "value"]]


def flame(profile: Profile, metric: str) -> Flame:
    """The flame graph of a profile that has stacks. Raises Refused for one that has not."""
    profile.metric(metric)
    tree = function_tree(profile, metric)
    return Flame(tree.function, tree.depth, tree.own)


def _sum_by(ids: Ids, values: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Integer sums per id; np.bincount would go through float64 and lose counts over 2^53."""
    out = np.zeros(size, dtype=np.int64)
    np.add.at(out, ids, values)
    return out


def _self(profile: Profile, metric: str) -> NDArray[np.int64]:
    size = len(profile.functions.name)
    if profile.samples is not None and profile.stacks is not None:
        frame = profile.stacks.frame[profile.samples.stack]
        return _sum_by(profile.frames.function[frame], profile.samples.values[metric], size)
    assert profile.costs is not None
    return _sum_by(profile.frames.function[profile.costs.frame], profile.costs.values[metric], size)


def _measured(profile: Profile, metric: str, table: pd.DataFrame) -> None:
    assert profile.measured is not None
    function = profile.frames.function[profile.measured.frame]
    totals = pd.array(_sum_by(function, profile.measured.values[metric], len(table)), dtype="Int64")
    known = np.zeros(len(table), dtype=np.bool_)
    known[function] = True
    totals[~known] = pd.NA
    table["total"] = totals
    table["total_source"] = np.where(known, "measured", "unknown")


def _call_graph(profile: Profile, metric: str, table: pd.DataFrame) -> None:
    assert profile.calls is not None
    assert profile.costs is not None
    size, frames, calls = len(table), profile.frames, profile.calls
    first = frames.level == 1
    own = first[profile.costs.frame]
    total = _sum_by(frames.function[profile.costs.frame[own]], profile.costs.values[metric][own], size)
    out = first[calls.caller]
    total += _sum_by(frames.function[calls.caller[out]], calls.values[metric][out], size)
    levels_kept = bool((frames.level > 1).any())
    cycle = components(frames.function[calls.caller], frames.function[calls.callee], size)
    in_cycle = cycle >= 0
    values = pd.array(total, dtype="Int64")
    if not levels_kept:
        values[in_cycle] = pd.NA
        table["total_source"] = np.where(in_cycle, "unknown", "derived")
    else:
        table["total_source"] = "derived"
    table["total"] = values
    numbers = pd.array(cycle, dtype="Int64")
    numbers[~in_cycle] = pd.NA
    table["cycle"] = numbers


def _calls(profile: Profile) -> pd.api.extensions.ExtensionArray:
    size, function = len(profile.functions.name), profile.frames.function
    if profile.measured is not None:
        return pd.array(_sum_by(function[profile.measured.frame], profile.measured.calls, size), dtype="Int64")
    if profile.calls is not None:
        return pd.array(_sum_by(function[profile.calls.callee], profile.calls.calls, size), dtype="Int64")
    return pd.array([pd.NA] * size, dtype="Int64")
