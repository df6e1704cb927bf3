"""JSON that the JDK's `jfr print --json` makes of a flight recording: its `jdk.ExecutionSample` events.

The JVM samples Java threads that run, every 10 or 20 ms; async-profiler writes its CPU samples as the same events. A
function is a method with its class. Threads in native code, which the JVM samples apart and mostly while they wait, are
not counted. `jfr print` cuts stacks at 5 frames unless `--stack-depth` says more: a stack that was cut keeps the frames
nearest to its leaf, and is counted with a warning.
"""

from __future__ import annotations

from typing import Any, BinaryIO

from profpipe.errors import ParseError
from profpipe.model.build import Builder
from profpipe.model.profile import SYNTHETIC, Fact, Meta, Profile
from profpipe.parse.reading import (
    finish,
    line_number,
    list_field,
    object_field,
    opens_json,
    read_json,
    share,
    text_field,
)
from profpipe.parse.stack_rows import NO_STACK, Place, StackRows
from profpipe.units import SAMPLES

NAME = "jfr-json"
SAYS: frozenset[Fact] = frozenset({"self", "total", "edges", "stacks", "lines", "threads"})
RECORD = "jfr print --json --events jdk.ExecutionSample --stack-depth 256 server.jfr > server.json"
EVENT = "jdk.ExecutionSample"


def sniff(head: bytes, _filename: str) -> bool | None:
    """True for a recording with events of the JDK."""
    if not opens_json(head):
        return False
    return True if all(key in head for key in (b'"recording"', b'"events"', b'"type": "jdk.')) else None


def parse(raw: BinaryIO, source: str) -> Profile:
    """A sampled profile. ParseError for damaged JSON and for a recording without samples of execution."""
    document = object_field(read_json(raw, source), source, "the document")
    recording = object_field(document.get("recording"), source, "recording")
    rows = StackRows(Builder("sampled", (SAMPLES,)))
    samples = cut = 0
    for value in list_field(recording.get("events"), source, "events"):
        event = object_field(value, source, "an event")
        if event.get("type") != EVENT:
            continue
        values = object_field(event.get("values"), source, "values")
        trace = object_field(values.get("stackTrace") or {}, source, "stackTrace")
        samples += 1
        cut += bool(trace.get("truncated"))
        rows.builder.sample(_stack(trace, rows, source), (1,), thread=_thread(values, rows, source))
    if not samples:
        raise ParseError(source, f"no {EVENT} in it: record with settings=profile, and print these events")
    warnings = [f"{share(cut, samples)} of the stacks were cut: print with --stack-depth 256"] if cut else []
    meta = Meta(NAME, source, threads=tuple(rows.threads), warnings=tuple(warnings))
    return finish(rows.builder, meta)


def _thread(values: dict[str, Any], rows: StackRows, source: str) -> int:
    thread = object_field(values.get("sampledThread") or {}, source, "sampledThread")
    name = thread.get("javaName") or thread.get("osName")
    return rows.thread(text_field(name, source, "name of a thread")) if name else -1


def _stack(trace: dict[str, Any], rows: StackRows, source: str) -> int:
    node = -1
    for value in reversed(list_field(trace.get("frames") or [], source, "frames")):
        frame = object_field(value, source, "a frame")
        method = object_field(frame.get("method"), source, "method")
        type_ = object_field(method.get("type") or {}, source, "type of a method")
        owner = text_field(type_.get("name") or "", source, "name of a class").replace("/", ".")
        name = text_field(method.get("name"), source, "name of a method")
        place = Place(f"{owner}.{name}" if owner else name, line=line_number(frame.get("lineNumber")))
        node = rows.builder.stack(node, rows.frame(place))
    return node if node >= 0 else rows.builder.stack(-1, rows.frame(Place(NO_STACK, runtime=SYNTHETIC)))
