"""speedscope's file format (https://www.speedscope.app/file-format-schema.json), `sampled` profiles.

One profile per thread and metric; frames and their lines are shared by all of them.
"""

from __future__ import annotations

import json
from typing import Any

from profpipe.model.profile import Fact, Profile
from profpipe.units import Metric

SUFFIX = ".speedscope.json"
NEEDS: frozenset[Fact] = frozenset({"stacks"})
SCHEMA = "https://www.speedscope.app/file-format-schema.json"
UNITS = {"ns": "nanoseconds", "us": "microseconds", "s": "seconds", "B": "bytes"}


def export(profile: Profile) -> bytes:
    """UTF-8 JSON. O(rows of stacks x depth)."""
    assert profile.samples is not None
    stacks = _stacks(profile)
    threads: list[int] = [-1] * len(profile.samples.stack)
    if profile.samples.thread is not None:
        threads = profile.samples.thread.tolist()
    name = profile.meta.source or profile.meta.format
    document = {
        "$schema": SCHEMA,
        "name": name,
        "activeProfileIndex": 0,
        "exporter": "profpipe",
        "shared": {"frames": [_frame(profile, i) for i in range(len(profile.frames.function))]},
        "profiles": [
            _profile(profile, metric, stacks, threads, thread)
            for metric in profile.metrics
            for thread in sorted(set(threads))
        ],
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode(
        errors="backslashreplace"
    )


def _stacks(profile: Profile) -> dict[int, list[int]]:
    """Frames from the root for every stack that has samples."""
    assert profile.stacks is not None
    assert profile.samples is not None
    parents, frames = profile.stacks.parent.tolist(), profile.stacks.frame.tolist()
    found: dict[int, list[int]] = {}
    for leaf in profile.samples.stack.tolist():
        if leaf not in found:
            path, row = [], leaf
            while row >= 0:
                path.append(frames[row])
                row = parents[row]
            found[leaf] = path[::-1]
    return found


def _frame(profile: Profile, frame: int) -> dict[str, Any]:
    functions, function = profile.functions, int(profile.frames.function[frame])
    shown: dict[str, Any] = {"name": functions.name[function]}
    # speedscope knows one place per frame: the file, or else the object.
    if functions.file[function] or functions.object[function]:
        shown["file"] = functions.file[function] or functions.object[function]
    line = int(profile.frames.line[frame]) if profile.frames.line is not None else 0
    if line:
        shown["line"] = line
    return shown


def _profile(
    profile: Profile, metric: Metric, stacks: dict[int, list[int]], threads: list[int], thread: int
) -> dict[str, Any]:
    assert profile.samples is not None
    values = profile.samples.values[metric.key].tolist()
    rows = [
        (stacks[row], value)
        for row, value, owner in zip(profile.samples.stack.tolist(), values, threads, strict=True)
        if owner == thread
    ]
    label = profile.meta.threads[thread] if 0 <= thread < len(profile.meta.threads) else "all threads"
    return {
        "type": "sampled",
        "name": f"{label}: {metric.label}" if len(profile.metrics) > 1 else label,
        "unit": UNITS.get(metric.unit, "none"),
        "startValue": 0,
        "endValue": sum(value for _, value in rows),
        "samples": [stack for stack, _ in rows],
        "weights": [value for _, value in rows],
    }
