"""The samples of a capture of perf: one after another, each line and each chain of callers looked at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from profpipe.errors import ParseError
from profpipe.model.build import Builder
from profpipe.model.profile import PYTHON, SYNTHETIC
from profpipe.parse.perf.lines import (
    END_OF_RECORD,
    FRAME,
    LOST,
    MAX_COMM,
    NAMELESS,
    OFFSET,
    RECORD_LINE,
    event_name,
    header_fields,
    runtime_of_object,
    split_object,
)
from profpipe.parse.reading import INT64_MAX
from profpipe.units import CPU_NS, SAMPLES, Metric

UNKNOWN = "[unknown]"
HIDDEN_KERNEL = "[kernel]"
CLOCKS = ("cpu-clock", "task-clock")
MAX_SEEN = 100_000  # lines, and chains of callers, remembered at a time: some 50 MB of text and places

Known = tuple[int, str, bool]  # frame id, object for the frames inside it, symbol unknown


@dataclass(eq=False, slots=True)
class _Line:
    """What the text of a frame says, without its address; `known` once its frame is made, inlined ones excepted."""

    text: str
    upper: bool
    known: Known | None = None


@dataclass
class Walk:
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


def _metrics(event: str, period: int | None) -> tuple[Metric, ...]:
    return (SAMPLES,) if period is None else (_metric(event, counts=False), SAMPLES)


def _metric(event: str, *, counts: bool) -> Metric:
    """The metric of an event: what its periods add up to, or its samples where the file has no periods."""
    base = event.split(":")[0]
    if base in CLOCKS and not counts:
        return CPU_NS
    return Metric(base, base, "1", about="samples of this event" if counts else "the event that perf counted")
