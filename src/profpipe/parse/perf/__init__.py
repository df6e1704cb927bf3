"""`perf script` text: a header line per sample, then its frames, innermost first, then an empty line.

    comm pid[/tid] [cpu] seconds: period event:
    <tab> address symbol+0xoffset (object)

Which fields there are depends on `-F`: time, period, processor and address may be missing; `srcline` adds a line per
frame, `--show-task-events` and `--show-mmap-events` add records. Without call chains the frame is on the header line.
A header is read from the right, since comm may be empty or hold spaces, brackets, `#` and line breaks; an object may
hold " (deleted)".

A 64-bit address in the upper half is the kernel's, whatever the object is called (BPF programs, modules, vmlinux with a
version); elsewhere the kernel's are `[kernel.kallsyms]`, `[guest.kernel.kallsyms]`, *.ko and vmlinux. `[vdso]`,
`[uprobes]` and the code caches of runtimes (`[JIT app cache]` of simpleperf) are user code. `(inlined)` frames belong
to the object of the frame that follows; `py::function:file` frames are Python's own (-X perf, -X perf_jit).

The period of cpu-clock and task-clock is nanoseconds, so their samples add up to CPU time. Several clocks of one
recording (`cpu-clock/freq=293/`, `cpu-clock/freq=331/`) each saw all of it: their sum is divided by their number. Other
events in one file are metrics of their own; `samples` then counts those of the first event.

Where /proc/kallsyms is hidden, kernel frames come as `ffffffff81000130 [unknown] ([unknown])`: their address still
tells them from user code. Walking frame pointers often ends at a null return address, `0 [unknown] ([unknown])`: that
is where the walk ended, not a caller.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import BinaryIO

from profpipe.errors import ParseError
from profpipe.model.build import Builder
from profpipe.model.profile import PYTHON, SYNTHETIC, Fact, Meta, Profile
from profpipe.parse.perf.lines import (
    END_OF_RECORD,
    FRAME,
    LOST,
    MAX_COMM,
    NAMELESS,
    OFFSET,
    RECORD_LINE,
    SOURCE_LINE,
    event_name,
    frame_fields,
    header_fields,
    runtime_of_object,
    split_object,
)
from profpipe.parse.reading import INT64_MAX, TextLines, empty, finish, share
from profpipe.units import CPU_NS, SAMPLES, Metric

NAME = "perf"
SAYS: frozenset[Fact] = frozenset({"self", "total", "edges", "stacks", "threads"})
RECORD = "perf record --call-graph dwarf ./server; perf script"
UNKNOWN = "[unknown]"
HIDDEN_KERNEL = "[kernel]"
CLOCKS = ("cpu-clock", "task-clock")
MAX_SEEN = 100_000  # lines, and chains of callers, remembered at a time: some 50 MB of text and places


def sniff(head: bytes, _filename: str) -> bool | None:
    """True when the first line that is no comment is a sample's header."""
    for line in head.decode("latin-1").lstrip("\xef\xbb\xbf").split("\n")[:400]:
        text = line.rstrip()
        if text and not text.startswith("#") and not RECORD_LINE.search(text):
            return header_fields(text) is not None
    return False


def parse(raw: BinaryIO, source: str) -> Profile:
    """A sampled profile; the innermost frame has self. ParseError names the line that is neither header nor frame."""
    lines = TextLines(raw)
    walk = _Walk(source)
    for number, line in lines:
        if walk.open and (seen := walk.seen.get(line)):
            walk.frames.append(seen)
            continue
        text = line.rstrip()
        if not text:
            walk.close()
        elif line[0] in " \t" and walk.open and (frame := frame_fields(text)):
            walk.remember(line, walk.add(frame[1], frame[2]))
        elif not (walk.open and line[0] in " \t" and SOURCE_LINE.match(text)):
            walk.header(number, text)
    if not lines.any:
        raise empty(source)
    cut = None
    if (walk.open and walk.chains) or not lines.complete:
        cut = "the last sample has no end: the file was cut there and the sample was left out"
    elif walk.open:  # recorded without call chains, written without addresses: no sample has a line of its own
        walk.close()
    walk.no_name_left()
    return walk.profile(lines, cut)


Known = tuple[int, str, bool]  # frame id, object for the frames inside it, symbol unknown


@dataclass(eq=False, slots=True)
class _Line:
    """What the text of a frame says, without its address; `known` once its frame is made, inlined ones excepted."""

    text: str
    upper: bool
    known: Known | None = None


@dataclass
class _Walk:
    """The samples so far. Most lines of a capture, and most chains of callers, repeat: each is looked at once."""

    source: str
    builder: Builder = field(default_factory=lambda: Builder("sampled", (SAMPLES,)))
    columns: dict[str, int] = field(default_factory=dict)
    event: str = ""
    comm: tuple[int, str] | None = None
    clocks: set[str] = field(default_factory=set)
    open: bool = False
    frames: list[_Line] = field(default_factory=list)
    period: int | None = None
    current: str = ""
    thread: int = -1
    samples: int = 0
    unknown: int = 0
    lost: dict[str, int] = field(default_factory=dict)
    threads: dict[str, int] = field(default_factory=dict)
    seen: dict[str, _Line] = field(default_factory=dict)
    lines: dict[tuple[str, bool], _Line] = field(default_factory=dict)
    inlined: dict[tuple[_Line, str], Known] = field(default_factory=dict)
    callers: dict[tuple[_Line, ...], tuple[int, str]] = field(default_factory=dict)
    chains: bool = False

    def header(self, number: int, text: str) -> None:
        """A header opens a sample; one with its frame on the same line is whole at once."""
        if "PERF_RECORD_" in text:
            if lost := LOST.search(text):
                self.lost[lost[1]] = self.lost.get(lost[1], 0) + int(lost[2])
                return
            if RECORD_LINE.search(text):
                self.comm = None
                return
        if self.comm is not None:
            number, text = self.comm[0], f"{self.comm[1]} {text}"
            self.comm = None
        match = header_fields(text)
        if match is None:
            # The name of a thread may hold a line break: that of a record is passed over, a sample's is kept.
            if text.startswith("#") or END_OF_RECORD.search(text):
                return
            if len(text.lstrip()) <= MAX_COMM and not self.frames:
                self.comm = number, text.lstrip()
                return
            raise self.no_header(number, text)
        self.close()
        comm, pid, tid, period, event, rest = match.group("comm", "pid", "tid", "period", "event", "rest")
        self.begin(event_name(event), int(period) if period else None, number)
        owner = f"{pid}/{tid}" if tid else pid
        self.thread = self.threads.setdefault(f"{comm} {owner}" if comm else owner, len(self.threads))
        frame = FRAME.match(rest) if rest else None
        if frame:
            self.add(frame[1], frame[2])
            self.close()

    def add(self, address: str, text: str) -> _Line | None:
        """One frame of the open sample. None for an address that depends on where it stands: do not remember it."""
        upper = len(address) == 16 and address[0] in "89abcdef"
        ends = text == NAMELESS and not address.strip("0")
        if ends and self.frames:
            return None
        if text == NAMELESS and upper:
            text = f"{UNKNOWN} ({HIDDEN_KERNEL})"
        line = self.lines.get((text, upper))
        if line is None:
            line = self.lines[text, upper] = _Line(text, upper)
        self.frames.append(line)
        return None if ends else line

    def remember(self, text: str, line: _Line | None) -> None:
        if line is not None:
            if len(self.seen) >= MAX_SEEN:
                self.seen.clear()
            self.seen[text] = line

    def begin(self, event: str, period: int | None, number: int) -> None:
        clock = event.partition("/")[0]
        if clock in CLOCKS:
            self.clocks.add(event)
            event = clock
        if (period or 0) > INT64_MAX:
            raise ParseError(self.source, "a sample whose period is too large", line=number)
        clash = next((known for known in self.columns if known != event and {known, event} <= set(CLOCKS)), None)
        if clash:
            text = f"events {clash} and {event} in one file: both are CPU time; write one file per event"
            raise ParseError(self.source, text, line=number)
        if not self.event:
            self.event = event
            self.builder = Builder("sampled", _metrics(event, period))
            self.columns[event] = 0
        elif event not in self.columns:
            self.columns[event] = len(self.builder.metrics)
            known = {metric.key for metric in self.builder.metrics}
            metric = _metric(event, counts=period is None)
            self.builder.add_metric(replace(metric, key=event, label=event) if metric.key in known else metric)
        if event == self.event and (period is None) != (self.builder.metrics[0] is SAMPLES):
            raise ParseError(self.source, "a sample without the period that the others have", line=number)
        self.period, self.current, self.open = period, event, True

    def values(self) -> tuple[int, ...]:
        """What the open sample adds to each metric: its period, or 1 where periods are not in the file."""
        row = [0] * len(self.builder.metrics)
        row[self.columns[self.current]] = 1 if self.period is None else self.period
        if self.current == self.event and len(row) > 1 and self.builder.metrics[1] is SAMPLES:
            row[1] = 1
        return tuple(row)

    def no_header(self, number: int, text: str) -> ParseError:
        shown = text if len(text) <= 60 else text[:57] + "..."
        return ParseError(self.source, f"expected a sample's header or frame, found {shown!r}", line=number)

    def no_name_left(self) -> None:
        """ParseError for a line that was taken for the beginning of a thread's name and was none."""
        if self.comm is not None:
            raise self.no_header(*self.comm)

    def close(self) -> None:
        """Add the open sample, root first: only the frame around an inlined one names the object."""
        self.no_name_left()
        if not self.open:
            return
        node, bare = -1, False
        if self.frames:
            self.chains = True
            node, place = self.node_of_callers(tuple(self.frames[1:]))
            frame, _, bare = self.frames[0].known or self.known(self.frames[0], place)
            node = self.builder.stack(node, frame)
        else:
            node = self.builder.stack(-1, self.builder.frame(self.builder.function("[no stack]", runtime=SYNTHETIC)))
        self.builder.sample(node, self.values(), thread=self.thread)
        self.samples += 1
        self.unknown += bare
        self.open = False
        self.frames.clear()

    def node_of_callers(self, callers: tuple[_Line, ...]) -> tuple[int, str]:
        """The stack of frames, innermost first, and the object of the innermost one; -1 for none."""
        found = self.callers.get(callers)
        if found is None:
            node, place = -1, ""
            for line in reversed(callers):
                frame, place, _ = line.known or self.known(line, place)
                node = self.builder.stack(node, frame)
            if len(self.callers) >= MAX_SEEN:
                self.callers.clear()
            found = self.callers[callers] = node, place
        return found

    def known(self, line: _Line, around: str) -> Known:
        """The frame of a line: of an inlined one inside the object `around` it."""
        if not line.text.endswith("(inlined)"):
            line.known = self.frame(line.text, around, line.upper)
            return line.known
        found = self.inlined.get((line, around))
        if found is None:
            found = self.inlined[line, around] = self.frame(line.text, around, line.upper)
        return found

    def frame(self, text: str, around: str, upper: bool) -> Known:
        """The frame of a text. `upper` = in the kernel's half of addresses."""
        symbol, place = split_object(text)
        symbol = OFFSET.sub("", symbol)
        builder = self.builder
        if symbol.startswith("py::"):
            name, _, file = symbol[4:].partition(":")
            return builder.frame(builder.function(name, file=file, runtime=PYTHON)), place, False
        if place == "inlined":
            place = around
        function = builder.function(symbol or UNKNOWN, object=place, runtime=runtime_of_object(place, upper))
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


def _metrics(event: str, period: int | None) -> tuple[Metric, ...]:
    return (SAMPLES,) if period is None else (_metric(event, counts=False), SAMPLES)


def _metric(event: str, *, counts: bool) -> Metric:
    """The metric of an event: what its periods add up to, or its samples where the file has no periods."""
    base = event.split(":")[0]
    if base in CLOCKS and not counts:
        return CPU_NS
    return Metric(base, base, "1", about="samples of this event" if counts else "the event that perf counted")
