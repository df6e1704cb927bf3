"""Trace events of Chrome or Node that hold CPU profiles of V8: `Profile` and `ProfileChunk` events.

Chunks of one process and id are one profile: nodes name their parents, samples and times go on where the chunk before
ended. Each profile is a thread. Where one thread was profiled twice at once, by a trace and by a debugger, only the
profile with more samples counts: both saw the same time. All other events of the trace are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from profpipe.errors import ParseError
from profpipe.model.build import Builder
from profpipe.model.profile import Fact, Meta, Profile
from profpipe.parse.reading import INT64_MAX, finish, list_field, object_field, opens_json, read_json
from profpipe.parse.v8_nodes import NodeTree, durations, nodes_of
from profpipe.units import SAMPLES, WALL_NS

NAME = "chrome-trace"
SAYS: frozenset[Fact] = frozenset({"self", "total", "edges", "stacks", "threads"})
RECORD = "node --trace-event-categories v8.cpu_profiler server.js"


def sniff(head: bytes, _filename: str) -> bool | None:
    """True once a chunk of a CPU profile was seen; None for the beginning of any list of events."""
    if not opens_json(head, (b"{", b"[")):
        return False
    return True if b'"ProfileChunk"' in head and b'"ph"' in head else None


@dataclass
class _Recording:
    """One CPU profile, put together from its chunks."""

    thread: tuple[object, object]
    start: int = 0
    end: int = 0
    nodes: list[Any] = field(default_factory=list)
    samples: list[Any] = field(default_factory=list)
    deltas: list[Any] = field(default_factory=list)


def parse(raw: BinaryIO, source: str) -> Profile:
    """A sampled profile of elapsed time and samples. ParseError for a trace without a CPU profile and for damage."""
    document = read_json(raw, source)
    events = document.get("traceEvents") if isinstance(document, dict) else document
    names: dict[tuple[object, object], str] = {}
    found: dict[tuple[object, object], _Recording] = {}
    for value in list_field(events, source, "traceEvents"):
        event = object_field(value, source, "an event")
        if event.get("name") == "thread_name" and isinstance(event.get("args"), dict):
            names[_key(event, "tid")] = str(event["args"].get("name"))[:100]
        elif event.get("name") in ("Profile", "ProfileChunk"):
            recording = found.setdefault(_key(event, "id"), _Recording(_key(event, "tid")))
            _add(recording, event, source)
    recordings = [r for r in found.values() if r.samples]
    if not recordings:
        raise ParseError(source, "no CPU profile in this trace; record with the category v8.cpu_profiler")
    return _profile(recordings, names, source)


def _key(event: dict[str, Any], what: str) -> tuple[object, object]:
    """A process with a thread or a profile of it."""
    return str(event.get("pid"))[:40], str(event.get(what))[:40]


def _add(recording: _Recording, event: dict[str, Any], source: str) -> None:
    args = object_field(event.get("args", {}), source, "args of a profile")
    data = object_field(args.get("data", {}), source, "data of a profile")
    part = object_field(data.get("cpuProfile", {}), source, "cpuProfile")
    if event["name"] == "Profile":
        # Chunks come from V8's own thread; the thread that was profiled is the one of this event.
        recording.thread = _key(event, "tid")
    recording.nodes += list_field(part.get("nodes") or [], source, "nodes")
    recording.samples += list_field(part.get("samples") or [], source, "samples")
    recording.deltas += list_field(data.get("timeDeltas") or part.get("timeDeltas") or [], source, "timeDeltas")
    for key in ("startTime", "endTime"):
        value = data.get(key)
        if isinstance(value, int) and 0 < value < INT64_MAX:
            setattr(recording, key.removesuffix("Time"), value)


def _once_per_thread(recordings: list[_Recording]) -> Iterator[_Recording]:
    best: dict[tuple[object, object], _Recording] = {}
    for recording in recordings:
        kept = best.setdefault(recording.thread, recording)
        if len(recording.samples) > len(kept.samples):
            best[recording.thread] = recording
    yield from best.values()


def _profile(recordings: list[_Recording], names: dict[tuple[object, object], str], source: str) -> Profile:
    builder = Builder("sampled", (WALL_NS, SAMPLES))
    kept = list(_once_per_thread(recordings))
    for thread, recording in enumerate(kept):
        if len(recording.samples) != len(recording.deltas):
            words = f"{len(recording.samples)} samples but {len(recording.deltas)} timeDeltas: the trace is not whole"
            raise ParseError(source, words)
        tree = NodeTree(builder, nodes_of(recording.nodes, source), source)
        lasting = durations(recording.deltas, recording.start, recording.end, source)
        for id, micros in zip(recording.samples, lasting, strict=True):
            if isinstance(id, bool) or not isinstance(id, int) or micros >= INT64_MAX // 1000:
                raise ParseError(source, f"a sample of node {str(id)[:20]} lasts {micros} microseconds")
            row = tree.row(id)
            builder.sample(row if row >= 0 else tree.state("(root)"), (micros * 1000, 1), thread=thread)
    warnings = []
    if len(kept) < len(recordings):
        warnings.append("one thread was profiled more than once at the same time: only one of the profiles counts")
    threads = tuple(f"{names.get(r.thread, 'thread')} {r.thread[0]}/{r.thread[1]}" for r in kept)
    return finish(builder, Meta(NAME, source, threads=threads, warnings=tuple(warnings)))
