"""Folded stacks that our own folded reader, FlameGraph, inferno and speedscope read.

One line per stack and thread, in the order of the profile: `thread;frame;frame value`, the first metric's value. Frames
are written as py-spy does, `name (file:line)` or `name (object)`, kernel frames end in `_[k]`. `;` in a name becomes
`:` and control characters become spaces, since the format has no escape. A metric that is not samples is named in a
comment before the first line, which our reader understands and the others pass over.

What the format cannot carry: other metrics, the line of a definition, the runtime of a frame without a file. If every
leaf's name ends in a number of its own, the lines look like those of a difference of two profiles: readers refuse it.
"""

from __future__ import annotations

import re

from profpipe.model.profile import KERNEL, Fact, Profile
from profpipe.units import SAMPLES

SUFFIX = ".folded"
NEEDS: frozenset[Fact] = frozenset({"stacks"})

_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_THREAD = re.compile(r"(?:process \d+)?(?:(?:^| )thread \([^)]*\)(?:: .*)?)?")


def export(profile: Profile) -> bytes:
    """UTF-8 lines; a sample of value 0 is left out. O(rows of stacks x depth)."""
    assert profile.stacks is not None
    assert profile.samples is not None
    frames = [frame_text(profile, i) for i in range(len(profile.frames.function))]
    parents, leaves = profile.stacks.parent.tolist(), profile.stacks.frame.tolist()
    paths: dict[int, str] = {}

    def path(row: int) -> str:
        texts = []
        while row >= 0:
            texts.append(frames[leaves[row]])
            row = parents[row]
        return ";".join(reversed(texts))

    values = profile.samples.values[profile.metrics[0].key].tolist()
    rows = profile.samples.stack.tolist()
    threads = profile.samples.thread.tolist() if profile.samples.thread is not None else [-1] * len(rows)
    labels = [thread_text(name) for name in profile.meta.threads]
    metric = profile.metrics[0]
    lines = [] if metric.key == SAMPLES.key else [f"# profpipe metric: {metric.key} {metric.unit}"]
    for row, value, thread in zip(rows, values, threads, strict=True):
        if not value:
            continue
        if row not in paths:
            paths[row] = path(row)
        lines.append(f"{labels[thread]};{paths[row]} {value}" if thread >= 0 else f"{paths[row]} {value}")
    return "".join(f"{line}\n" for line in lines).encode(errors="backslashreplace")


def frame_text(profile: Profile, frame: int) -> str:
    """One frame as the reader takes it apart again."""
    functions = profile.functions
    function = int(profile.frames.function[frame])
    name = _plain(functions.name[function]) or "[empty frame]"
    file, place = _plain(functions.file[function]), _plain(functions.object[function])
    if file:
        line = int(profile.frames.line[frame]) if profile.frames.line is not None else 0
        name = f"{name} ({file}:{line})"
    elif place:
        name = f"{name} ({place})"
    return f"{name}_[k]" if functions.runtime[function] == KERNEL else name


def thread_text(label: str) -> str:
    """A thread's name as the frame that comes before its stacks."""
    label = _plain(label)
    match = _THREAD.fullmatch(label)
    if match is None or not label:
        return f"thread ({label.replace('(', '[').replace(')', ']')})"
    process, found, thread = label.partition(" thread ")
    return f"{process};thread {thread}" if found and process.startswith("process ") else label


def _plain(text: str) -> str:
    return _BREAKS.sub(" ", text).replace(";", ":").strip()
