"""`perf script` text: a header line per sample, then its frames, innermost first, then an empty line.

    comm pid[/tid] [cpu] seconds: period event:
    <tab> address symbol+0xoffset (object)

Without call chains the frame stands on the header line. Read from the right, since comm may hold spaces and brackets
and an object may hold " (deleted)". `([kernel.kallsyms])`, `([module])` and *.ko are the kernel; `(inlined)` frames
belong to the object of the frame that follows; `py::function:file` frames are Python's own (-X perf, -X perf_jit).
The period of cpu-clock and task-clock is nanoseconds, so their samples add up to CPU time. Several clocks of one
recording (`cpu-clock/freq=293/`, `cpu-clock/freq=331/`) each saw all of it: their sum is divided by their number.

Where /proc/kallsyms is hidden, kernel frames come as `ffffffff81000130 [unknown] ([unknown])`: their address still
tells them from user code. Walking frame pointers often ends at a null return address, `0 [unknown] ([unknown])`: that
is where the walk ended, not a caller.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from profpipe.errors import ParseError
from profpipe.model.build import Builder
from profpipe.model.profile import KERNEL, NATIVE, PYTHON, SYNTHETIC, Fact, Meta, Profile
from profpipe.parse.reading import INT64_MAX, TextLines, empty, finish, share
from profpipe.units import CPU_NS, SAMPLES, Metric

NAME = "perf"
SAYS: frozenset[Fact] = frozenset({"self", "total", "edges", "stacks", "threads"})
RECORD = "perf record --call-graph dwarf ./server; perf script"
UNKNOWN = "[unknown]"
HIDDEN_KERNEL = "[kernel]"
CLOCKS = ("cpu-clock", "task-clock")
# comm is at most 15 bytes in the kernel; the bound keeps a 20 MB line from being tried at every position.
_HEADER = re.compile(
    r"\s{0,64}(\S.{0,62}?)\s+(-1|\d{1,10})(?:/(-1|\d{1,10}))?\s+(?:\[\d{1,5}\]\s+)?"
    r"(\d{1,12}\.\d{1,9}):\s+(?:(\d{1,20})\s+)?([^\s:]\S{0,200}):(?:\s+(.*))?$"
)
_FRAME = re.compile(r"\s*([0-9a-f]{1,16}) (.*)$")
_OFFSET = re.compile(r"\+0x[0-9a-f]{1,16}$")
_LOST = re.compile(r"PERF_RECORD_(LOST(?:_SAMPLES)?) lost (\d{1,18})")
_NAMELESS = "[unknown] ([unknown])"
# `cpu_core/cycles/`: the same event by the name of the unit that counts it on processors with two kinds of cores.
_UNIT = re.compile(r"^[\w.-]{1,64}/([\w.-]{1,64})/:?(\w*)$")


def sniff(head: bytes, _filename: str) -> bool | None:
    """True when the first line that is no comment is a sample's header."""
    for line in head.decode("latin-1").lstrip("\xef\xbb\xbf").split("\n")[:400]:
        if line.strip() and not line.startswith("#"):
            return _HEADER.match(line.rstrip()) is not None
    return False


def parse(raw: BinaryIO, source: str) -> Profile:
    """A sampled profile; the innermost frame has self. ParseError names the line that is neither header nor frame."""
    lines = TextLines(raw)
    walk = _Walk(source)
    for number, line in lines:
        text = line.rstrip()
        if not text:
            walk.close()
        elif line[0] in " \t" and walk.open and (frame := _FRAME.match(text)):
            walk.add(frame[1], frame[2])
        elif not text.startswith("#"):
            walk.header(number, text)
    if not lines.any:
        raise empty(source)
    cut = None
    if walk.open or not lines.complete:
        cut = "the last sample has no end: the file was cut there and the sample was left out"
    return walk.profile(lines, cut)


@dataclass
class _Walk:
    source: str
    builder: Builder = field(default_factory=lambda: Builder("sampled", (SAMPLES,)))
    event: str = ""
    clocks: set[str] = field(default_factory=set)
    open: bool = False
    frames: list[str] = field(default_factory=list)
    period: int | None = None
    thread: int = -1
    samples: int = 0
    unknown: int = 0
    lost: dict[str, int] = field(default_factory=dict)
    threads: dict[str, int] = field(default_factory=dict)
    known: dict[tuple[str, str], tuple[int, str, bool]] = field(default_factory=dict)

    def header(self, number: int, text: str) -> None:
        """A header opens a sample; one with its frame on the same line is whole at once."""
        if lost := _LOST.search(text):
            self.lost[lost[1]] = self.lost.get(lost[1], 0) + int(lost[2])
            return
        match = _HEADER.match(text)
        if match is None:
            shown = text if len(text) <= 60 else text[:57] + "..."
            raise ParseError(self.source, f"expected a sample's header or frame, found {shown!r}", line=number)
        self.close()
        comm, pid, tid, _, period, event, rest = match.groups()
        self.begin(_event(event), int(period) if period else None, number)
        label = f"{comm} {pid}/{tid}" if tid else f"{comm} {pid}"
        self.thread = self.threads.setdefault(label, len(self.threads))
        frame = _FRAME.match(rest) if rest else None
        if frame:
            self.add(frame[1], frame[2])
            self.close()

    def add(self, address: str, text: str) -> None:
        """One frame of the open sample."""
        if text == _NAMELESS:
            if len(address) == 16 and address[0] in "89abcdef":
                text = f"{UNKNOWN} ({HIDDEN_KERNEL})"
            elif self.frames and not address.strip("0"):
                return
        self.frames.append(text)

    def begin(self, event: str, period: int | None, number: int) -> None:
        clock = event.partition("/")[0]
        if clock in CLOCKS:
            self.clocks.add(event)
            event = clock
        if not self.event:
            self.event = event
            self.builder = Builder("sampled", _metrics(event, period))
        if event != self.event:
            text = f"events {self.event} and {event} in one file: their periods do not add up; write one file per event"
            raise ParseError(self.source, text, line=number)
        if (period is None) != (len(self.builder.metrics) == 1) or (period or 0) > INT64_MAX:
            raise ParseError(self.source, "a sample whose period is missing or too large", line=number)
        self.period, self.open = period, True

    def close(self) -> None:
        """Add the open sample, root first: only the frame around an inlined one names the object."""
        if not self.open:
            return
        node, place = -1, ""
        bare = False
        for text in reversed(self.frames):
            key = (text, place if text.endswith("(inlined)") else "")
            known = self.known.get(key)
            if known is None:
                known = self.known[key] = self.frame(text, place)
            frame, place, bare = known
            node = self.builder.stack(node, frame)
        if node < 0:
            node = self.builder.stack(-1, self.builder.frame(self.builder.function("[no stack]", runtime=SYNTHETIC)))
        self.builder.sample(node, (1,) if self.period is None else (self.period, 1), thread=self.thread)
        self.samples += 1
        self.unknown += bare
        self.open = False
        self.frames.clear()

    def frame(self, text: str, around: str) -> tuple[int, str, bool]:
        """(frame id, object for the frames inside it, symbol unknown)."""
        symbol, place = _split_object(text)
        symbol = _OFFSET.sub("", symbol)
        builder = self.builder
        if symbol.startswith("py::"):
            name, _, file = symbol[4:].partition(":")
            return builder.frame(builder.function(name, file=file, runtime=PYTHON)), place, False
        if place == "inlined":
            place = around
        function = builder.function(symbol or UNKNOWN, object=place, runtime=_runtime(place))
        return builder.frame(function), place, symbol in ("", UNKNOWN)

    def profile(self, lines: TextLines, cut: str | None) -> Profile:
        if not self.samples:
            raise ParseError(self.source, cut or "no sample in it: perf was killed, or recorded another process")
        warnings = list(lines.warnings())
        if self.unknown:
            warnings.append(f"{share(self.unknown, self.samples)} of the samples are in code without a symbol")
        if self.lost:
            # The two count the same losses: what the reader noticed, and what the kernel says at the end.
            warnings.append(f"perf lost {max(self.lost.values()):,} samples; {self.samples:,} were kept")
        notes = {"event": self.event, "samples": str(self.samples)}
        meta = Meta(
            NAME,
            self.source,
            tool=NAME,
            threads=tuple(self.threads),
            partial=cut,
            warnings=tuple(warnings),
            notes=notes,
        )
        return _shared(finish(self.builder, meta), len(self.clocks))


def _shared(profile: Profile, clocks: int) -> Profile:
    """CPU time that several clocks saw, once."""
    if clocks < 2 or profile.samples is None or CPU_NS not in profile.metrics:
        return profile
    values = {**profile.samples.values, CPU_NS.key: profile.samples.values[CPU_NS.key] // clocks}
    return replace(profile, samples=replace(profile.samples, values=values))


def _event(text: str) -> str:
    unit = _UNIT.match(text)
    return text if unit is None else f"{unit[1]}:{unit[2]}" if unit[2] else unit[1]


def _metrics(event: str, period: int | None) -> tuple[Metric, ...]:
    if period is None:
        return (SAMPLES,)
    base = event.split(":")[0]
    return (CPU_NS if base in CLOCKS else Metric(base, base, "1", about="the event that perf counted"), SAMPLES)


def _runtime(place: str) -> int:
    bracketed = place.startswith("[") and place not in ("[vdso]", "[heap]", "[stack]", "[vsyscall]", UNKNOWN)
    return KERNEL if bracketed or place.endswith((".ko", ".ko.xz", ".ko.zst", ".ko.gz", "vmlinux")) else NATIVE


def _split_object(text: str) -> tuple[str, str]:
    """`symbol (object)` at the last balanced parenthesis."""
    if not text.endswith(")"):
        return text, ""
    depth = 0
    for at in range(len(text) - 1, -1, -1):
        depth += (text[at] == ")") - (text[at] == "(")
        if depth == 0:
            return text[:at].rstrip(), text[at + 1 : -1]
    return text, ""
