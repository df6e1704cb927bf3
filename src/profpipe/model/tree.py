"""Stacks seen as a tree of functions: merged, in preorder, with subtree sums. No recursion anywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profpipe.errors import Refused
from profpipe.model.profile import Ids, Profile


@dataclass(frozen=True, slots=True)
class FunctionTree:
    """N nodes in preorder. `own` = self value at the node, `total` = own + descendants.

    `outermost` marks nodes whose function is not among their ancestors: summing `total` over those counts every
    stack once, however often the function is on it (rule: KDAB/hotspot, buildCallerCalleeResult).
    `outermost_edge` does the same for the pair (parent's function, function).
    """

    function: Ids
    parent: Ids
    depth: Ids
    own: NDArray[np.int64]
    total: NDArray[np.int64]
    outermost: NDArray[np.bool_]
    outermost_edge: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TreeShape:
    """What the trees of all metrics of a profile share; `node` = the node of each row of the profile's stacks."""

    function: Ids
    parent: Ids
    depth: Ids
    outermost: NDArray[np.bool_]
    outermost_edge: NDArray[np.bool_]
    node: Ids


def tree_shape(profile: Profile) -> TreeShape:
    """The profile's stacks with frames merged into functions, siblings by name. O(nodes log nodes).

    Raises Refused when the source has no stacks: a call graph has lost which caller's caller a cost belongs to.
    """
    if profile.stacks is None or profile.samples is None:
        raise Refused(
            f"{profile.meta.source or profile.meta.format}: no stacks in a {profile.meta.format} profile, "
            "so no flame graph can be drawn from it"
        )
    parents, functions, node_of_stack = _merge(profile)
    order, depth = _preorder(parents, functions, profile.functions.name)
    position = np.empty(len(order), dtype=np.int32)
    position[order] = np.arange(len(order), dtype=np.int32)
    old_parent = parents[order]
    parent = np.where(old_parent >= 0, position[old_parent], -1).astype(np.int32)
    function = functions[order]
    outermost, outermost_edge = _outermost(function, parent, depth)
    return TreeShape(
        function=function,
        parent=parent,
        depth=depth,
        outermost=outermost,
        outermost_edge=outermost_edge,
        node=position[node_of_stack],
    )


def function_tree(profile: Profile, metric: str, shape: TreeShape | None = None) -> FunctionTree:
    """The tree of a metric; `shape` = that of this profile, where it is known. Raises Refused without stacks."""
    known = tree_shape(profile) if shape is None else shape
    assert profile.samples is not None
    own = np.zeros(len(known.function), dtype=np.int64)
    np.add.at(own, known.node[profile.samples.stack], profile.samples.values[metric])
    return FunctionTree(
        function=known.function,
        parent=known.parent,
        depth=known.depth,
        own=own,
        total=_subtree_sums(own, known.parent),
        outermost=known.outermost,
        outermost_edge=known.outermost_edge,
    )


def _merge(profile: Profile) -> tuple[Ids, Ids, Ids]:
    """One node per (parent node, function): frames of one function on different lines become one.

    (parent, function) of each node, and the node of each row of the stacks.
    """
    assert profile.stacks is not None
    stack_function = profile.frames.function[profile.stacks.frame].tolist()
    nodes: dict[tuple[int, int], int] = {}
    node_of_stack: list[int] = []
    for parent, function in zip(profile.stacks.parent.tolist(), stack_function, strict=True):
        key = (node_of_stack[parent] if parent >= 0 else -1, function)
        node_of_stack.append(nodes.setdefault(key, len(nodes)))
    keys = np.array(list(nodes), dtype=np.int32).reshape(-1, 2)
    return keys[:, 0].copy(), keys[:, 1].copy(), np.array(node_of_stack, dtype=np.int32)


def _preorder(parents: Ids, functions: Ids, names: tuple[str, ...]) -> tuple[Ids, Ids]:
    rank = np.empty(len(names), dtype=np.int64)
    rank[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    by_parent = np.lexsort((-rank[functions], parents)) if len(parents) else np.empty(0, dtype=np.int64)
    starts = np.searchsorted(parents[by_parent], np.arange(-1, len(parents) + 1))
    children, first = by_parent.tolist(), starts.tolist()
    order: list[int] = []
    depths: list[int] = []
    pending = [(node, 0) for node in children[first[0] : first[1]]]
    while pending:
        node, depth = pending.pop()
        order.append(node)
        depths.append(depth)
        pending += [(child, depth + 1) for child in children[first[node + 1] : first[node + 2]]]
    return np.array(order, dtype=np.int32), np.array(depths, dtype=np.int32)


def _subtree_sums(own: NDArray[np.int64], parent: Ids) -> NDArray[np.int64]:
    total = own.tolist()
    for node, above in zip(range(len(total) - 1, -1, -1), parent.tolist()[::-1], strict=True):
        if above >= 0:
            total[above] += total[node]
    return np.array(total, dtype=np.int64)


def _outermost(function: Ids, parent: Ids, depth: Ids) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Walk in preorder, keeping how often each function and each edge is on the current path."""
    on_path: dict[int, int] = {}
    edges: dict[tuple[int, int], int] = {}
    path: list[tuple[int, tuple[int, int] | None]] = []
    first, first_edge = [], []
    functions = function.tolist()
    for own, above, level in zip(functions, parent.tolist(), depth.tolist(), strict=True):
        while len(path) > level:
            left, left_edge = path.pop()
            on_path[left] -= 1
            if left_edge is not None:
                edges[left_edge] -= 1
        edge = (functions[above], own) if above >= 0 else None
        first.append(on_path.get(own, 0) == 0)
        first_edge.append(edge is not None and edges.get(edge, 0) == 0)
        on_path[own] = on_path.get(own, 0) + 1
        if edge is not None:
            edges[edge] = edges.get(edge, 0) + 1
        path.append((own, edge))
    return np.array(first, dtype=np.bool_), np.array(first_edge, dtype=np.bool_)
