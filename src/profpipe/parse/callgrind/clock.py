"""System calls of a capture, without readings of the clock.

The kernel lets a program read the clock without a system call: through the vDSO, a page of code that it maps into each
process. valgrind hides the vDSO (its manual: `--tool=callgrind` simulates user code only), so that glibc falls back on
real system calls, which the program makes nowhere else. A counted web server read the clock 8.5 times per request.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from profpipe.model.profile import Calls, Costs, Profile
from profpipe.parse.callgrind.lines import Index
from profpipe.parse.callgrind.names import with_callers

LEFT_OUT = "reading the clock is left out: it is a system call only because valgrind hides the vDSO"
_OF_SYSTEM_CALLS = ("syscalls", "sys_time_ns", "sys_cpu_ns")
# Functions whose only system call is to read the clock: of glibc and musl, and of Go's runtime.
_READERS = frozenset(
    {
        *("clock_gettime", "__clock_gettime", "__clock_gettime64", "clock_gettime_syscall", "__vdso_clock_gettime"),
        *("gettimeofday", "__gettimeofday", "gettimeofday_syscall", "__vdso_gettimeofday"),
        *("time", "time_syscall", "__vdso_time", "time.now", "time.runtimeNow"),
        *("runtime.nanotime", "runtime.nanotime1", "runtime.walltime", "runtime.walltime1"),
    }
)
_PASSES = 100  # a change in the share of a function reaches its callers one call further up in each
Share = NDArray[np.float64]


def without_clock(profile: Profile) -> Profile:
    """The profile without system calls that read the clock, and the time in them; all else as it was.

    Self is exact. What a call cost loses the part that its callee spends on the clock: exact where each caller has the
    same part, as below a function that only reads it. The declared total is the file's, less what is left out.
    """
    keys = [metric.key for metric in profile.metrics if metric.key in _OF_SYSTEM_CALLS]
    costs = profile.costs
    readers = np.array([_reads_clock(name) for name in profile.functions.name], np.bool_)
    if not keys or costs is None or not readers.any():
        return profile
    reading = readers[profile.frames.function]
    found = [key for key in keys if costs.values[key][reading[costs.frame]].any()]
    if not found:
        return profile
    own, declared = dict(costs.values), dict(profile.declared)
    edges = dict(profile.calls.values) if profile.calls is not None else {}
    for key in found:
        own[key] = np.where(reading[costs.frame], 0, costs.values[key])
        if (stated := declared.get(key)) is not None:
            declared[key] = stated - int(costs.values[key].sum() - own[key].sum())
        if profile.calls is not None:
            part = _share_of_clock(profile.calls, key, costs, reading)[profile.calls.callee]
            edges[key] = edges[key] - np.rint(edges[key] * part).astype(np.int64)
    return replace(
        profile,
        metrics=tuple(replace(m, about=LEFT_OUT) if m.key in found else m for m in profile.metrics),
        costs=Costs(costs.frame, own),
        calls=None if profile.calls is None else replace(profile.calls, values=edges),
        declared=declared,
    )


def _reads_clock(name: str) -> bool:
    base = with_callers(name)[0].partition("@")[0]
    return base.removesuffix(".abi0") in _READERS


def _share_of_clock(calls: Calls, key: str, costs: Costs, reading: NDArray[np.bool_]) -> Share:
    """Per frame the part of its total that it, or what it calls, spends on the clock."""
    size, edges = len(reading), calls.values[key]
    own = _sums(costs.frame, costs.values[key], size)
    total = own + _sums(calls.caller, edges, size)
    clock = np.where(reading, own, 0.0)
    share = np.zeros(size)
    for _ in range(_PASSES):
        spent = clock + _sums(calls.caller, edges * share[calls.callee], size)
        found = np.divide(spent, total, out=np.zeros(size), where=total > 0).clip(0.0, 1.0)
        if np.allclose(found, share, rtol=0.0, atol=1e-9):
            break
        share = found
    return share


def _sums(frames: NDArray[np.int32], values: Index | Share, size: int) -> Share:
    return np.bincount(frames, weights=values, minlength=size).astype(np.float64)
