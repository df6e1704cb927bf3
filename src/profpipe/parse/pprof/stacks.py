"""Samples of a pprof profile: 300,000 stacks of 40 locations as one prefix tree, every call path read once.

A sample lists its locations innermost first, packed into bytes. What remains of these bytes behind the first location
is the path of its callers, so two samples with the same callers end in the same bytes: a path is looked up whole, and
only a new one is taken apart. That makes the work proportional to the tree, not to the samples times their depth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from profpipe.errors import ParseError
from profpipe.model.profile import Samples, Stacks
from profpipe.parse.pprof.tables import Threads
from profpipe.parse.pprof.wire import WireError, fields, numbers, packed, varint

DEEP = 4_000  # bytes; looking up the rest of a longer path at each location would be quadratic


@dataclass
class Tree:
    """The prefix tree so far: `parent` and `frame` are the columns of `Stacks`."""

    frames_of: Mapping[int, tuple[int, ...]]
    source: str
    parent: list[int] = field(default_factory=list)
    frame: list[int] = field(default_factory=list)
    _nodes: dict[int, int] = field(default_factory=dict)
    _paths: dict[bytes, int] = field(default_factory=lambda: {b"": -1})

    def node(self, path: bytes) -> int:
        """The row of a stack, given as packed locations, innermost first; -1 for an empty one."""
        found = self._paths.get(path)
        if found is not None:
            return found
        if len(path) > DEEP:
            found = -1
            for location in reversed(numbers(path).view(np.uint64).tolist()):
                found = self._child(found, location)
            return found
        new: list[tuple[bytes, int]] = []
        while found is None:
            location, end = (path[0], 1) if path[0] < 0x80 else varint(path, 0)
            new.append((path, location))
            path = path[end:]
            found = self._paths.get(path)
        for whole, location in reversed(new):
            found = self._paths[whole] = self._child(found, location)
        return found

    def _child(self, node: int, location: int) -> int:
        frames = self.frames_of.get(location)
        if frames is None:
            raise ParseError(self.source, f"location {location} is missing: the file is not whole")
        for frame in frames:
            node = self.step(node, frame)
        return node

    def step(self, node: int, frame: int) -> int:
        """The row of `frame` called from row `node`. Two locations may have the same frame: they share a row."""
        # One number as the key: a pair would be an object that the garbage collector visits again and again.
        size = len(self.parent)
        found = self._nodes.setdefault((node + 1) << 32 | frame, size)
        if found == size:
            self.parent.append(node)
            self.frame.append(frame)
        return found

    def columns(self) -> Stacks:
        return Stacks(np.array(self.parent, np.int32), np.array(self.frame, np.int32))


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample's packed locations and values, and its labels."""

    path: bytes
    values: bytes
    labels: tuple[bytes, ...] = ()


def sample(message: bytes) -> Sample:
    """A sample as its writer packed it, or packed by us where every number is a field of its own. Raises WireError."""
    # Nearly all samples are two short packed fields; reading them field by field takes three times as long.
    size = len(message)
    if size > 4 and message[0] == 0x0A and message[1] < 0x80:
        middle = 2 + message[1]
        if middle + 1 < size and message[middle] == 0x12 and middle + 2 + message[middle + 1] == size:
            return Sample(message[2:middle], message[middle + 2 :])
    parts: dict[int, bytearray] = {1: bytearray(), 2: bytearray()}
    labels = []
    for number, value in fields(message):
        if number in parts:
            parts[number] += packed([value]) if isinstance(value, int) else value
        elif number == 3 and isinstance(value, bytes):
            labels.append(value)
    return Sample(bytes(parts[1]), bytes(parts[2]), tuple(labels))


@dataclass(frozen=True, slots=True)
class Rows:
    """What the samples of a file say, a row per stack and thread. `values` has a column per type of value."""

    stack: NDArray[np.int64]
    thread: NDArray[np.int64]
    values: NDArray[np.int64]
    stackless: int


def rows(messages: Iterable[bytes], tree: Tree, threads: Threads, no_stack: Callable[[], int], types: int) -> Rows:
    """Read all samples into the tree; `no_stack` gives the frame of those without a stack.

    Raises ParseError and WireError.
    """
    stacks, owners, values, stackless = [], [], [], 0
    for message in messages:
        read = sample(message)
        if read.path:
            stacks.append(tree.node(read.path))
        else:
            stacks.append(tree.step(-1, no_stack()))
            stackless += 1
        owners.append(threads.of(read.labels) if read.labels else -1)
        values.append(read.values)
    return Rows(np.array(stacks, np.int64), np.array(owners, np.int64), _values(values, types), stackless)


def _values(parts: list[bytes], types: int) -> NDArray[np.int64]:
    """Samples by types. Raises WireError unless every sample has one value per type."""
    data = b"".join(parts)
    flat = numbers(data)
    ends = np.cumsum(np.fromiter(map(len, parts), np.int64, len(parts)))
    seen = np.cumsum(np.frombuffer(data, np.uint8) < 0x80)
    per_sample = np.diff(np.concatenate(([0], seen)).take(ends), prepend=0)
    if (per_sample != types).any():
        raise WireError(f"a sample has {int(per_sample[per_sample != types][0])} values, expected {types}")
    return flat.reshape(len(parts), types)


def summed(found: Rows, keys: list[str], factors: list[int], source: str) -> Samples:
    """One row per stack and thread. Raises ParseError for negative values and for sums over 64 bits."""
    if (found.values < 0).any():
        words = "negative values: a difference of two profiles, not a profile; compare the two files it was made of"
        raise ParseError(source, words)
    order = np.lexsort((found.thread, found.stack))
    stack, thread = found.stack[order], found.thread[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (stack[1:] != stack[:-1]) | (thread[1:] != thread[:-1])
    starts = np.flatnonzero(first)
    columns = {}
    for i, (key, factor) in enumerate(zip(keys, factors, strict=True)):
        column = found.values[:, i]
        if float(column.sum(dtype=np.float64)) * factor > 2.0**63 * 0.999:
            raise ParseError(source, f"the sum of {key} does not fit 64 bits")
        columns[key] = np.add.reduceat(column[order], starts) * factor if len(starts) else column
    owners = thread[starts].astype(np.int32)
    return Samples(stack[starts].astype(np.int32), columns, owners if (owners >= 0).any() else None)
