"""Text that the JDK's `jfr print` makes of a flight recording: samples of execution, of CPU time, or of allocations.

An event is `jdk.ExecutionSample {`, lines `field = value`, a list `stackTrace = [` with the innermost frame first, and
`}`. A frame is `package.Class.method(Types) line: N`; one of native code, which async-profiler adds, begins with the
name of its library. The same recording takes 27 times as much space as JSON, which repeats every class loader.

A file has one kind of event, or the first of `KINDS` that is in it is read. JFR names classes, not source files: the
file is the one that javac expects for a public class, `shop/Cart.java` for `shop.Cart$Line`. The line of a function is
the first one in it that was seen to run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from profpipe.errors import ParseError
from profpipe.model.build import Builder
from profpipe.model.profile import SYNTHETIC, Fact, Meta, Profile
from profpipe.parse.heap_frames import ALLOCATED_BYTES
from profpipe.parse.reading import TextLines, empty, finish, line_number, share
from profpipe.parse.stack_rows import NO_STACK, Place
from profpipe.units import CPU_NS, SAMPLES, Metric

NAME = "jfr-text"
SAYS: frozenset[Fact] = frozenset({"self", "total", "edges", "stacks", "lines", "threads"})
RECORD = "jfr print --events jdk.ExecutionSample --stack-depth 256 server.jfr > server.txt"

# Event -> what it counts, and the field that holds how much; without a field an event counts 1.
KINDS: dict[str, tuple[Metric, str]] = {
    "jdk.ExecutionSample": (SAMPLES, ""),
    "jdk.CPUTimeSample": (CPU_NS, "samplingPeriod"),
    "jdk.ObjectAllocationSample": (ALLOCATED_BYTES, "weight"),
}
MAX_DEPTH = 4096
_BEGIN = re.compile(r"^(jdk\.\w+) \{$")
_FIELD = re.compile(r"^  (\w+) = (.*)$")
_FRAME = re.compile(r"^    (?P<name>\S.*?)(?:\((?P<types>[^()]*)\))?(?: +line: *(?P<line>\d+))?$")
_NATIVE = re.compile(r"^(?P<object>[\w+.-]+\.so(?:\.\d+)*)\.(?P<name>.+)$")
_AMOUNT = re.compile(r"^(\d+(?:[.,]\d+)?) (\w+)$")
_FACTORS = {
    "bytes": 1, "byte": 1, "B": 1, "kB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40,
    "ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9,
}  # fmt: skip


@dataclass(slots=True)
class _Event:
    """One event so far: its fields, and its frames as text, innermost first."""

    kind: str
    line: int
    fields: dict[str, str] = field(default_factory=dict)
    frames: list[str] = field(default_factory=list)
    cut: bool = False


def sniff(head: bytes, _filename: str) -> bool | None:
    """True for a text that begins with an event of the JDK."""
    return re.match(rb"\s*jdk\.\w+ \{\r?\n  \w+ = ", head) is not None


def parse(raw: BinaryIO, source: str) -> Profile:
    """A sampled profile. ParseError for a text cut inside an event and for one without samples of a known kind."""
    lines = TextLines(raw)
    found: dict[str, list[_Event]] = {}
    for event in _events(lines, source):
        if event.kind in KINDS:
            found.setdefault(event.kind, []).append(event)
    if not lines.any:
        raise empty(source)
    kind = next((kind for kind in KINDS if kind in found), None)
    if kind is None:
        raise ParseError(source, f"no sample in it: print one of {', '.join(KINDS)}; was the server idle?")
    return _profile(kind, found[kind], [other for other in found if other != kind], source)


def _events(lines: TextLines, source: str) -> Iterator[_Event]:
    event: _Event | None = None
    in_stack = False
    number = 0
    for number, text in lines:
        if event is None:
            if begun := _BEGIN.match(text):
                event = _Event(begun[1], number)
            elif text.strip():
                raise ParseError(
                    source, f"expected an event such as `jdk.ExecutionSample {{`: {text[:60]!r}", line=number
                )
        elif text == "}":
            yield event
            event, in_stack = None, False
        elif in_stack:
            in_stack = _frame(event, text, source, number)
        elif text == "  stackTrace = [":
            in_stack = True
        elif named := _FIELD.match(text):
            event.fields[named[1]] = named[2]
    if event is not None:
        raise ParseError(source, f"the event of line {event.line} has no end: the file was cut there", line=number)


def _frame(event: _Event, text: str, source: str, number: int) -> bool:
    """Take a line of a stack; whether the stack goes on."""
    if text.strip() == "]":
        return False
    if text.strip() == "...":
        event.cut = True
    elif len(event.frames) >= MAX_DEPTH:
        raise ParseError(source, f"a stack of over {MAX_DEPTH:,} frames", line=number)
    else:
        event.frames.append(text)
    return True


def _profile(kind: str, events: list[_Event], others: list[str], source: str) -> Profile:
    metric, counted = KINDS[kind]
    builder = Builder("sampled", (metric,))
    frames = _frame_ids(builder, events)
    threads: dict[str, int] = {}
    for event in events:
        stack = -1
        for text in reversed(event.frames):
            stack = builder.stack(stack, frames[text])
        if stack < 0:
            stack = builder.stack(-1, builder.frame(builder.function(NO_STACK, runtime=SYNTHETIC)))
        label = event.fields.get("sampledThread") or event.fields.get("eventThread", "")
        thread = threads.setdefault(label.partition('" (')[0].strip('"'), len(threads))
        value = _amount(event, counted, source) if counted else 1
        builder.sample(stack, (value,), thread=thread)
    warnings = [f"{', '.join(others)} in the same file: only {kind} is read"] if others else []
    if cut := sum(event.cut for event in events):
        warnings.append(f"{share(cut, len(events))} of the stacks were cut: print with --stack-depth 256")
    return finish(builder, Meta(NAME, source, threads=tuple(threads), warnings=tuple(warnings)))


def _frame_ids(builder: Builder, events: list[_Event]) -> dict[str, int]:
    """The frame of every text, each looked at once, in order of first sight."""
    places = {text: _place(text) for event in events for text in event.frames}
    first: dict[tuple[str, str], int] = {}
    for place in places.values():
        key = place.name, place.object
        if place.line:
            first[key] = min(first.get(key, place.line), place.line)
    return {
        text: builder.frame(
            builder.function(
                place.name, file=place.file, object=place.object, line=first.get((place.name, place.object), 0)
            ),
            line=place.line,
        )
        for text, place in places.items()
    }


def _place(text: str) -> Place:
    found = _FRAME.match(text)
    name = found["name"] if found else text.strip()
    line = line_number(found["line"]) if found else 0
    if native := _NATIVE.match(name):
        return Place(native["name"], object=native["object"])
    return Place(name, file=_file_of(name), line=line)


def _file_of(method: str) -> str:
    """`a.b.Cart$Line.total` -> `a/b/Cart.java`; "" for a name without a class."""
    owner = method.rpartition(".")[0]
    package, _, name = owner.partition("$")[0].rpartition(".")
    return f"{package.replace('.', '/')}/{name}.java".lstrip("/") if name else ""


def _amount(event: _Event, counted: str, source: str) -> int:
    text = event.fields.get(counted, "")
    found = _AMOUNT.match(text)
    if found is None or found[2] not in _FACTORS:
        what = f"{counted} is {text[:40]!r}, expected a number with its unit"
        raise ParseError(source, f"{what}: in the event of line {event.line}", line=event.line)
    return round(float(found[1].replace(",", ".")) * _FACTORS[found[2]])
