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

from dataclasses import replace
from typing import BinaryIO

from profpipe.errors import ParseError
from profpipe.model.profile import Fact, Meta, Profile
from profpipe.parse.perf.lines import RECORD_LINE, SOURCE_LINE, frame_fields, header_fields
from profpipe.parse.perf.walk import Walk
from profpipe.parse.reading import TextLines, empty, finish, share
from profpipe.units import CPU_NS

NAME = "perf"
SAYS: frozenset[Fact] = frozenset({"self", "total", "edges", "stacks", "threads"})
RECORD = "perf record --call-graph dwarf ./server; perf script"


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
    walk = Walk(source)
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
    return _profile(walk, lines, cut)


def _profile(walk: Walk, lines: TextLines, cut: str | None) -> Profile:
    if not walk.samples:
        raise ParseError(walk.source, cut or "no sample in it: perf was killed, or recorded another process")
    warnings = list(lines.warnings())
    if walk.unknown:
        warnings.append(f"{share(walk.unknown, walk.samples)} of the samples are in code without a symbol")
    if walk.lost:
        # The two count the same losses: what the reader noticed, and what the kernel says at the end.
        warnings.append(f"perf lost {max(walk.lost.values()):,} samples; {walk.samples:,} were kept")
    notes = {"event": walk.event, "samples": str(walk.samples)}
    meta = Meta(
        NAME,
        walk.source,
        tool=NAME,
        threads=tuple(walk.threads),
        partial=cut,
        warnings=tuple(warnings),
        notes=notes,
    )
    return _shared(finish(walk.builder, meta), len(walk.clocks))


def _shared(profile: Profile, clocks: int) -> Profile:
    """CPU time that several clocks saw, once."""
    if clocks < 2 or profile.samples is None or CPU_NS not in profile.metrics:
        return profile
    values = {**profile.samples.values, CPU_NS.key: profile.samples.values[CPU_NS.key] // clocks}
    return replace(profile, samples=replace(profile.samples, values=values))
