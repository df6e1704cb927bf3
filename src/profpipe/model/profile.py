"""One frozen profile: columns, not objects. Row number = id. A table or column that is None is unknown, never 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from profpipe.errors import InvalidProfile
from profpipe.units import Metric

Ids = NDArray[np.int32]
Values = Mapping[str, NDArray[np.int64]]
Kind = Literal["sampled", "traced", "counted"]
Fact = Literal["self", "total", "calls", "edges", "stacks", "lines", "threads", "time"]

RUNTIMES = ("python", "native", "kernel", "synthetic")
PYTHON, NATIVE, KERNEL, SYNTHETIC = range(4)


@dataclass(frozen=True, slots=True)
class Functions:
    """U rows: what is compared. Empty text = the source does not say; line 0 = unknown definition line."""

    name: tuple[str, ...]
    file: tuple[str, ...]
    object: tuple[str, ...]
    line: Ids
    runtime: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Frames:
    """F rows: a function at a place. `level` is callgrind's recursion level (1 = outermost).

    `file` differs from the function's where code was inlined from elsewhere; `line` is the executed line.
    """

    function: Ids
    level: Ids
    file: tuple[str, ...] | None = None
    line: Ids | None = None


@dataclass(frozen=True, slots=True)
class Stacks:
    """S rows: a prefix tree. parent -1 = root, and parent < row always, so one pass upward is enough."""

    parent: Ids
    frame: Ids


@dataclass(frozen=True, slots=True)
class Samples:
    """N rows: self values at a leaf. `thread` indexes meta.threads; `time` is seconds from the start."""

    stack: Ids
    values: Values
    thread: Ids | None = None
    time: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class Costs:
    """C rows: self values without a stack."""

    frame: Ids
    values: Values


@dataclass(frozen=True, slots=True)
class Calls:
    """E rows: edges. values = the callee's total in these calls."""

    caller: Ids
    callee: Ids
    calls: NDArray[np.int64]
    values: Values
    primitive_calls: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """M rows: totals that the tool itself measured and that cannot be rebuilt from the edges (pstats, yappi)."""

    frame: Ids
    calls: NDArray[np.int64]
    values: Values
    primitive_calls: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class Meta:
    """What the capture says of itself. `partial` is the reason why it is not whole, None when it is."""

    format: str
    source: str = ""
    tool: str = ""
    command: str = ""
    threads: tuple[str, ...] = ()
    partial: str | None = None
    warnings: tuple[str, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Profile:
    kind: Kind
    metrics: tuple[Metric, ...]
    functions: Functions
    frames: Frames
    meta: Meta
    stacks: Stacks | None = None
    samples: Samples | None = None
    costs: Costs | None = None
    calls: Calls | None = None
    measured: Measured | None = None
    declared: Mapping[str, int | None] = field(default_factory=dict)

    @property
    def says(self) -> frozenset[Fact]:
        """What this profile can answer, from which tables exist."""
        facts: set[Fact] = {"self"}
        if self.stacks is not None:
            facts |= {"stacks", "total", "edges"}
        if self.measured is not None:
            facts |= {"total", "calls"}
        if self.calls is not None:
            facts |= {"edges", "calls", "total"}
        if self.frames.line is not None:
            facts.add("lines")
        if self.samples is not None and self.samples.thread is not None:
            facts.add("threads")
        if self.samples is not None and self.samples.time is not None:
            facts.add("time")
        return frozenset(facts)

    def metric(self, key: str) -> Metric:
        """The metric of that key. Raises InvalidProfile naming those there are."""
        for metric in self.metrics:
            if metric.key == key:
                return metric
        have = ", ".join(m.key for m in self.metrics)
        raise InvalidProfile(f"{self.meta.source or self.meta.format}: no metric {key!r} here; it has {have}")

    def self_sum(self, key: str) -> int:
        """Sum of self over the whole profile: the denominator of every share."""
        table = self.samples if self.samples is not None else self.costs
        return 0 if table is None else int(table.values[key].sum())


def check_profile(profile: Profile, *, signed: bool = False) -> Profile:
    """Return the profile, or raise InvalidProfile naming the first rule it breaks. `signed` allows a diff's negatives.

    Rules: ids in range, parent < row, no duplicate (parent, frame), columns of one length and of their dtype,
    no negative value, exactly one of samples and costs. A sum of self that differs from the declared total is not
    raised here: a parser that finds one sets `meta.partial` or a warning, with both numbers.
    """
    problem = _problem(profile, signed)
    if problem:
        raise InvalidProfile(f"{profile.meta.source or profile.meta.format}: {problem}")
    return profile


def _problem(p: Profile, signed: bool) -> str | None:
    n_functions, n_frames = len(p.functions.name), len(p.frames.function)
    for column in (p.functions.file, p.functions.object, p.functions.line, p.functions.runtime):
        if len(column) != n_functions:
            return "columns of functions differ in length"
    runtime = p.functions.runtime
    # Not np.unique: its first plain call loads numpy.ma, 6 ms, as much as reading 1 MB of callgrind.
    if n_functions and (runtime.min() < 0 or runtime.max() >= len(RUNTIMES)):
        return "runtime outside the known codes"
    for part in (p.frames.level, p.frames.file, p.frames.line):
        if part is not None and len(part) != n_frames:
            return "columns of frames differ in length"
    if (p.samples is None) == (p.costs is None):
        return "a profile has either samples or costs"
    if p.samples is not None and p.stacks is None:
        return "samples without stacks"
    return (
        _ids("frames.function", p.frames.function, n_functions)
        or _stack_problem(p.stacks, n_frames)
        or _sample_problem(p, n_frames, signed)
        or _call_problem(p, n_frames, signed)
    )


def _ids(name: str, column: Ids, size: int) -> str | None:
    if column.dtype != np.int32:
        return f"{name} is {column.dtype}, not int32"
    if len(column) and (column.min() < 0 or column.max() >= size):
        return f"{name} holds an id outside 0..{size - 1}"
    return None


def _stack_problem(stacks: Stacks | None, n_frames: int) -> str | None:
    if stacks is None:
        return None
    if len(stacks.parent) != len(stacks.frame):
        return "columns of stacks differ in length"
    if (stacks.parent >= np.arange(len(stacks.parent))).any() or (stacks.parent < -1).any():
        return "stacks.parent is not before its row"
    pairs = (stacks.parent.astype(np.int64) + 1) * max(n_frames, 1) + stacks.frame
    ordered = np.sort(pairs)
    if len(ordered) > 1 and (ordered[1:] == ordered[:-1]).any():
        return "two rows of stacks have the same parent and frame"
    return _ids("stacks.frame", stacks.frame, n_frames)


def _sample_problem(p: Profile, n_frames: int, signed: bool) -> str | None:
    if p.samples is not None and p.stacks is not None:
        return _ids("samples.stack", p.samples.stack, len(p.stacks.parent)) or _value_problem(
            p, "samples", p.samples.values, len(p.samples.stack), signed
        )
    assert p.costs is not None
    return _ids("costs.frame", p.costs.frame, n_frames) or _value_problem(
        p, "costs", p.costs.values, len(p.costs.frame), signed
    )


def _call_problem(p: Profile, n_frames: int, signed: bool) -> str | None:
    if p.calls is not None:
        c = p.calls
        problem = (
            _ids("calls.caller", c.caller, n_frames)
            or _ids("calls.callee", c.callee, n_frames)
            or _value_problem(p, "calls", c.values, len(c.caller), signed)
        )
        if problem:
            return problem
        if len(c.callee) != len(c.caller) or len(c.calls) != len(c.caller):
            return "columns of calls differ in length"
    if p.measured is not None:
        m = p.measured
        return _ids("measured.frame", m.frame, n_frames) or _value_problem(
            p, "measured", m.values, len(m.frame), signed
        )
    return None


def _value_problem(p: Profile, table: str, values: Values, length: int, signed: bool) -> str | None:
    for metric in p.metrics:
        column = values.get(metric.key)
        if column is None:
            return f"{table} lacks the column {metric.key}"
        if column.dtype != np.int64:
            return f"{table}.{metric.key} is {column.dtype}, not int64"
        if len(column) != length:
            return f"{table}.{metric.key} differs in length"
        if not signed and len(column) and column.min() < 0:
            return f"{table}.{metric.key} holds a negative value"
    return None
