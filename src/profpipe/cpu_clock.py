"""Exact CPU time and context switches of a process tree, read from outside with one system call per process.

A process has a CPU clock of its own (clock_getcpuclockid(3)) that counts nanoseconds and keeps what ended threads
used. A process that has ended has no clock any more: of it we know what its clock showed when it was last read, and
what its parent was told when it waited for it, which /proc gives in steps of 10 ms.

Standard library only: the load client, which shares a processor with the server, imports this file.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


def clock_id(pid: int) -> int:
    """The kernel's clock of a process's CPU time, all threads included, also those that have ended."""
    return (~pid << 3) | 2


def waited_ns(pid: int) -> int:
    """CPU of the ended descendants that a process has waited for, in steps of 10 ms; 0 when the process is gone."""
    try:
        fields = (PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
        return (int(fields[13]) + int(fields[14])) * TICK_NS
    except (OSError, IndexError):
        return 0


def descendants(root: int) -> list[int]:
    """Pids of all processes below `root`, without itself; zombies count. Reads one file per thread of the tree.

    The kernel lists children per thread where it was built with CONFIG_PROC_CHILDREN; elsewhere all of /proc is read.
    """
    if not (PROC / str(root) / "task" / str(root) / "children").exists():
        return _descendants_by_parent(root)
    found: list[int] = []
    unread = [root]
    while unread:
        children = _children(unread.pop())
        found += children
        unread += children
    return found


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 - read before every pass: pathlib takes twice as long
    except OSError:
        return found
    for thread in threads:
        try:
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:  # noqa: PTH123
                found += map(int, file.read().split())
        except OSError:
            continue
    return found


def _descendants_by_parent(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_bytes().rpartition(b")")[2].split()[1])
            except (OSError, IndexError):
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found: list[int] = []
    unread = [root]
    while unread:
        below = children.get(unread.pop(), [])
        found += below
        unread += below
    return found


class TreeClock:
    """The CPU clock of everything below one process (for a server: below its keeper), the process itself left out.

    `read` costs one system call per process and never goes back. Processes are looked for by `refresh` alone: one
    that was started since is counted, with all it has used, from the next refresh on. A process that ended between
    two reads counts with what its clock showed last, or with what its parent was told where that is more.
    """

    def __init__(self, root: int) -> None:
        self.root = root
        self._last: dict[int, int] = {}
        self._clocks: dict[int, int] = {}
        self._ended_ns = 0
        self._waited_before_ns = 0
        self.ended = 0  # processes that have ended since the first refresh
        self.refresh()
        self._waited_before_ns, self._ended_ns = self._waited_ns(), 0

    @property
    def processes(self) -> int:
        """How many there were at the last refresh."""
        return len(self._clocks)

    def refresh(self) -> None:
        """Look for processes that began or ended."""
        # Read before the look: a process that is waited for in between would else be counted twice.
        waited = self._waited_ns() - self._waited_before_ns
        alive = set(descendants(self.root))
        for pid in self._clocks.keys() - alive:
            del self._clocks[pid]
            self._ended_ns += self._last.pop(pid)
            self.ended += 1
        for pid in alive - self._clocks.keys():
            self._clocks[pid] = clock_id(pid)
            self._last[pid] = 0
        self._ended_ns = max(self._ended_ns, waited)

    def _waited_ns(self) -> int:
        return waited_ns(self.root) + sum(map(waited_ns, self._clocks))

    def read(self) -> int:
        """Nanoseconds of CPU used by the whole tree; only differences of two reads mean anything."""
        total, last = self._ended_ns, self._last
        for pid, clock in self._clocks.items():
            with suppress(OSError):  # it has ended and keeps its last value until the next refresh
                last[pid] = time.clock_gettime_ns(clock)
            total += last[pid]
        return total

    def switches(self) -> tuple[int, int]:
        """Voluntary and involuntary context switches of the threads that live now. Reads a file per thread."""
        voluntary = involuntary = 0
        for pid in self._clocks:
            for task in _tasks(pid):
                counts = thread_switches(task)
                voluntary += counts[0] if counts else 0
                involuntary += counts[1] if counts else 0
        return voluntary, involuntary


def _tasks(pid: int) -> list[Path]:
    try:
        return list((PROC / str(pid) / "task").iterdir())
    except OSError:
        return []


def thread_switches(task: Path) -> tuple[int, int] | None:
    """Voluntary and involuntary context switches of one thread (/proc/PID/task/TID), or None when it is gone."""
    try:
        lines = (task / "status").read_text().splitlines()
    except OSError:
        return None
    counts = {name: int(value) for name, _, value in (line.partition(":") for line in lines) if "ctxt_switches" in name}
    return counts.get("voluntary_ctxt_switches", 0), counts.get("nonvoluntary_ctxt_switches", 0)
