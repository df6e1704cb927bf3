"""What austin writes as text, in every mode that records time.

- Headers `# key: value`; `# austin: 3.7.0` names the writer, `# mode:` the meaning of the numbers.
- austin 2 and later: `P1;T0:2;file:function:line;... 1234`, frames `:INVALID:`, no frame at all for a thread whose
  stack was empty. austin 1: `Process 1;Thread 2;function (file);L3;... 1234`.
- Values are microseconds. Mode `full` has three: time, 1 for an idle thread, bytes of memory.

Microseconds become wall_ns (the mode `cpu` counts wall time of threads that were not idle). austin closes a recording
with `# duration:`; without that line the recording is partial. The compressed twin has neither.
Formats: the README of austin 3.7 and the output of 1.0.1, 3.5.0, 3.6.0 and 3.7.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from profpipe.errors import ParseError
from profpipe.model.build import Builder
from profpipe.model.profile import PYTHON, SYNTHETIC, Fact, Meta, Profile
from profpipe.parse.reading import INT64_MAX, TextLines, empty, finish, line_number
from profpipe.parse.stack_rows import EMPTY_FRAME, INVALID_FRAME, SYNTHETIC_NAMES, Place, StackRows, austin_metrics

NAME = "austin"
SAYS: frozenset[Fact] = frozenset({"self", "total", "edges", "stacks", "lines", "threads"})
RECORD = "austin --output FILE --pid PID"
_HEADER = re.compile(r"# ([\w ]{1,40}): (.*)")
_OWNER = re.compile(r"P(\d{1,10});T([0-9A-Fa-f:]{1,40})(?:;|$)")
_OWNER_1 = re.compile(r"Process (\d{1,10});Thread ([^;]{1,40})(?:;|$)")
_VALUE = re.compile(r"-?\d{1,25}(?:,-?\d{1,25}){0,2}")


def sniff(head: bytes, _filename: str) -> bool | None:
    """True when the header names austin, or the first stack has its process and thread."""
    for line in head.removeprefix(b"\xef\xbb\xbf").replace(b"\r", b"\n").split(b"\n"):
        text = line.decode("latin-1").rstrip()
        header = _HEADER.fullmatch(text)
        if header and header[1] == "austin":
            return True
        if text and not header:
            path, _, value = text.rpartition(" ")
            return owner_of(path) is not None and _VALUE.fullmatch(value) is not None
    return False


def owner_of(path: str) -> tuple[str, str, str, bool] | None:
    """Process, thread, the frames behind them, and whether austin 1 wrote it; None for what is no line of austin."""
    for pattern in (_OWNER, _OWNER_1):
        if match := pattern.match(path):
            return match[1], match[2], path[match.end() :], pattern is _OWNER_1
    return None


def parse(raw: BinaryIO, source: str) -> Profile:
    """A sampled profile. ParseError names the line that austin would not write, and a recording without a stack."""
    lines = TextLines(raw)
    reader = _Reader(source)
    held: tuple[int, str] | None = None
    # One line is held back: only when the next one comes is it known that it was not the last, which may be cut.
    for number, text in lines:
        if held is not None:
            reader.line(*held)
        held = (number, text)
    if held is None:
        raise empty(source)
    return reader.profile(lines, reader.last_line(*held, complete=lines.complete))


@dataclass
class _Reader:
    """The headers and rows so far. The mode decides the metrics, so rows begin at the first stack."""

    source: str

    def __post_init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.rows: StackRows | None = None
        self.warnings: list[str] = []

    def line(self, number: int, text: str) -> None:
        if not text.strip():
            return
        header = _HEADER.fullmatch(text)
        if header:
            self.headers[header[1].strip()] = header[2].strip()
            return
        if self.rows is None:
            self.rows = StackRows(Builder("sampled", austin_metrics(self.headers.get("mode", ""), self.source)))
        self.stack(self.rows, number, text.rstrip())

    def last_line(self, number: int, text: str, *, complete: bool) -> str | None:
        """Read the last line; why the recording is partial, or None.

        A recording closes with `# duration`, so that a stack without a line end was cut. The compressed twin has no
        headers and no end mark: its last stack is read, with a warning, if it is whole.
        """
        cut = f"line {number:,} has no line end: the file was cut there and the line was left out"
        if not complete and "austin" in self.headers and _HEADER.fullmatch(text) is None:
            return cut
        try:
            self.line(number, text)
        except ParseError:
            if complete:
                raise
            return cut
        if not complete and "austin" not in self.headers:
            self.warnings.append(f"the last line, {number:,}, has no line end: if the file was cut, its time is short")
        return None

    def stack(self, rows: StackRows, number: int, text: str) -> None:
        path, _, token = text.rpartition(" ")
        owner = owner_of(path)
        if owner is None:
            raise ParseError(self.source, "expected austin's P<pid>;T<thread>;frames value", line=number)
        process, thread, frames, old = owner
        label = rows.thread(f"thread (P{process} T{thread})")
        values = self.values(number, token, len(rows.builder.metrics))
        rows.add(";".join(_joined(frames)) if old else frames, values, label, frame_1 if old else frame)

    def values(self, number: int, token: str, metrics: int) -> tuple[int, ...]:
        """The nanoseconds of a line; in mode `full` those of a busy thread as well."""
        fields = token.split(",")
        if len(fields) != (3 if metrics == 2 else 1):
            raise ParseError(self.source, f"{token!r} is not the value of this austin mode", line=number)
        micros = fields[0]
        if not (micros.isascii() and micros.isdigit()):
            raise ParseError(self.source, f"expected microseconds from 0 on, found {token[:60]!r}", line=number)
        nanoseconds = int(micros[:20]) * 1000
        if len(micros) > 19 or nanoseconds > INT64_MAX:
            raise ParseError(self.source, f"{token[:25]} microseconds do not fit 64 bits of nanoseconds", line=number)
        return (nanoseconds,) if metrics == 1 else (nanoseconds, 0 if fields[1] == "1" else nanoseconds)

    def profile(self, lines: TextLines, cut: str | None) -> Profile:
        if self.rows is None:
            raise ParseError(self.source, cut or "no stack in it: the profiler saw nothing in the window")
        if cut is None and "austin" in self.headers and "duration" not in self.headers:
            cut = "austin's closing `# duration` line is missing: it was killed while it recorded"
        meta = Meta(
            format=NAME,
            source=self.source,
            tool=f"austin {self.headers['austin']}" if "austin" in self.headers else "austin",
            threads=tuple(self.rows.threads),
            partial=cut,
            notes=self.headers,
        )
        profile = finish(self.rows.builder, meta)
        return replace(
            profile, meta=replace(meta, warnings=(*lines.warnings(), *self.rows.doubts(profile), *self.warnings))
        )


def frame(text: str) -> Place:
    """`file:function:line`, read from the right since paths may hold colons."""
    file, function, line = (["", "", *text.rsplit(":", 2)])[-3:]
    if function == "INVALID" and not file:
        return Place(INVALID_FRAME, runtime=SYNTHETIC)
    if text in SYNTHETIC_NAMES or not text.strip():
        return Place(text.strip() or EMPTY_FRAME, runtime=SYNTHETIC)
    if not function:
        return Place(text, runtime=PYTHON)
    return Place(function, file=file, line=line_number(line), runtime=PYTHON)


def _joined(frames: str) -> Iterator[str]:
    """austin 1 gives the line a field of its own: `f (/a.py);L3` becomes one frame."""
    place = ""
    for text in frames.split(";"):
        if place and re.fullmatch(r"L\d{1,10}", text):
            yield f"{place} {text}"
            place = ""
        else:
            if place:
                yield place
            place = text
    if place:
        yield place


_FRAME_1 = re.compile(r"(.*) \((.*)\)(?: L(\d+))?")


def frame_1(text: str) -> Place:
    """`function (file) L3`, as `_joined` gives it."""
    match = _FRAME_1.fullmatch(text)
    if match is None:
        return frame(text)
    return Place(match[1], file=match[2], line=line_number(match[3] or ""), runtime=PYTHON)
