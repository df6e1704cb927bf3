"""speedscope's own JSON: frames shared by several profiles, each `sampled` (stacks) or `evented` (open and close).

Each profile of the file is a thread here. Times become wall_ns: neither py-spy nor pyinstrument, who write this
format, counts processor time. A profile without a unit counts samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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
    read_json,
    runtime_of,
    text_field,
    whole,
)
from profpipe.units import SAMPLES, WALL_NS, Metric

NAME = "speedscope"
SAYS: frozenset[Fact] = frozenset({"self", "total", "edges", "stacks", "lines", "threads"})
RECORD = "py-spy record --format speedscope --pid PID"
SCHEMA = "https://www.speedscope.app/file-format-schema.json"
SECONDS = {"nanoseconds": 1e-9, "microseconds": 1e-6, "milliseconds": 1e-3, "seconds": 1.0}
SYNTHETIC_NAMES = frozenset({"[no stack]", "[await]", "[out-of-context]", "[root]", "[empty frame]", "[invalid frame]"})
BYTES = Metric("bytes", "bytes", "B")
_NO_FRAME = -1


def sniff(head: bytes, _filename: str) -> bool | None:
    """True with the schema's address; None for JSON that has not shown it yet."""
    if SCHEMA.encode() in head:
        return True
    return None if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") else False


def parse(raw: BinaryIO, source: str) -> Profile:
    """A sampled profile. ParseError for mixed units, a frame that is not listed, and events that do not nest."""
    document = object_field(read_json(raw, source), source, "the document")
    profiles = [object_field(p, source, "a profile") for p in list_field(document.get("profiles"), source, "profiles")]
    shared = object_field(document.get("shared"), source, "shared")
    units = {str(p.get("unit"))[:40] for p in profiles}
    if len(units) != 1:
        raise ParseError(source, f"profiles with units {sorted(units)} in one file; export one at a time")
    walk = _Walk(source, _metric(units.pop(), source), SECONDS.get(str(profiles[0].get("unit")), 0.0))
    walk.read_frames(list_field(shared.get("frames"), source, "shared.frames"))
    for i, profile in enumerate(profiles):
        walk.profile(profile, i if len(profiles) > 1 else -1)
    names = [text_field(p.get("name", ""), source, "name") for p in profiles]
    tool = text_field(document.get("exporter") or "", source, "exporter")
    meta = Meta(NAME, source, tool=tool, threads=tuple(names) if len(profiles) > 1 else ())
    return finish(walk.builder, meta)


def _metric(unit: str, source: str) -> Metric:
    if unit in SECONDS:
        return WALL_NS
    if unit in ("none", "bytes"):
        return SAMPLES if unit == "none" else BYTES
    raise ParseError(source, f"unit {unit!r}; expected none, bytes or one of {', '.join(SECONDS)}")


@dataclass
class _Walk:
    source: str
    metric: Metric
    seconds: float

    def __post_init__(self) -> None:
        self.builder = Builder("sampled", (self.metric,))
        self.frames: list[int] = []

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

    def profile(self, profile: dict[str, Any], thread: int) -> None:
        kind = profile.get("type")
        if kind == "sampled":
            rows = self.sampled(profile)
        elif kind == "evented":
            rows = self.evented(list_field(profile.get("events"), self.source, "events"))
        else:
            raise ParseError(self.source, f"profile type {str(kind)[:40]!r}; expected 'sampled' or 'evented'")
        for node, value in rows:
            if value:
                self.builder.sample(node if node >= 0 else self.no_stack(), (value,), thread=thread)

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
        last: int | None = None
        for i, value in enumerate(events):
            event = object_field(value, self.source, f"event {i}")
            at = self.value(event.get("at"), f"time of event {i}")
            if last is not None and at < last:
                raise ParseError(self.source, f"event {i} is earlier than the one before it")
            if opened and last is not None:
                yield opened[-1][1], at - last
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

    def value(self, value: object, what: str) -> int:
        """A weight or time in the metric's unit: nanoseconds, or a whole count."""
        if self.seconds and isinstance(value, int | float) and abs(value) < INT64_MAX:
            return nanoseconds(value * self.seconds, self.source, what)
        if self.seconds:
            return nanoseconds(value, self.source, what)
        return whole(int(value) if isinstance(value, float) and value.is_integer() else value, self.source, what)
