"""Strongly connected components of a call graph, without recursion (Python's limit is 1,000 frames)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from profpipe.model.profile import Ids


def components(caller: Ids, callee: Ids, size: int) -> NDArray[np.int64]:  # long: one loop, no recursion
    """Per node the number of its cycle, -1 for nodes in none; a node that calls itself is a cycle of one.

    Tarjan's algorithm on an explicit stack: O(nodes + edges).
    """
    order = np.argsort(caller, kind="stable")
    targets = callee[order].tolist()
    first = np.searchsorted(caller[order], np.arange(size + 1)).tolist()
    result = [-1] * size
    index = [0] * size
    low = [0] * size
    on_stack = [False] * size
    stack: list[int] = []
    counter = cycles = 0
    for root in range(size):
        if index[root]:
            continue
        work = [(root, first[root])]
        counter += 1
        index[root] = low[root] = counter
        stack.append(root)
        on_stack[root] = True
        while work:
            node, edge = work[-1]
            if edge < first[node + 1]:
                work[-1] = (node, edge + 1)
                target = targets[edge]
                if not index[target]:
                    counter += 1
                    index[target] = low[target] = counter
                    stack.append(target)
                    on_stack[target] = True
                    work.append((target, first[target]))
                elif on_stack[target]:
                    low[node] = min(low[node], index[target])
                continue
            work.pop()
            if work:
                low[work[-1][0]] = min(low[work[-1][0]], low[node])
            if low[node] == index[node]:
                members = _pop_until(stack, on_stack, node)
                if len(members) > 1 or node in targets[first[node] : first[node + 1]]:
                    for member in members:
                        result[member] = cycles
                    cycles += 1
    return np.array(result, dtype=np.int64)


def _pop_until(stack: list[int], on_stack: list[bool], node: int) -> list[int]:
    members = []
    while True:
        member = stack.pop()
        on_stack[member] = False
        members.append(member)
        if member == node:
            return members
