"""DHAT: JSON of valgrind's --tool=dhat and of the Rust crate dhat: bytes and blocks by the stack that allocated them.

Of every allocation point the file has all that was allocated in its life, what was in use at the peak of the whole
program, and what was in use at the end. Lifetimes and accesses are not read. With --mode=copy and --mode=ad-hoc there
is only one kind of weight, without a peak. Format: dhat/README.md and docs in valgrind's source, version 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO

from profpipe.errors import ParseError
from profpipe.model.build import Builder
from profpipe.model.profile import SYNTHETIC, Fact, Meta, Profile
from profpipe.parse.heap_frames import ALLOCATED_BYTES, ALLOCATIONS, END_BYTES, PEAK_BYTES, heap_frame
from profpipe.parse.reading import finish, list_field, object_field, opens_json, read_json, text_field, whole
from profpipe.parse.stack_rows import NO_STACK, Place, StackRows
from profpipe.units import Metric

NAME = "dhat"
SAYS: frozenset[Fact] = frozenset({"self", "total", "edges", "stacks", "lines"})
RECORD = "valgrind --tool=dhat ./server"
VERSION = 2
ROOT = "[root]"
COLUMNS = {"tb": ALLOCATED_BYTES, "tbk": ALLOCATIONS, "gb": PEAK_BYTES, "eb": END_BYTES}
WEIGHTS = {
    "tb": Metric("units", "units", "1", about="what the program reported, or the bytes that it copied"),
    "tbk": Metric("events", "events", "1", about="times that it did so"),
}


def sniff(head: bytes, _filename: str) -> bool | None:
    """True for an object with DHAT's version; None for other JSON."""
    if not opens_json(head):
        return False
    return True if b'"dhatFileVersion"' in head else None


def parse(raw: BinaryIO, source: str) -> Profile:
    """A profile of memory by stack. ParseError for damaged JSON, another version, and frames that are missing."""
    document = object_field(read_json(raw, source), source, "the document")
    if document.get("dhatFileVersion") != VERSION:
        shown = str(document.get("dhatFileVersion"))[:20]
        raise ParseError(source, f"dhatFileVersion is {shown}, expected {VERSION}")
    columns = COLUMNS if document.get("bklt") is True else WEIGHTS
    rows = StackRows(Builder("sampled", tuple(columns.values())))
    table = [text_field(item, source, "a frame of ftbl") for item in list_field(document.get("ftbl"), source, "ftbl")]
    for value in list_field(document.get("pps"), source, "pps"):
        point = object_field(value, source, "a program point")
        values = [whole(point.get(key), source, key) for key in columns]
        rows.builder.sample(_stack(point, table, rows, source), values)
    command = text_field(document.get("cmd") or "", source, "cmd")
    mode = text_field(document.get("mode") or "", source, "mode")
    return finish(rows.builder, Meta(NAME, source, command=command, notes={"mode": mode} if mode else {}))


def _stack(point: dict[str, Any], table: Sequence[str], rows: StackRows, source: str) -> int:
    """The stack of a point; its frames are listed from the allocation outwards."""
    node = -1
    for id in reversed(list_field(point.get("fs"), source, "fs")):
        index = whole(id, source, "a frame of fs")
        if index >= len(table):
            raise ParseError(source, f"frame {index} is not among the {len(table)} of ftbl: the file is not whole")
        if table[index] != ROOT:
            node = rows.builder.stack(node, rows.frame_of(table[index], heap_frame))
    return node if node >= 0 else rows.builder.stack(-1, rows.frame(Place(NO_STACK, runtime=SYNTHETIC)))
