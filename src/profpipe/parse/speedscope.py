"""speedscope's own JSON: frames shared by several profiles, each `sampled` (stacks) or `evented` (open and close).

A profile of the file is a thread, a type of value, or both. Types are told apart by their unit and by the names that
converters of heap and contention profiles use (`alloc_space`, `inuse_space`, ...), and are never added up: each is a
metric of its own. Our own exporter names the metric behind the thread, `MainThread: CPU time`.

Times become wall_ns: neither py-spy nor pyinstrument, who write this format, counts processor time. A profile without a
unit counts samples. Times may be nanoseconds since 1970, which a double cannot hold: differences are taken before
anything is scaled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from profpipe.errors import ParseError
from profpipe.model.build import Builder
from profpipe.model.profile import NATIVE, SYNTHETIC, Fact, Meta, Profile
from profpipe.parse.reading import (
    INT64_MAX,
    finish,
    line_number,
    list_field,
    nanoseconds,
    object_field,
    opens_json,
    read_json,
    runtime_of,
    text_field,
    whole,
)
from profpipe.units import CALLS, CPU_NS, INSTRUCTIONS, SAMPLES, SYSCALLS, WALL_NS, Metric

NAME = "speedscope"
SAYS: frozenset[Fact] = frozenset({"self", "total", "edges", "stacks", "lines", "threads"})
RECORD = "py-spy record --format speedscope --pid PID"
SCHEMA = "https://www.speedscope.app/file-format-schema.json"
NANOSECONDS = {"nanoseconds": 1, "microseconds": 10**3, "milliseconds": 10**6, "seconds": 10**9}
# Sample types of pprof files (Go's runtime/pprof, heap profilers) by which their converters name a profile.
VALUE_TYPES = frozenset(
    {"alloc_objects", "alloc_space", "inuse_objects", "inuse_space", "objects", "space", "contentions", "delay"}
    | {"samples", "cpu", "wall", "allocations", "goroutine", "memory"}
)
OWN_LABELS = {metric.label: metric for metric in (SAMPLES, WALL_NS, CPU_NS, INSTRUCTIONS, CALLS, SYSCALLS)}
SYNTHETIC_NAMES = frozenset({"[no stack]", "[await]", "[out-of-context]", "[root]", "[empty frame]", "[invalid frame]"})
BYTES = Metric("bytes", "bytes", "B")
_NO_FRAME = -1


_KEYS = tuple(re.compile(rb'"%s"\s*:' % key) for key in (b"shared", b"frames", b"profiles"))


def sniff(head: bytes, _filename: str) -> bool | None:
    """True with the schema's address or all of its keys; None for JSON that has shown neither yet."""
    if SCHEMA.encode() in head:
        return True
    if not opens_json(head):
        return False
    return True if all(key.search(head) for key in _KEYS) else None


def parse(raw: BinaryIO, source: str) -> Profile:
    """A sampled profile, a metric per type of value.

    ParseError for an unknown unit, a frame that is not listed, and events that do not nest.
    """
    document = object_field(read_json(raw, source), source, "the document")
    profiles = [object_field(p, source, "a profile") for p in list_field(document.get("profiles"), source, "profiles")]
    shared = object_field(document.get("shared"), source, "shared")
    if not profiles:
        raise ParseError(source, "no profile in it: nothing was recorded in the window")
    tool = text_field(document.get("exporter") or "", source, "exporter")
    own = tool == "profpipe" and _is_grid([str(profile.get("name")) for profile in profiles])
    if tool.startswith("memray@"):  # it writes the names of its two types of value with capitals
        profiles = [profile | {"name": str(profile.get("name")).lower()} for profile in profiles]
    parts = [_part(profile, source, own=own) for profile in profiles]
    metrics = list(dict.fromkeys(part.metric for part in parts))
    threads = list(dict.fromkeys(part.thread for part in parts))
    many = len(parts) > len(metrics) or len(threads) > 1 or (tool == "profpipe" and threads != ["all threads"])
    walk = _Walk(source, metrics)
    walk.read_frames(list_field(shared.get("frames"), source, "shared.frames"))
    # Without types of value every profile is a thread, also where two have one name.
    alone = len(metrics) == 1
    for i, (profile, part) in enumerate(zip(profiles, parts, strict=True)):
        thread = (i if alone else threads.index(part.thread)) if many else -1
        walk.profile(profile, part, thread)
    names = tuple(part.thread for part in parts) if alone else tuple(threads)
    return finish(walk.builder, Meta(NAME, source, tool=tool, threads=names if many else ()))


@dataclass(frozen=True, slots=True)
class _Part:
    """What one profile of the file holds. `scale` = nanoseconds of its unit, 0 for counts."""

    metric: Metric
    thread: str
    scale: int


def _part(profile: dict[str, Any], source: str, *, own: bool) -> _Part:
    unit = str(profile.get("unit"))[:40]
    name = text_field(profile.get("name", ""), source, "name")
    metric = _metric(unit, source)
    scale = NANOSECONDS.get(unit, 0)
    if (name, metric) in (("cpu", WALL_NS), ("wall", WALL_NS), ("samples", SAMPLES)):
        return _Part(CPU_NS if name == "cpu" else metric, "", scale)
    if name in VALUE_TYPES:
        label = name.replace("_", " ")
        return _Part(replace(metric, key=name, label=label, about=f"{label}, as the file names it"), "", scale)
    if own:
        thread, _, label = name.rpartition(": ")
        known = OWN_LABELS.get(label)
        if known is None or known.unit != metric.unit:
            key = "".join(sign if sign.isalnum() and sign.isascii() else "_" for sign in label)
            known = replace(metric, key=key, label=label, about=f"{label}, as the file names it")
        return _Part(known, thread, scale)
    return _Part(metric, name, scale)


def _is_grid(names: list[str]) -> bool:
    """Whether these name the profiles of our own file of several metrics: `thread: metric`, each with all threads."""
    threads: dict[str, list[str]] = {}
    for name in names:
        thread, colon, label = name.rpartition(": ")
        if not colon:
            return False
        threads.setdefault(label, []).append(thread)
    return len(threads) > 1 and all(found == threads[names[0].rpartition(": ")[2]] for found in threads.values())


def _metric(unit: str, source: str) -> Metric:
    if unit in NANOSECONDS:
        return WALL_NS
    if unit in ("none", "bytes"):
        return SAMPLES if unit == "none" else BYTES
    raise ParseError(source, f"unit {unit!r}; expected none, bytes or one of {', '.join(NANOSECONDS)}")


@dataclass
class _Walk:
    source: str
    metrics: list[Metric]

    def __post_init__(self) -> None:
        self.builder = Builder("sampled", self.metrics)
        self.frames: list[int] = []
        self.scale = 0

    def read_frames(self, items: list[Any]) -> None:
        for i, value in enumerate(items):
            item = object_field(value, self.source, f"frame {i}")
            name = text_field(item.get("name"), self.source, f"name of frame {i}")
            file = text_field(item.get("file") or "", self.source, f"file of frame {i}")
            # pyinstrument's root of a thread is no function, and its [self] leaves are their parent's own time.
            if file == "<thread>" or (name == "[self]" and not file):
                self.frames.append(_NO_FRAME)
                continue
            if not file and name in SYNTHETIC_NAMES:
                function = self.builder.function(name, runtime=SYNTHETIC)
            elif file == "<built-in>":
                function = self.builder.function(name, runtime=NATIVE)
            else:
                function = self.builder.function(name, file=file, runtime=runtime_of(file))
            self.frames.append(self.builder.frame(function, line=line_number(item.get("line"))))

    def profile(self, profile: dict[str, Any], part: _Part, thread: int) -> None:
        kind = profile.get("type")
        self.scale = part.scale
        column = self.metrics.index(part.metric)
        values = [0] * len(self.metrics)
        if kind == "sampled":
            rows = self.sampled(profile)
        elif kind == "evented":
            rows = self.evented(list_field(profile.get("events"), self.source, "events"))
        else:
            raise ParseError(self.source, f"profile type {str(kind)[:40]!r}; expected 'sampled' or 'evented'")
        for node, value in rows:
            if value:
                values[column] = value
                self.builder.sample(node if node >= 0 else self.no_stack(), values, thread=thread)

    def no_stack(self) -> int:
        function = self.builder.function("[no stack]", runtime=SYNTHETIC)
        return self.builder.stack(-1, self.builder.frame(function))

    def sampled(self, profile: dict[str, Any]) -> Iterator[tuple[int, int]]:
        samples = list_field(profile.get("samples"), self.source, "samples")
        weights = list_field(profile.get("weights"), self.source, "weights")
        if len(samples) != len(weights):
            raise ParseError(self.source, f"{len(samples)} samples but {len(weights)} weights")
        for stack, weight in zip(samples, weights, strict=True):
            node = -1
            for index in list_field(stack, self.source, "a sample"):
                node = self.child(node, index)
            yield node, self.value(weight, "a weight")

    def evented(self, events: list[Any]) -> Iterator[tuple[int, int]]:
        """Time between two events belongs to the frame that is open innermost."""
        opened: list[tuple[object, int]] = []
        last: float | None = None
        for i, value in enumerate(events):
            event = object_field(value, self.source, f"event {i}")
            at = self.moment(event.get("at"), f"time of event {i}")
            if last is not None and at < last:
                raise ParseError(self.source, f"event {i} is earlier than the one before it")
            if opened and last is not None:
                yield opened[-1][1], self.value(at - last, f"time of event {i}")
            last = at
            index = event.get("frame")
            if event.get("type") == "O":
                opened.append((index, self.child(opened[-1][1] if opened else -1, index)))
            elif event.get("type") == "C" and opened and opened[-1][0] == index:
                opened.pop()
            else:
                raise ParseError(self.source, f"event {i} closes a frame that is not the innermost open one")
        if opened:
            raise ParseError(self.source, f"{len(opened)} frames are never closed: the file is not whole")

    def child(self, node: int, index: object) -> int:
        """The stack of listed frame `index` called from `node`."""
        if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(self.frames):
            return node if self.frames[index] == _NO_FRAME else self.builder.stack(node, self.frames[index])
        raise ParseError(self.source, f"a stack names a frame that is not among the {len(self.frames)} listed")

    def moment(self, value: object, what: str) -> float:
        """A time as the file has it: whole numbers stay whole, since a double holds no nanoseconds since 1970."""
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < INT64_MAX:
            return value
        raise ParseError(self.source, f"{what} is no number of 64 bits")

    def value(self, value: object, what: str) -> int:
        """A weight or a length of time in the metric's unit: nanoseconds, or a whole count."""
        if not self.scale:
            return whole(int(value) if isinstance(value, float) and value.is_integer() else value, self.source, what)
        if isinstance(value, int) and not isinstance(value, bool):
            return whole(value * self.scale, self.source, what)
        seconds = value * self.scale / 1e9 if isinstance(value, float) else value
        return nanoseconds(seconds, self.source, what)
