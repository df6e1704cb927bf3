"""What readers of stacks share: a frame's text looked at once, threads by label, and what to doubt in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from profpipe.errors import ParseError
from profpipe.model.build import Builder
from profpipe.model.profile import NATIVE, Profile
from profpipe.parse.reading import share
from profpipe.units import CPU_NS, WALL_NS, Metric

NO_STACK = "[no stack]"
EMPTY_FRAME = "[empty frame]"
INVALID_FRAME = "[invalid frame]"
SYNTHETIC_NAMES = frozenset({NO_STACK, EMPTY_FRAME, INVALID_FRAME, "[self]", "[await]", "[out-of-context]"})
MAX_CALLERS = 50_000  # caller paths remembered at a time: some 20 MB of text


@dataclass(frozen=True, slots=True)
class Place:
    """What the text of one frame says. `torn` = its line is impossible: it was read while the program moved."""

    name: str
    file: str = ""
    object: str = ""
    line: int = 0
    runtime: int = NATIVE
    torn: bool = False


def austin_metrics(mode: str, source: str) -> tuple[Metric, ...]:
    """What austin's recordings hold in this mode, as text and as MOJO. ParseError for memory, which is no time."""
    if mode == "memory":
        raise ParseError(source, "austin recorded memory, not time; profpipe compares time: record without -m")
    return (WALL_NS, CPU_NS) if mode == "full" else (WALL_NS,)


FrameReader = Callable[[str], Place]


@dataclass
class StackRows:
    """Rows so far. Every distinct frame text is read once; the rest is dictionary look-ups."""

    builder: Builder
    frames: dict[str, int] = field(default_factory=dict)
    callers: dict[str, int] = field(default_factory=dict)
    threads: dict[str, int] = field(default_factory=dict)
    invalid: set[int] = field(default_factory=set)
    torn: set[int] = field(default_factory=set)
    total: int = 0
    no_stack: int = 0

    def thread(self, label: str) -> int:
        return self.threads.setdefault(label, len(self.threads))

    def add(self, path: str, values: Sequence[int], thread: int, read: FrameReader) -> None:
        """One stack, its frames separated by `;`, the root first. An empty path counts as `[no stack]`.

        Neighbouring lines often share their callers, so the callers' row is looked up by one string.
        """
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

    def doubts(self, profile: Profile) -> Iterator[str]:
        """Warnings about samples without a stack and about frames that cannot be right."""
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
