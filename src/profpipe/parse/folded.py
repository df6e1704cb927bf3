"""Folded stacks, one `root;caller;leaf count` a line, in the three dialects that are about.

- py-spy raw: frames `name (file.py:line)` or, native, `name (libc.so.6)`; `process 1:"command"` and
  `thread (1): name` stand before them. A stack that could not be read is an empty one.
- austin: `P1;T0:2;file:function:line microseconds`, `# key: value` headers, frames `:INVALID:`.
- FlameGraph and perf: bare names, `_[k]` kernel, `_[j]` just-in-time, `_[i]` inlined.

Values: samples; austin's microseconds become wall_ns (its `cpu` mode counts wall time of threads that were not idle).
A file cut inside a line is read up to there and is partial. A cut exactly at a line's end cannot be seen in py-spy and
FlameGraph files, which say nowhere how much they hold; austin's closing `# duration` line gives it away.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from profpipe.errors import ParseError
from profpipe.model.build import Builder
from profpipe.model.profile import KERNEL, NATIVE, PYTHON, SYNTHETIC, Fact, Meta, Profile
from profpipe.parse.reading import INT64_MAX, TextLines, empty, finish, line_number, runtime_of, share
from profpipe.units import CPU_NS, SAMPLES, WALL_NS, Metric

NAME = "folded"
SAYS: frozenset[Fact] = frozenset({"self", "total", "edges", "stacks", "lines", "threads"})
RECORD = "py-spy record --format raw --pid PID"
NO_STACK = "[no stack]"
MAX_CALLERS = 50_000  # caller paths remembered at a time: some 20 MB of text
EMPTY_FRAME = "[empty frame]"
INVALID_FRAME = "[invalid frame]"
SYNTHETIC_NAMES = frozenset({NO_STACK, EMPTY_FRAME, INVALID_FRAME, "[self]", "[await]", "[out-of-context]"})

_HEADER = re.compile(r"# ([\w ]{1,40}): (.*)")
_AUSTIN = re.compile(r"P(\d+);T([^;\s]+)(?:;|$)")
_PROCESS = re.compile(r'process (\d+)(?::"(.*?)")?(?:;|$)')
_THREAD = re.compile(r"thread \([^)]*\)(?:: .*)?")
_PLACE = re.compile(rb" \((?:[^\s():]{1,400}:-?\d{1,10}|[^\s():]{1,400}\.so[.\d]*)\)$")
_ANNOTATION = re.compile(r"_\[([kjiw])\]")
_OBJECT = re.compile(r"[^\s():.][^\s():]*|\?")


@dataclass(frozen=True, slots=True)
class Place:
    """What one frame text says."""

    name: str
    file: str = ""
    object: str = ""
    line: int = 0
    runtime: int = NATIVE
    torn: bool = False


FrameReader = Callable[[str], Place]


def sniff(head: bytes, _filename: str) -> bool | None:
    """True when every whole line of the head is a stack with its count; None when only single names were seen."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", errors="replace").encode()
    lines = head.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    whole = [line.rstrip() for line in (lines[:-1] or lines) if line.strip()]
    stacks = [line for line in whole if not _HEADER.fullmatch(line.decode("latin-1"))]
    if not stacks or b"\0" in head:
        return False
    kinds = {_kind(line) for line in stacks}
    return False if False in kinds else (True if True in kinds else None)


def _kind(line: bytes) -> bool | None:
    """Plain string tests: a pattern with two `.*` takes minutes on a line of 60,000 semicolons."""
    path, space, count = line.rpartition(b" ")
    if not space or not count.replace(b",", b"").removeprefix(b"-").isdigit():
        return False
    return True if b";" in path or _PLACE.search(path) else None


def parse(raw: BinaryIO, source: str) -> Profile:
    """A sampled profile. ParseError names the line that is not a stack, and an empty file with what that may mean."""
    lines = TextLines(raw)
    headers, first, rest = _head(iter(lines))
    if not lines.any:
        raise empty(source)
    if first is None:
        raise ParseError(source, "no stack in it: the profiler saw nothing in the window")
    austin = _AUSTIN.match(first[1]) is not None
    walk = _Walk(source, Builder("sampled", _austin_metrics(headers, source) if austin else (SAMPLES,)))
    held: tuple[int, str] | None = first
    # One line is held back: only the next one shows that it was not the last, which may have been cut.
    for number, text in rest:
        if held is not None:
            (walk.austin if austin else walk.stack)(*held)
        held = None
        if not text.strip():
            continue
        header = _HEADER.fullmatch(text) if austin else None
        if header:
            if lines.complete:
                headers[header[1].strip()] = header[2].strip()
        else:
            held = (number, text)
    cut = None
    if held is not None:
        if lines.complete:
            (walk.austin if austin else walk.stack)(*held)
        else:
            cut = f"line {held[0]:,} has no line end: the file was cut there and the line was left out"
    return walk.profile(lines, headers, austin, cut)


def _head(
    lines: Iterator[tuple[int, str]],
) -> tuple[dict[str, str], tuple[int, str] | None, Iterator[tuple[int, str]]]:
    """Headers, the first stack line, and the lines after it."""
    headers: dict[str, str] = {}
    for number, text in lines:
        header = _HEADER.fullmatch(text)
        if header:
            headers[header[1].strip()] = header[2].strip()
        elif text.strip():
            return headers, (number, text), lines
    return headers, None, lines


def _austin_metrics(headers: dict[str, str], source: str) -> tuple[Metric, ...]:
    mode = headers.get("mode", "")
    if mode == "memory":
        raise ParseError(source, "austin recorded memory, not time; profpipe compares time: record without -m")
    return (WALL_NS, CPU_NS) if mode == "full" else (WALL_NS,)


@dataclass
class _Walk:
    """Rows so far. Every distinct frame text is looked at once; the rest is dictionary look-ups."""

    source: str
    builder: Builder
    frames: dict[str, int] = field(default_factory=dict)
    callers: dict[str, int] = field(default_factory=dict)
    threads: dict[str, int] = field(default_factory=dict)
    invalid: set[int] = field(default_factory=set)
    torn: set[int] = field(default_factory=set)
    total: int = 0
    no_stack: int = 0
    two_numbers: int = 0
    lines: int = 0
    command: str = ""

    def stack(self, number: int, text: str) -> None:
        """One line of py-spy or FlameGraph."""
        path, _, token = text.rstrip().rpartition(" ")
        value = self.value(number, token, text)
        self.lines += 1
        self.two_numbers += path[-1:].isdigit() and path.rpartition(" ")[2].isdigit() and ";" in path
        thread = -1
        if path.startswith(("process ", "thread (")):
            path, thread = self.owner(path)
        self.add(path, (value,), thread, pyspy_frame)

    def owner(self, path: str) -> tuple[str, int]:
        """Take leading process and thread frames off; the innermost process and the thread make the thread's name."""
        process = ""
        while match := _PROCESS.match(path):
            self.command = self.command or match[2] or ""
            process, path = f"process {match[1]}", path[match.end() :]
        first, _, rest = path.partition(";")
        thread = ""
        if _THREAD.fullmatch(first):
            thread, path = first, rest
        label = " ".join(part for part in (process, thread) if part)
        return path, self.threads.setdefault(label, len(self.threads)) if label else -1

    def austin(self, number: int, text: str) -> None:
        """One line of austin."""
        match = _AUSTIN.match(text.rstrip().rpartition(" ")[0])
        if match is None:
            raise ParseError(self.source, "expected austin's P<pid>;T<thread>;frames value", line=number)
        path, _, token = text.rstrip().rpartition(" ")
        fields = token.split(",")
        if len(fields) != (3 if len(self.builder.metrics) == 2 else 1):
            raise ParseError(self.source, f"{token!r} is not the value of this austin mode", line=number)
        value = self.value(number, fields[0], text) * 1000
        if value > INT64_MAX:
            raise ParseError(self.source, f"{token} microseconds do not fit 64 bits of nanoseconds", line=number)
        label = f"thread (P{match[1]} T{match[2]})"
        values = (value,) if len(fields) == 1 else (value, 0 if fields[1] == "1" else value)
        thread = self.threads.setdefault(label, len(self.threads))
        self.add(path[match.end() :], values, thread, austin_frame)

    def add(self, path: str, values: tuple[int, ...], thread: int, read: FrameReader) -> None:
        """One stack. Stacks of one caller stand near each other, so the caller's row is looked up as one string."""
        self.total += values[0]
        callers, separator, leaf = path.rpartition(";")
        node = -1
        if separator:
            found = self.callers.get(callers)
            if found is None:
                for text in callers.split(";"):
                    node = self.builder.stack(node, self.frame_of(text, read))
                if len(self.callers) > MAX_CALLERS:
                    self.callers.clear()
                self.callers[callers] = node
            else:
                node = found
        elif not leaf.strip():
            leaf = NO_STACK
            self.no_stack += values[0]
        self.builder.sample(self.builder.stack(node, self.frame_of(leaf, read)), values, thread=thread)

    def frame_of(self, text: str, read: FrameReader) -> int:
        frame = self.frames.get(text)
        if frame is None:
            frame = self.frames[text] = self.frame(read(text))
        return frame

    def frame(self, place: Place) -> int:
        function = self.builder.function(place.name, file=place.file, object=place.object, runtime=place.runtime)
        frame = self.builder.frame(function, line=place.line)
        if place.name == INVALID_FRAME:
            self.invalid.add(frame)
        if place.torn:
            self.torn.add(frame)
        return frame

    def value(self, number: int, token: str, text: str) -> int:
        if not (token.isascii() and token.isdigit()):
            shown = text if len(text) <= 60 else text[:57] + "..."
            raise ParseError(self.source, f"expected `frame;frame count`, found {shown!r}", line=number)
        if len(token) > 19 or int(token) > INT64_MAX:
            raise ParseError(self.source, f"the count {token[:25]} does not fit 64 bits", line=number)
        return int(token)

    def profile(self, lines: TextLines, headers: dict[str, str], austin: bool, cut: str | None) -> Profile:
        if self.lines and self.two_numbers == self.lines:
            raise ParseError(self.source, "two counts on every line: a difference of two profiles, not a profile")
        if austin and cut is None and "duration" not in headers:
            cut = "austin's closing `# duration` line is missing: it was killed while it recorded"
        if not self.lines and not self.total and not self.frames:
            raise ParseError(self.source, cut or "no stack in it")
        meta = Meta(
            format=NAME,
            source=self.source,
            tool=f"austin {headers['austin']}" if "austin" in headers else ("austin" if austin else ""),
            command=self.command,
            threads=tuple(self.threads),
            partial=cut,
            notes=headers if austin else {},
        )
        profile = finish(self.builder, meta)
        return replace(profile, meta=replace(meta, warnings=(*lines.warnings(), *self.doubts(profile))))

    def doubts(self, profile: Profile) -> Iterator[str]:
        if self.no_stack:
            yield f"{share(self.no_stack, self.total)} of the samples have no stack: the profiler could not read one"
        for frames, what in ((self.invalid, "frames marked invalid"), (self.torn, "frames with impossible lines")):
            if frames:
                part = _touched(profile, frames)
                yield f"{share(part, self.total)} of the samples hold {what}: read while the program was moving"


def _touched(profile: Profile, frames: set[int]) -> int:
    """The first metric's sum over samples whose stack holds one of `frames`."""
    assert profile.stacks is not None
    assert profile.samples is not None
    hit: list[bool] = []
    for parent, frame in zip(profile.stacks.parent.tolist(), profile.stacks.frame.tolist(), strict=True):
        hit.append(frame in frames or (parent >= 0 and hit[parent]))
    values = profile.samples.values[profile.metrics[0].key].tolist()
    return sum(v for s, v in zip(profile.samples.stack.tolist(), values, strict=True) if hit[s])


def austin_frame(text: str) -> Place:
    """`file:function:line`, read from the right since paths may hold colons."""
    file, function, line = (["", "", *text.rsplit(":", 2)])[-3:]
    if function == "INVALID" and not file:
        return Place(INVALID_FRAME, runtime=SYNTHETIC)
    if text in SYNTHETIC_NAMES or not text.strip():
        return Place(text.strip() or EMPTY_FRAME, runtime=SYNTHETIC)
    if not function:
        return Place(text, runtime=PYTHON)
    return Place(function, file=file, line=line_number(line), runtime=PYTHON)


def pyspy_frame(text: str) -> Place:
    """`name (file:line)`, `name (object)` or a bare name, with FlameGraph's annotations taken off."""
    text = text.strip()
    # A position moves back instead of the text being cut: names of 15,000 annotations took seconds.
    end, kernel = len(text), False
    while match := _ANNOTATION.fullmatch(text, max(end - 4, 0), end):
        kernel |= match[1] == "k"
        end -= 4
        while end and text[end - 1].isspace():
            end -= 1
    text = text[:end]
    if not text:
        return Place(EMPTY_FRAME, runtime=SYNTHETIC)
    if text in SYNTHETIC_NAMES:
        return Place(text, runtime=SYNTHETIC)
    name, inner = _split_place(text)
    file, colon, line = inner.rpartition(":")
    if colon and file and line.removeprefix("-").isdigit():
        runtime = KERNEL if kernel else runtime_of(file)
        return Place(name, file=file, line=line_number(line), runtime=runtime, torn=line.startswith("-"))
    if inner and _OBJECT.fullmatch(inner):
        return Place(name, object=inner, runtime=KERNEL if kernel else NATIVE)
    return Place(text, runtime=KERNEL if kernel else NATIVE)


def _split_place(text: str) -> tuple[str, str]:
    """`name (inner)` at the last balanced parenthesis after a space; inner is "" where there is none."""
    if not text.endswith(")"):
        return text, ""
    depth = 0
    for at in range(len(text) - 1, 0, -1):
        depth += (text[at] == ")") - (text[at] == "(")
        if depth == 0:
            name = text[:at].rstrip()
            return (name, text[at + 1 : -1]) if text[at - 1] == " " and name else (text, "")
    return text, ""
