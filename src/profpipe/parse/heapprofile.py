""".heapprofile of V8: bytes by the functions that allocated them, of objects that were still in use at the end.

V8 samples one allocation in every 512 KiB or so (`--heap-prof-interval`), and scales what it writes. The tree of calls
is nested, each node with its own `selfSize`. `node --heap-prof` and Chrome's DevTools (Allocation sampling) write it.
profpipe's agent asks V8 to keep what the collector freed, and says so by `"includesCollected": true`: then the bytes
are those of every allocation of the window.
https://chromedevtools.github.io/devtools-protocol/tot/HeapProfiler/#type-SamplingHeapProfile
"""

from __future__ import annotations

from typing import Any, BinaryIO

from profpipe.model.build import Builder
from profpipe.model.profile import Fact, Meta, Profile
from profpipe.parse.reading import finish, list_field, object_field, opens_json, read_json, whole
from profpipe.parse.v8_nodes import Node, NodeTree, call_frame
from profpipe.units import Metric

NAME = "heapprofile"
SAYS: frozenset[Fact] = frozenset({"self", "total", "edges", "stacks"})
RECORD = "node --heap-prof server.js"
ALLOCATED_BYTES = Metric("alloc_space", "allocated bytes", "B", about="bytes allocated, scaled up from samples")
LIVE_BYTES = Metric("live_bytes", "live memory", "B", about="bytes of objects still in use, scaled up from samples")


def sniff(head: bytes, _filename: str) -> bool | None:
    """True for a head with call frames and sizes."""
    if not opens_json(head):
        return False
    return True if all(key in head for key in (b'"head"', b'"callFrame"', b'"selfSize"')) else None


def parse(raw: BinaryIO, source: str) -> Profile:
    """A sampled profile of bytes. ParseError for damaged JSON and sizes that are no whole numbers."""
    document = object_field(read_json(raw, source), source, "the document")
    nodes: dict[int, Node] = {}
    sizes: list[int] = []
    waiting: list[tuple[Any, int | None]] = [(document.get("head"), None)]
    while waiting:
        value, parent = waiting.pop()
        item = object_field(value, source, "a node")
        id = len(sizes)
        nodes[id] = Node(call_frame(item.get("callFrame"), source), parent)
        sizes.append(whole(item.get("selfSize"), source, "selfSize"))
        waiting += [(child, id) for child in reversed(list_field(item.get("children") or [], source, "children"))]
    builder = Builder("sampled", (ALLOCATED_BYTES if document.get("includesCollected") is True else LIVE_BYTES,))
    tree = NodeTree(builder, nodes, source)
    for id, size in enumerate(sizes):
        row = tree.row(id)
        if size:
            builder.sample(row if row >= 0 else tree.state("(root)"), (size,))
    return finish(builder, Meta(NAME, source))
