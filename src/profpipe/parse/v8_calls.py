"""Exact calls of JavaScript functions: V8's precise coverage of a window, as profpipe's agent in Node writes it.

{"format": "profpipe-v8-calls/1", "functions": [{"functionName", "url", "lineNumber", "columnNumber", "calls"}]}; lines
and columns count from 0, as in a .cpuprofile. A function that was not called is not listed.
"""

from __future__ import annotations

from typing import BinaryIO

from profpipe.errors import ParseError
from profpipe.model.build import Builder
from profpipe.model.profile import Fact, Meta, Profile
from profpipe.parse.reading import finish, list_field, object_field, opens_json, read_json, whole
from profpipe.parse.v8_nodes import Node, NodeTree, call_frame
from profpipe.units import CALLS

NAME = "v8-calls"
SAYS: frozenset[Fact] = frozenset({"self", "total", "calls"})
RECORD = "profpipe run STUDY -p node-calls"
FORMAT = "profpipe-v8-calls/1"


def sniff(head: bytes, _filename: str) -> bool | None:
    """True for a document of this format; None for other JSON, whose format may stand further behind."""
    if not opens_json(head):
        return False
    return True if f'"{FORMAT}"'.encode() in head else None


def parse(raw: BinaryIO, source: str) -> Profile:
    """Calls of each function. ParseError for another version, for counts that are none and for damaged JSON."""
    document = object_field(read_json(raw, source), source, "the document")
    if document.get("format") != FORMAT:
        raise ParseError(source, f"format is {str(document.get('format'))[:40]!r}, expected {FORMAT!r}")
    listed = list_field(document.get("functions"), source, "functions")
    items = [object_field(item, source, "a function") for item in listed]
    nodes = {row: Node(call_frame(item, source), None) for row, item in enumerate(items)}
    builder = Builder("counted", (CALLS,))
    tree = NodeTree(builder, nodes, source)
    for row, item in enumerate(items):
        calls = whole(item.get("calls"), source, f"calls of {nodes[row].frame.name!r}")
        frame = tree.frame(nodes[row].frame)
        builder.cost(frame, (calls,))
        builder.total(frame, calls, (calls,))
    return finish(builder, Meta(NAME, source))
