"""What a server's process tree uses in a window, measured from outside, with no profiler and nothing in the server."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from profpipe.cpu_clock import clock_id, thread_switches
from profpipe.model.run import LoadResult, Usage

TICKS = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")
RESET_PEAK = "5"  # proc(5), clear_refs: peak resident memory starts again from the present


@dataclass(frozen=True, slots=True)
class Process:
    """One process at one moment. Seconds are the kernel's; `waited_*` are those of children it has waited for."""

    cpu_ns: int
    user_s: float
    system_s: float
    waited_user_s: float
    waited_system_s: float
    peak_bytes: int | None


@dataclass(frozen=True, slots=True)
class Moment:
    """The tree at one moment, and the whole machine's busy seconds. `helpers_ns` = CPU of the profiler's processes."""

    at: float
    tree: Mapping[int, Process]
    waited_s: float  # by the keeper, for daemons that ended
    busy_s: float | None
    helpers_ns: int


def cpu_clock_ns(pid: int) -> int:
    """CPU time of a process to the nanosecond, threads that ended included."""
    return time.clock_gettime_ns(clock_id(pid))


class ThreadWatch:
    """Reads every thread of the tree 20 times a second, since a thread's counts are gone when it ends.

    A server with a thread per connection has none left when the load is over. What a thread did in its last PAUSE_S
    is lost. Reading 20 threads takes 0.3 ms, 0.6 % of a processor, and not the server's.
    """

    PAUSE_S = 0.05

    def __init__(self, pids: list[int]) -> None:
        self._pids = pids
        self._before: dict[Path, tuple[int, int]] = {}
        self._last: dict[Path, tuple[int, int]] = {}
        self._most = 0
        self._done = threading.Event()
        self._look()
        self._before = dict(self._last)
        self._thread = threading.Thread(target=self._run, name="thread watch", daemon=True)
        self._thread.start()

    def _look(self) -> None:
        seen = 0
        for pid in self._pids:
            try:
                tasks = list((PROC / str(pid) / "task").iterdir())
            except OSError:
                continue
            for task in tasks:
                if (counts := thread_switches(task)) is not None:
                    seen += 1
                    self._last[task] = counts
        self._most = max(self._most, seen)

    def _run(self) -> None:
        while not self._done.wait(self.PAUSE_S):
            self._look()

    def end(self) -> tuple[int, int, int]:
        """Voluntary and involuntary switches since the beginning, and the most threads seen at once."""
        self._done.set()
        self._thread.join()
        self._look()
        pairs = [(now, self._before.get(task, (0, 0))) for task, now in self._last.items()]
        voluntary = sum(now[0] - was[0] for now, was in pairs)
        return voluntary, sum(now[1] - was[1] for now, was in pairs), self._most


def peak_bytes(pids: list[int]) -> int | None:
    """Largest resident size of processes together, at most: their peaks need not fall together. None = unknown."""
    try:
        peaks = [_peak_bytes(pid) for pid in pids]
    except OSError:
        return None
    return sum(peak for peak in peaks if peak is not None) if peaks and None not in peaks else None


def _peak_bytes(pid: int) -> int | None:
    for line in (PROC / str(pid) / "status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None


def observe(pid: int) -> Process | None:
    """One process now, or None when it is gone."""
    try:
        fields = (PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
        user, system, waited_user, waited_system = (int(field) / TICKS for field in fields[11:15])
        return Process(
            cpu_ns=cpu_clock_ns(pid),
            user_s=user,
            system_s=system,
            waited_user_s=waited_user,
            waited_system_s=waited_system,
            peak_bytes=_peak_bytes(pid),
        )
    except (OSError, IndexError):
        return None


def busy_seconds() -> float | None:
    """Seconds all processors together were not idle; time stolen by the hypervisor counts as busy with others."""
    try:
        with (PROC / "stat").open() as stat:
            user, nice, system, _idle, _wait, irq, softirq, steal = (int(x) for x in stat.readline().split()[1:9])
    except (OSError, ValueError):
        return None
    return (user + nice + system + irq + softirq + steal) / TICKS


def waited_seconds(pid: int) -> float:
    """CPU of the ended children a process has waited for; 0 when it is gone."""
    try:
        fields = (PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[13]) + int(fields[14])) / TICKS


def _helpers_ns(helpers: tuple[int, ...]) -> int:
    total = 0
    for pid in helpers:
        try:
            total += cpu_clock_ns(pid)
        except OSError:
            continue
    return total


def reset_peaks(pids: list[int]) -> bool:
    """Start peak resident memory again from the present. False where the kernel does not allow it."""
    done = True
    for pid in pids:
        try:
            (PROC / str(pid) / "clear_refs").write_text(RESET_PEAK)
        except OSError:
            done = False
    return done


def moment(tree: Callable[[], list[int]], keeper: int, helpers: tuple[int, ...] = ()) -> Moment:
    """Look at the tree now."""
    seen = {pid: process for pid in tree() if (process := observe(pid)) is not None}
    return Moment(
        at=time.perf_counter(),
        tree=seen,
        waited_s=waited_seconds(keeper),
        busy_s=busy_seconds(),
        helpers_ns=_helpers_ns(helpers),
    )


def _sum(at: Moment, user: bool, system: bool) -> float:
    return sum(
        (p.user_s + p.waited_user_s) * user + (p.system_s + p.waited_system_s) * system for p in at.tree.values()
    )


def cpu_ns(before: Moment, after: Moment) -> int:
    """CPU of the tree between two moments.

    Running processes by their own clocks; those that ended in between by what their parent received (10 ms steps).
    """
    clocks = sum(p.cpu_ns for p in after.tree.values()) - sum(p.cpu_ns for p in before.tree.values())
    if not (ended := before.tree.keys() - after.tree.keys()) and _waited(before) == _waited(after):
        return clocks
    waited_ns = round((_waited(after) - _waited(before)) * 1e9)
    # A process that ended was subtracted above with all it ever used, and comes back within its parent's sum.
    return max(clocks + waited_ns, 0) if ended or waited_ns else clocks


def _waited(at: Moment) -> float:
    return at.waited_s + sum(p.waited_user_s + p.waited_system_s for p in at.tree.values())


def usage(before: Moment, after: Moment, load: LoadResult | None, switches: tuple[int, int, int] | None) -> Usage:
    """What the window cost; `switches` = what a ThreadWatch ended with.

    Foreign time is unknown when the load does not say what it used itself.
    """
    used = cpu_ns(before, after)
    voluntary, involuntary, threads = switches or (None, None, None)
    peaks = [p.peak_bytes for p in after.tree.values()]
    foreign = None
    if before.busy_s is not None and after.busy_s is not None and load is not None and load.client_cpu_s is not None:
        helpers = (after.helpers_ns - before.helpers_ns) / 1e9
        foreign = max(after.busy_s - before.busy_s - used / 1e9 - load.client_cpu_s - helpers, 0.0)
    return Usage(
        window_s=after.at - before.at,
        cpu_ns=used if after.tree else None,
        user_s=_sum(after, True, False) - _sum(before, True, False) if after.tree else None,
        system_s=_sum(after, False, True) - _sum(before, False, True) if after.tree else None,
        rss_peak_bytes=sum(p for p in peaks if p is not None) if peaks and None not in peaks else None,
        voluntary_switches=voluntary,
        involuntary_switches=involuntary,
        processes=len(after.tree),
        threads=threads,
        foreign_cpu_s=foreign,
        ended=_ended(before, after),
    )


def _ended(before: Moment, after: Moment) -> int:
    return len(before.tree.keys() - after.tree.keys())


def lost(before: Moment, after: Moment) -> str | None:
    """A warning when processes ended in the window, since part of what they used is then rounded or lost."""
    if not (ended := _ended(before, after)):
        return None
    what = "their CPU is known to 10 ms, their context switches are lost"
    many = f"{ended} {'process' if ended == 1 else 'processes'}"
    return f"{many} of the server ended in the window: {what}"
