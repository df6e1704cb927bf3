"""What V8's profile formats share: call frames of JavaScript functions, trees of nodes, and times between samples.

A function is a name, a url and the place of its definition, from 0. Names may begin with the sign of the compiler that
made the code (`*` optimised, `~` interpreted, `^` and `+` between): a function is one row whichever compiled it.
Functions of one name on one line, as in minified code, are told apart by their column.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from profpipe.errors import ParseError
from profpipe.model.build import Builder
from profpipe.model.profile import NATIVE, SYNTHETIC
from profpipe.parse.reading import INT32_MAX, INT64_MAX, list_field, object_field, text_field

ROOT = "(root)"
ANONYMOUS = "(anonymous)"
TIERS = "*~^+"


@dataclass(frozen=True, slots=True)
class CallFrame:
    """A function as V8 names it. `line` counts from 1, 0 = unknown; `column` counts from 1 too."""

    name: str
    url: str
    line: int
    column: int

    @property
    def is_state(self) -> bool:
        """Whether this is no function but a state of V8: (idle), (program), (garbage collector)."""
        return not self.url and self.name.startswith("(") and self.name != ANONYMOUS


@dataclass(frozen=True, slots=True)
class Node:
    """A call path: a function and the node of its caller, None at the root."""

    frame: CallFrame
    parent: object


def call_frame(value: object, source: str) -> CallFrame:
    item = object_field(value, source, "callFrame")
    name = text_field(item.get("functionName", ""), source, "functionName").lstrip(TIERS) or ANONYMOUS
    url = text_field(item.get("url") or "", source, "url")
    return CallFrame(name, url, _from_one(item.get("lineNumber")), _from_one(item.get("columnNumber")))


def _from_one(value: object) -> int:
    """A position from 0 as one from 1; 0 for none (V8 writes -1)."""
    return value + 1 if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < INT32_MAX else 0


class NodeTree:
    """Nodes as stacks of a builder. Raises ParseError for a node whose caller is missing, or is its own caller."""

    def __init__(self, builder: Builder, nodes: Mapping[Any, Node], source: str) -> None:
        self.builder, self._nodes, self._source = builder, nodes, source
        self._rows: dict[Any, int] = {}
        self._frames: dict[CallFrame, int] = {}
        columns: dict[tuple[str, str, int], set[int]] = {}
        for node in nodes.values():
            columns.setdefault((node.frame.name, node.frame.url, node.frame.line), set()).add(node.frame.column)
        self._shared = {place for place, found in columns.items() if len(found) > 1}

    def row(self, id: Any) -> int:
        """The stack of a node; -1 for the root, which is no function."""
        path = []
        at: Any = id
        while at is not None and at not in self._rows:
            node = self._nodes.get(at)
            if node is None:
                raise ParseError(self._source, f"node {str(at)[:20]} is missing: the file is not whole")
            path.append((at, node))
            if len(path) > len(self._nodes):
                raise ParseError(self._source, f"node {str(at)[:20]} is its own caller")
            at = node.parent
        row = -1 if at is None else self._rows[at]
        for at, node in reversed(path):
            if not (node.parent is None and node.frame.name == ROOT):
                row = self.builder.stack(row, self.frame(node.frame))
            self._rows[at] = row
        return row

    def frame(self, frame: CallFrame) -> int:
        found = self._frames.get(frame)
        if found is None:
            name = frame.name
            if (frame.name, frame.url, frame.line) in self._shared and frame.column:
                name = f"{name} [column {frame.column}]"
            runtime = SYNTHETIC if frame.is_state else NATIVE
            function = self.builder.function(name, frame.url, "", frame.line, runtime)
            found = self._frames[frame] = self.builder.frame(function)
        return found

    def state(self, name: str) -> int:
        """The stack of a state of V8 that the nodes do not have."""
        return self.builder.stack(-1, self.frame(CallFrame(name, "", 0, 0)))


def durations(deltas: Sequence[object], start: int, end: int, source: str) -> list[int]:
    """Microseconds that each sample lasts, in the order of the samples; their sum is the time of the recording.

    A delta is the time since the sample before it, the first one since `start`. V8 may write samples out of order, with
    negative deltas. A sample lasts until the one that follows it in time; the last one until `end`. 0 = no end is
    known: the last sample lasts as long as the one before it.
    """
    times, now = [], start
    for delta in deltas:
        if isinstance(delta, bool) or not isinstance(delta, int) or abs(delta) > INT64_MAX // 1000:
            raise ParseError(source, f"a time between samples is {str(delta)[:20]}, expected microseconds")
        now += delta
        times.append(now)
    order = sorted(range(len(times)), key=times.__getitem__)
    lasting = [0] * len(times)
    for at, following in itertools.pairwise(order):
        lasting[at] = times[following] - times[at]
    if order:
        lasting[order[-1]] = max(end - times[order[-1]], 0) if end else lasting[order[-2]] if len(order) > 1 else 0
    return lasting


def nodes_of(items: Iterable[object], source: str) -> dict[Any, Node]:
    """id -> node, from a list in which a node names its children, its parent, or neither where it is the root."""
    frames: dict[Any, CallFrame] = {}
    parents: dict[Any, Any] = {}
    for value in items:
        item = object_field(value, source, "a node")
        id = _id(item.get("id"), source)
        if id in frames:
            raise ParseError(source, f"two nodes have the id {id}")
        frames[id] = call_frame(item.get("callFrame"), source)
        if "parent" in item:
            parents[id] = _id(item["parent"], source)
        for child in list_field(item.get("children") or [], source, "children"):
            parents[_id(child, source)] = id
    return {id: Node(frame, parents.get(id)) for id, frame in frames.items()}


def _id(value: object, source: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ParseError(source, f"a node's id is {str(value)[:20]}, expected a whole number")
    return value
