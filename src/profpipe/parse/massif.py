"""massif: the tree of valgrind's --tool=massif at the moment when most memory was in use.

A file is a row of snapshots, some with a tree: `nN: BYTES FRAME`, N children indented below, the callers of FRAME. The
snapshot that is marked `peak` is read; where none is, the detailed one with most bytes, and a warning says so. massif
joins places under its threshold (1 %, --threshold) into one row, and leaves the time between snapshots out.
Format: valgrind manual, "Massif: a heap profiler".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import BinaryIO

from profpipe.errors import ParseError
from profpipe.model.build import Builder
from profpipe.model.profile import SYNTHETIC, Fact, Meta, Profile
from profpipe.parse.heap_frames import PEAK_BYTES, heap_frame
from profpipe.parse.reading import INT64_MAX, TextLines, empty, finish
from profpipe.parse.stack_rows import NO_STACK, Place, StackRows

NAME = "massif"
SAYS: frozenset[Fact] = frozenset({"self", "total", "edges", "stacks", "lines"})
RECORD = "valgrind --tool=massif ./server"
BELOW = "[below massif's threshold]"
_NODE = re.compile(r"( *)n(\d{1,9}): (\d{1,19}) (.*)")
_BELOW = re.compile(r"in \d+ places?, (?:all )?below massif's threshold.*")


@dataclass(slots=True)
class _Node:
    """A node of the tree: bytes, the frame's text, and how many children are still to come."""

    size: int
    text: str
    waiting: int
    children: list[_Node] = field(default_factory=list)


def sniff(head: bytes, _filename: str) -> bool | None:
    """True for massif's three first lines."""
    lines = head.lstrip(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").split(b"\n", 3)
    return len(lines) > 2 and [line.partition(b":")[0] for line in lines[:3]] == [b"desc", b"cmd", b"time_unit"]


def parse(raw: BinaryIO, source: str) -> Profile:
    """A profile of bytes by stack. ParseError for a tree that is not whole, and where no snapshot has one."""
    lines = TextLines(raw)
    walk = _Walk(source)
    for number, text in lines:
        walk.line(number, text)
    if not lines.any:
        raise empty(source)
    return walk.profile(lines)


class _Walk:
    """The lines so far: the snapshot that would be taken if the file ended here."""

    def __init__(self, source: str) -> None:
        self.source, self.command, self.number = source, "", 0
        self.fields: dict[str, str] = {}
        self.open: list[_Node] = []
        self.root: _Node | None = None
        self.best: _Node | None = None
        self.peak = False
        self.whole = True

    def line(self, number: int, text: str) -> None:
        self.number = number
        if self.open:
            self.node(text)
        elif text.startswith(("desc:", "cmd:", "time_unit:")):
            self.command = text[5:] if text.startswith("cmd: ") else self.command
        elif text.startswith("#"):
            pass
        elif text.startswith("snapshot="):
            self.fields, self.whole = {}, False
        else:
            self.field(text)

    def field(self, text: str) -> None:
        key, equals, value = text.partition("=")
        if not equals or key not in ("time", "mem_heap_B", "mem_heap_extra_B", "mem_stacks_B", "heap_tree"):
            raise ParseError(self.source, f"expected a field of a snapshot, found {text[:40]!r}", line=self.number)
        self.fields[key] = value
        if key != "heap_tree":
            return
        if value not in ("empty", "detailed", "peak"):
            raise ParseError(self.source, f"heap_tree is {value[:20]!r}, not whole", line=self.number)
        self.whole = value == "empty"
        if not self.whole:
            self.root = None
            self.open = [_Node(INT64_MAX, "", 1)]

    def node(self, text: str) -> None:
        found = _NODE.fullmatch(text)
        if not found or len(found[1]) != len(self.open) - 1:
            raise ParseError(self.source, f"expected a row of the tree, found {text[:40]!r}", line=self.number)
        node = _Node(int(found[3]), found[4], int(found[2]))
        parent = self.open[-1]
        parent.children.append(node)
        parent.waiting -= 1
        self.open.append(node)
        while self.open and not self.open[-1].waiting:
            self.close(self.open.pop())

    def close(self, node: _Node) -> None:
        if sum(child.size for child in node.children) > node.size:
            raise ParseError(self.source, f"rows under one of {node.size} bytes add up to more", line=self.number)
        if self.open:
            return
        self.root, self.whole = node.children[0], True
        if self.fields.get("mem_heap_B") != str(self.root.size):
            words = f"the tree has {self.root.size} bytes, its snapshot {self.fields.get('mem_heap_B', 'none')[:20]}"
            raise ParseError(self.source, words, line=self.number)
        peak = self.fields["heap_tree"] == "peak"
        if not self.best or (peak and not self.peak) or (peak == self.peak and self.root.size > self.best.size):
            self.best, self.peak = self.root, peak

    def profile(self, lines: TextLines) -> Profile:
        if self.open or not (self.whole or self.best):
            raise ParseError(self.source, "the last snapshot is not whole: the file was cut", line=self.number)
        if self.best is None:
            raise ParseError(self.source, "no snapshot has a tree: record for longer, or with --detailed-freq=1")
        warnings = list(lines.warnings())
        if not self.peak:
            warnings.append("no snapshot is marked as the peak: of those with a tree, the one with most bytes is shown")
        partial = None if self.whole and lines.complete else "the last line is not whole: the file was cut there"
        rows = StackRows(Builder("sampled", (PEAK_BYTES,)))
        _add(self.best, rows)
        return finish(
            rows.builder, Meta(NAME, self.source, command=self.command, partial=partial, warnings=tuple(warnings))
        )


def _add(root: _Node, rows: StackRows) -> None:
    """Every row that is not explained by its callers becomes a sample; the root is massif's list of allocators."""
    waiting: list[tuple[_Node, tuple[str, ...]]] = [(root, ())]
    while waiting:
        node, called = waiting.pop()
        path = called if node is root else (*called, node.text)
        waiting += [(child, path) for child in reversed(node.children)]
        rest = node.size - sum(child.size for child in node.children)
        if rest:
            stack = -1
            for text in reversed(path):
                stack = rows.builder.stack(stack, rows.frame_of(text, _frame))
            if stack < 0:
                stack = rows.builder.stack(-1, rows.frame(Place(NO_STACK, runtime=SYNTHETIC)))
            rows.builder.sample(stack, (rest,))


def _frame(text: str) -> Place:
    return Place(BELOW, runtime=SYNTHETIC) if _BELOW.fullmatch(text) else heap_frame(text)
