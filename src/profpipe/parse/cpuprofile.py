""".cpuprofile of V8: `node --cpu-prof`, Chrome's DevTools, Deno, and Bun, which writes the same.

Nodes are a tree of calls; `samples` names a node per sample and `timeDeltas` the microseconds between them. Old files
have `hitCount` per node and no samples: then only samples are counted. The time is elapsed time: `(idle)` is waiting,
and `(program)` is native code, which V8 does not look into. The root is no function and is left out. profpipe's agent
spreads what the thread used of a processor over its samples instead, and says so by `"clock": "cpu"`.
https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile
"""

from __future__ import annotations

import re
from typing import Any, BinaryIO

from profpipe.errors import ParseError
from profpipe.model.build import Builder
from profpipe.model.profile import Fact, Meta, Profile
from profpipe.parse.reading import INT64_MAX, finish, list_field, object_field, opens_json, read_json, whole
from profpipe.parse.v8_nodes import NodeTree, durations, nodes_of
from profpipe.units import CPU_NS, SAMPLES, WALL_NS

NAME = "cpuprofile"
SAYS: frozenset[Fact] = frozenset({"self", "total", "edges", "stacks"})
RECORD = "node --cpu-prof server.js"
_OTHERS = re.compile(rb'"(?:traceEvents|head)"\s*:')


def sniff(head: bytes, _filename: str) -> bool | None:
    """True for nodes with call frames, without a trace's events or a heap profile's head; None for other JSON."""
    if not opens_json(head):
        return False
    if _OTHERS.search(head):
        return False
    if b'"callFrame"' in head and b'"functionName"' in head and (b'"nodes"' in head or b'"hitCount"' in head):
        return True
    return None


def parse(raw: BinaryIO, source: str) -> Profile:
    """A sampled profile of elapsed time and samples. ParseError for nodes that are missing and for damaged JSON."""
    document = object_field(read_json(raw, source), source, "the document")
    items = list_field(document.get("nodes"), source, "nodes")
    nodes = nodes_of(items, source)
    if "samples" not in document:
        return _hits(items, NodeTree(Builder("sampled", (SAMPLES,)), nodes, source), source)
    builder = Builder("sampled", (CPU_NS if document.get("clock") == "cpu" else WALL_NS, SAMPLES))
    tree = NodeTree(builder, nodes, source)
    samples = list_field(document["samples"], source, "samples")
    deltas = list_field(document.get("timeDeltas"), source, "timeDeltas")
    if len(samples) != len(deltas):
        raise ParseError(source, f"{len(samples)} samples but {len(deltas)} timeDeltas")
    if not samples:
        raise ParseError(source, "no sample in it: nothing was recorded in the window")
    start, end = (_moment(document.get(key), source, key) for key in ("startTime", "endTime"))
    for id, lasting in zip(samples, durations(deltas, start, end, source), strict=True):
        if lasting >= INT64_MAX // 1000:
            raise ParseError(source, f"a sample lasts {lasting} microseconds")
        row = tree.row(_node_id(id, source))
        builder.sample(row if row >= 0 else tree.state("(root)"), (lasting * 1000, 1))
    return finish(builder, Meta(NAME, source))


def _moment(value: object, source: str, what: str) -> int:
    return int(value) if isinstance(value, float) and abs(value) < 2**62 else whole(value or 0, source, what)


def _node_id(value: object, source: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ParseError(source, f"a sample is {str(value)[:20]}, expected the id of a node")
    return value


def _hits(items: list[Any], tree: NodeTree, source: str) -> Profile:
    """Samples per node, of a file that has no list of samples."""
    builder = tree.builder
    for item in items:
        hits = whole(item.get("hitCount", 0), source, "hitCount")
        row = tree.row(item["id"])
        if hits:
            builder.sample(row if row >= 0 else tree.state("(root)"), (hits,))
    return finish(builder, Meta(NAME, source))
