"""MOJO, austin's binary format (`austin -b`), versions 1 to 3.

`MOJ`, the version, then events: one byte for the kind and its fields. A number has 6 bits and a sign in its first
byte and 7 bits in each further one, lowest first, the top bit saying that another follows; a text ends in a zero byte.
A stack begins with its process, (from version 3 on) interpreter, and thread; frames follow from the root on, then the
microseconds. Frames and texts are defined once and referred to by key. Version 2 added columns to frames.
Source: austin's page "The MOJO File Format", versions 1 to 3. Version 4 adds events that no page describes; it is
refused with the command that converts it.

The format has no end mark: a recording cut between two events looks whole. One that is cut inside an event is partial.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import BinaryIO

from profpipe.errors import ParseError
from profpipe.model.build import Builder
from profpipe.model.profile import KERNEL, PYTHON, SYNTHETIC, Fact, Meta, Profile
from profpipe.parse.reading import INT64_MAX, clean, finish, line_number, read_all
from profpipe.parse.stack_rows import INVALID_FRAME, NO_STACK, Place, StackRows, austin_metrics

NAME = "mojo"
SAYS: frozenset[Fact] = frozenset({"self", "total", "edges", "stacks", "lines", "threads"})
RECORD = "austin --binary --output FILE --pid PID"
MAGIC = b"MOJ"
LAST_VERSION = 3


class Event(IntEnum):
    """The kinds of event. TEXT_REF is reserved: no version writes it on its own."""

    METADATA = 1
    STACK = 2
    FRAME = 3
    INVALID = 4
    FRAME_REF = 5
    KERNEL_FRAME = 6
    GC = 7
    IDLE = 8
    TIME = 9
    MEMORY = 10
    TEXT = 11
    TEXT_REF = 12


COLUMNS_SINCE, INTERPRETER_SINCE = 2, 3
MAX_NUMBER = 10  # bytes: 6 + 9 x 7 = 69 bits


def sniff(head: bytes, _filename: str) -> bool | None:
    """True for the magic bytes and a small version."""
    return head.startswith(MAGIC) and len(head) > len(MAGIC) and 0 < head[len(MAGIC)] < 0x40


def parse(raw: BinaryIO, source: str) -> Profile:
    """A sampled profile in wall_ns (mode `full`: and cpu_ns). ParseError gives the offset of what cannot be."""
    data = read_all(raw, source)
    if not data.startswith(MAGIC):
        raise ParseError(source, "expected MOJ at the beginning", offset=0)
    bytes_ = _Bytes(source, data, len(MAGIC))
    try:
        version = bytes_.number()
    except EOFError:
        raise ParseError(source, "it ends inside its version: the file was cut", offset=len(data)) from None
    if not 1 <= version <= LAST_VERSION:
        wanted = "profpipe reads 1 to 3. Convert it: mojo2austin FILE FILE.austin"
        raise ParseError(source, f"MOJO version {version}; {wanted}", offset=len(MAGIC))
    reader = _Reader(source, version)
    partial = None
    try:
        while bytes_.at < len(data):
            reader.event(bytes_)
    except EOFError:
        partial = f"it ends inside an event, at byte {len(data):,}: austin was killed while it wrote"
    return reader.profile(partial)


@dataclass
class _Bytes:
    """A cursor. EOFError where the data end inside a number or a text."""

    source: str
    data: bytes
    at: int

    def byte(self) -> int:
        if self.at >= len(self.data):
            raise EOFError
        self.at += 1
        return self.data[self.at - 1]

    def number(self) -> int:
        start, first = self.at, self.byte()
        value, shift, more = first & 0x3F, 6, first & 0x80
        while more:
            following = self.byte()
            value |= (following & 0x7F) << shift
            shift, more = shift + 7, following & 0x80
            if self.at - start > MAX_NUMBER:
                raise ParseError(self.source, f"a number of over {MAX_NUMBER} bytes", offset=start)
        return -value if first & 0x40 else value

    def text(self) -> str:
        end = self.data.find(b"\0", self.at)
        if end < 0:
            raise EOFError
        found = self.data[self.at : end]
        self.at = end + 1
        return clean(found.decode(errors="backslashreplace"))


@dataclass
class _Stack:
    """The stack under way: it ends where the next one begins."""

    thread: int
    frames: list[int] = field(default_factory=list)
    idle: bool = False
    micros: int | None = None


class _Reader:
    """Definitions and rows so far."""

    def __init__(self, source: str, version: int) -> None:
        self.source, self.version = source, version
        self.notes: dict[str, str] = {}
        self.texts: dict[int, str] = {}
        self.frames: dict[int, int] = {}
        self.rows: StackRows | None = None
        self.stack: _Stack | None = None

    def event(self, data: _Bytes) -> None:
        at = data.at
        kind = data.byte()
        if kind == Event.METADATA:
            key = data.text()
            self.notes[key] = data.text()
        elif kind == Event.TEXT:
            number = data.number()
            self.texts[number] = data.text()
        elif kind == Event.STACK:
            self.begin(data)
        elif self.rows is None or self.stack is None:
            raise ParseError(self.source, f"event {kind} before the first stack", offset=at)
        else:
            self.part(kind, data, self.rows, self.stack, at)

    def begin(self, data: _Bytes) -> None:
        process = data.number()
        interpreter = data.number() if self.version >= INTERPRETER_SINCE else 0
        thread = data.text()
        if self.rows is None:
            self.rows = StackRows(Builder("sampled", austin_metrics(self.notes.get("mode", ""), self.source)))
        self.finish_stack()
        # The text mode writes both; a main thread's number is the process's in hexadecimal.
        self.stack = _Stack(self.rows.thread(f"thread (P{process} T{interpreter}:{thread})"))

    def part(self, kind: int, data: _Bytes, rows: StackRows, stack: _Stack, at: int) -> None:
        """One event of the stack under way."""
        match kind:
            case Event.FRAME:
                stack.frames.append(self.define(data, rows))
            case Event.FRAME_REF:
                key = data.number()
                if key not in self.frames:
                    raise ParseError(self.source, f"frame {key} was never defined", offset=at)
                stack.frames.append(self.frames[key])
            case Event.INVALID:
                stack.frames.append(rows.frame(Place(INVALID_FRAME, runtime=SYNTHETIC)))
            case Event.KERNEL_FRAME:
                stack.frames.append(rows.frame(Place(data.text(), runtime=KERNEL)))
            case Event.GC:
                stack.frames.append(rows.frame(Place("[garbage collection]", runtime=SYNTHETIC)))
            case Event.IDLE:
                stack.idle = True
            case Event.TIME:
                stack.micros = data.number()
                if not 0 <= stack.micros <= INT64_MAX // 1000:
                    raise ParseError(self.source, f"{stack.micros} microseconds are no time", offset=at)
            case Event.MEMORY:
                data.number()
            case _:
                raise ParseError(self.source, f"event {kind} is none of MOJO version {self.version}", offset=at)

    def define(self, data: _Bytes, rows: StackRows) -> int:
        key, file, scope, line = (data.number() for _ in range(4))
        if self.version >= COLUMNS_SINCE:
            for _ in range(3):  # last line, first and last column
                data.number()
        place = Place(self.text(scope), file=self.text(file), line=line_number(line), runtime=PYTHON)
        self.frames[key] = rows.frame(place)
        return self.frames[key]

    def text(self, key: int) -> str:
        return self.texts.get(key, "[unknown]")

    def finish_stack(self) -> None:
        stack, rows = self.stack, self.rows
        if stack is None or rows is None or stack.micros is None:
            return
        value = stack.micros * 1000
        rows.total += value
        frames = stack.frames
        if not frames:
            frames = [rows.frame(Place(NO_STACK, runtime=SYNTHETIC))]
            rows.no_stack += value
        node = -1
        for frame in frames:
            node = rows.builder.stack(node, frame)
        values = (value,) if len(rows.builder.metrics) == 1 else (value, 0 if stack.idle else value)
        rows.builder.sample(node, values, thread=stack.thread)

    def profile(self, partial: str | None) -> Profile:
        self.finish_stack()
        if self.rows is None:
            raise ParseError(self.source, partial or "no stack in it: the profiler saw nothing in the window")
        meta = Meta(
            format=NAME,
            source=self.source,
            tool=f"austin {self.notes['austin']}" if "austin" in self.notes else "austin",
            threads=tuple(self.rows.threads),
            partial=partial,
            notes=self.notes,
        )
        profile = finish(self.rows.builder, meta)
        return replace(profile, meta=replace(meta, warnings=tuple(self.rows.doubts(profile))))
