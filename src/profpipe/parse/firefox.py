"""Profiles for the Firefox Profiler: what samply records, what profiler.firefox.com saves, and what Firefox writes.

The first two are "processed": tables of columns, shared by threads in newer versions. Firefox's own are tables of rows
with a schema. A sample counts as its weight says, or once; the CPU time of a thread between two samples belongs to the
second. Native functions of a recording without symbols are addresses, with a warning. Markers and counters are not
read. Format: docs-developer of the Firefox Profiler's source.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from profpipe.errors import ParseError
from profpipe.model.build import Builder
from profpipe.model.profile import Fact, Meta, Profile
from profpipe.parse.firefox_tables import Frames, Tables
from profpipe.parse.reading import (
    INT64_MAX,
    finish,
    list_field,
    object_field,
    opens_json,
    read_json,
    share,
    text_field,
    whole,
)
from profpipe.parse.stack_rows import StackRows
from profpipe.units import CPU_NS, SAMPLES, Metric

NAME = "firefox"
SAYS: frozenset[Fact] = frozenset({"self", "total", "edges", "stacks", "lines", "threads"})
RECORD = "samply record --save-only -o server.json.gz ./server"
BYTES = Metric("bytes", "memory", "B", about="bytes that the samples stand for")
NANOSECONDS = {"ns": 1, "µs": 1000, "μs": 1000, "us": 1000, "ms": 1_000_000}


def sniff(head: bytes, _filename: str) -> bool | None:
    """True for a profile's meta or its first tables; None for other JSON."""
    if not opens_json(head):
        return False
    named = b'"processType"' in head or b'"stackTable"' in head
    if named and any(key in head for key in (b'"preprocessedProfileVersion"', b'"breakpadId"', b'"frameTable"')):
        return True
    return None


def parse(raw: BinaryIO, source: str) -> Profile:
    """A sampled profile of all threads of all processes. ParseError for damaged JSON and rows that are missing."""
    document = object_field(read_json(raw, source), source, "the document")
    threads = [(thread, owner) for owner in _processes(document, source) for thread in _threads(owner, source)]
    weights = {str(_samples(thread, source).get("weightType") or "samples") for thread, _ in threads}
    if weights not in ({"samples"}, {"bytes"}):
        raise ParseError(source, f"samples are weighed by {', '.join(sorted(weights))[:80]}, expected samples or bytes")
    meta = object_field(document.get("meta"), source, "meta")
    unit = object_field(meta.get("sampleUnits") or {}, source, "sampleUnits").get("threadCPUDelta")
    factor = NANOSECONDS.get(str(unit), 0) if weights == {"samples"} else 0
    metrics = (BYTES,) if "bytes" in weights else ((SAMPLES, CPU_NS) if factor else (SAMPLES,))
    rows = StackRows(Builder("sampled", metrics))
    unnamed = sum(_add(thread, owner, rows, factor, source) for thread, owner in threads)
    if not rows.total:
        raise ParseError(source, "no sample in it: nothing was recorded in the window")
    return finish(rows.builder, Meta(NAME, source, threads=tuple(rows.threads), warnings=_doubts(unnamed, rows)))


def _doubts(unnamed: int, rows: StackRows) -> tuple[str, ...]:
    words = "of the samples end in a function without a name: the recording has addresses. Open it with samply load"
    return (f"{share(unnamed, rows.total)} {words}, and save it from there with symbols",) if unnamed else ()


def _processes(document: dict[str, Any], source: str) -> Iterator[dict[str, Any]]:
    waiting = [document]
    while waiting:
        process = waiting.pop(0)
        yield process
        children = list_field(process.get("processes") or [], source, "processes")
        waiting += [object_field(child, source, "a process") for child in children]


def _threads(process: dict[str, Any], source: str) -> list[dict[str, Any]]:
    return [object_field(t, source, "a thread") for t in list_field(process.get("threads"), source, "threads")]


def _samples(thread: dict[str, Any], source: str) -> dict[str, Any]:
    return object_field(thread.get("samples"), source, "samples")


def _add(thread: dict[str, Any], process: dict[str, Any], rows: StackRows, factor: int, source: str) -> int:
    """The samples of one thread. Returns the weight of those whose innermost function is an address."""
    tables = Tables(thread, process, source)
    stacks = tables.column(_samples(thread, source), "stack", "samples")
    if not stacks:
        return 0
    weights = tables.optional(_samples(thread, source), "weight", len(stacks), 1)
    deltas = tables.optional(_samples(thread, source), "threadCPUDelta", len(stacks), 0)
    label = rows.thread(_label(thread, source))
    frames = Frames(tables, rows)
    unnamed = 0
    for stack, weight, delta in zip(stacks, weights, deltas, strict=True):
        value = whole(weight, source, "weight of a sample")
        cpu = whole(round(delta) if isinstance(delta, float) and abs(delta) < 2**62 else delta, source, "CPU time")
        if cpu > INT64_MAX // NANOSECONDS["ms"]:
            raise ParseError(source, "the CPU time of a sample does not fit 64 bits")
        row = frames.stack(stack)
        rows.total += value
        unnamed += value if frames.is_address(stack) else 0
        rows.builder.sample(row, (value, cpu * factor) if factor else (value,), thread=label)
    return unnamed


def _label(thread: dict[str, Any], source: str) -> str:
    name = text_field(thread.get("name") or "", source, "name of a thread")
    process = text_field(thread.get("processName") or "", source, "processName")
    owner = f"{process} " if process and process != name else ""
    return f"{owner}{name} ({str(thread.get('pid'))[:20]}, {str(thread.get('tid'))[:20]})"
