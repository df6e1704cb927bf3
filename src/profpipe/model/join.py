"""Profiles of several processes as one: each process of a server writes its own capture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from profpipe.errors import InvalidProfile
from profpipe.model.build import Builder
from profpipe.model.profile import Meta, Profile


def joined(profiles: Sequence[Profile]) -> Profile:
    """One profile in which costs, calls, totals and samples of all are added up; a single profile is returned as it is.

    A function is one when name, file, object, line and runtime agree. Its total is the sum of the totals that each
    process measured, and unknown when a process that ran it measured none. Sample times are left out, since each
    process counts from its own start. Linear in the rows. Raises InvalidProfile when two profiles differ in metrics.
    """
    if len(profiles) == 1:
        return profiles[0]
    first = profiles[0]
    builder = Builder(first.kind, first.metrics)
    without_total: set[int] = set()
    totals: list[tuple[int, int, tuple[int, ...], int | None]] = []
    threads: list[str] = []
    for profile in profiles:
        _same_counts(first, profile)
        frames = _frames(builder, profile)
        _add_samples(builder, profile, frames, len(threads))
        _add_costs(builder, profile, frames)
        without_total |= _without_total(profile, frames)
        totals += _totals(profile, frames)
        threads += profile.meta.threads
    for frame, calls, values, primitive in totals:
        if frame not in without_total:
            builder.total(frame, calls, values, primitive=primitive)
    return builder.freeze(_meta(profiles, tuple(threads)), _declared(profiles))


def _same_counts(first: Profile, other: Profile) -> None:
    if (first.kind, first.metrics) != (other.kind, other.metrics):
        have, want = (", ".join(m.label for m in p.metrics) for p in (other, first))
        raise InvalidProfile(
            f"{other.meta.source}: a {other.kind} profile of {have}, and {first.meta.source} is a {first.kind} profile "
            f"of {want}: they cannot be added up"
        )


def _frames(builder: Builder, profile: Profile) -> list[int]:
    """The joined profile's frame of each frame."""
    f, frames = profile.functions, profile.frames
    functions = [
        builder.function(name, file, object_, line, runtime)
        for name, file, object_, line, runtime in zip(
            f.name, f.file, f.object, f.line.tolist(), f.runtime.tolist(), strict=True
        )
    ]
    size = len(frames.function)
    files = ("",) * size if frames.file is None else frames.file
    lines = [0] * size if frames.line is None else frames.line.tolist()
    return [
        builder.frame(functions[function], level=level, file=file, line=line)
        for function, level, file, line in zip(
            frames.function.tolist(), frames.level.tolist(), files, lines, strict=True
        )
    ]


def _add_samples(builder: Builder, profile: Profile, frames: Sequence[int], threads_before: int) -> None:
    if profile.stacks is None or profile.samples is None:
        return
    stacks: list[int] = []
    for parent, frame in zip(profile.stacks.parent.tolist(), profile.stacks.frame.tolist(), strict=True):
        stacks.append(builder.stack(stacks[parent] if parent >= 0 else -1, frames[frame]))
    thread = profile.samples.thread
    numbers = [-1] * len(profile.samples.stack) if thread is None else thread.tolist()
    rows = _rows(profile, profile.samples.values)
    for stack, values, number in zip(profile.samples.stack.tolist(), rows, numbers, strict=True):
        builder.sample(stacks[stack], values, thread=number + threads_before if number >= 0 else -1)


def _add_costs(builder: Builder, profile: Profile, frames: Sequence[int]) -> None:
    if profile.costs is not None:
        for frame, values in zip(profile.costs.frame.tolist(), _rows(profile, profile.costs.values), strict=True):
            builder.cost(frames[frame], values)
    if profile.calls is not None:
        c = profile.calls
        primitive = _primitive(c.primitive_calls, len(c.calls))
        for caller, callee, calls, values, once in zip(
            c.caller.tolist(), c.callee.tolist(), c.calls.tolist(), _rows(profile, c.values), primitive, strict=True
        ):
            builder.call(frames[caller], frames[callee], calls, values, primitive=once)


def _totals(profile: Profile, frames: Sequence[int]) -> list[tuple[int, int, tuple[int, ...], int | None]]:
    m = profile.measured
    if m is None:
        return []
    primitive = _primitive(m.primitive_calls, len(m.calls))
    rows = zip(m.frame.tolist(), m.calls.tolist(), _rows(profile, m.values), primitive, strict=True)
    return [(frames[frame], calls, values, once) for frame, calls, values, once in rows]


def _without_total(profile: Profile, frames: Sequence[int]) -> set[int]:
    """Frames that cost something here and have no measured total."""
    if profile.measured is None or profile.costs is None:
        return set()
    spent = np.any([column != 0 for column in profile.costs.values.values()], axis=0)
    return {frames[frame] for frame in set(profile.costs.frame[spent].tolist()) - set(profile.measured.frame.tolist())}


def _rows(profile: Profile, values: object) -> list[tuple[int, ...]]:
    assert hasattr(values, "__getitem__")
    return list(zip(*(values[metric.key].tolist() for metric in profile.metrics), strict=True))


def _primitive(column: object, size: int) -> list[int | None]:
    return [None] * size if column is None else list(np.asarray(column).tolist())


def _declared(profiles: Sequence[Profile]) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for key in profiles[0].declared:
        stated = [profile.declared.get(key) for profile in profiles]
        known = [value for value in stated if value is not None]
        found[key] = sum(known) if len(known) == len(stated) else None
    return found


def _meta(profiles: Sequence[Profile], threads: tuple[str, ...]) -> Meta:
    """What all say; of the notes those that agree."""
    metas = [profile.meta for profile in profiles]
    first = metas[0]
    notes = {k: v for k, v in first.notes.items() if all(meta.notes.get(k) == v for meta in metas)}
    partial = [f"{meta.source}: {meta.partial}" for meta in metas if meta.partial]
    return Meta(
        format=first.format,
        source=first.source,
        tool=", ".join(dict.fromkeys(meta.tool for meta in metas if meta.tool)),
        command=first.command,
        threads=threads,
        partial="; ".join(partial) or None,
        warnings=tuple(dict.fromkeys(warning for meta in metas for warning in meta.warnings)),
        notes={**notes, "parts": str(len(metas))},
    )
