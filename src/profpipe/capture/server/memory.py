"""How much memory servers may still take, and whether several of them fit next to each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from profpipe.units import amount

PROC, GROUPS = Path("/proc"), Path("/sys/fs/cgroup")
# Servers grow while they are loaded, and the load client and other programs need memory as well.
SHARE = 0.9
# With so many times the memory of the first server for each of the others, they are launched all at once.
ROOMY = 4.0


@dataclass(frozen=True, slots=True)
class Free:
    """Memory that may still be used. `whose` = what sets this limit, as the beginning of a sentence."""

    size: int
    whose: str

    @property
    def usable(self) -> float:
        return SHARE * self.size


@dataclass(frozen=True, slots=True)
class _Files:
    """A control group's files in one version of the kernel's interface, and the field for pages it can drop."""

    limit: str
    used: str
    dropped: str


# Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst of the kernel.
_V1 = _Files("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
_V2 = _Files("memory.max", "memory.current", "inactive_file")


def free_memory(proc: Path | None = None, groups: Path | None = None) -> Free | None:
    """The least of what the machine has available and what each control group of this process leaves; None = unknown.

    Default folders are /proc and /sys/fs/cgroup.
    """
    proc, groups = proc or PROC, groups or GROUPS
    found = [Free(size, "the memory limit of this container") for size in _left_by_groups(proc, groups)]
    available = re.search(r"^MemAvailable:\s+(\d+) kB", _read(proc / "meminfo"), re.MULTILINE)
    if available is not None:
        found.append(Free(int(available[1]) * 1024, "this machine"))
    return min(found, key=lambda free: free.size, default=None)


def too_much(peaks: Mapping[str, int], free: Free) -> str | None:
    """Why servers with these peaks do not fit together, in words; None where they do."""
    needed = sum(peaks.values())
    if needed <= free.usable:
        return None
    each = ", ".join(f"{name} {amount(size, 'B')}" for name, size in peaks.items())
    return f"all servers at once need up to {amount(needed, 'B')} of memory ({each}), {_leaves(free)}"


def no_room(peaks: Mapping[str, int], following: str, free: Free) -> str | None:
    """Why one more server should not be launched next to those that run, in words; None where it may.

    It is expected to need as much as the largest of them.
    """
    name = max(peaks, key=lambda running: peaks[running])
    if peaks[name] <= free.usable:
        return None
    needs = f"{name} needs {amount(peaks[name], 'B')}, {_leaves(free)}"
    return f"there is no memory for {following} next to the others: {needs}"


def roomy(peaks: Mapping[str, int], following: int, free: Free) -> bool:
    """Whether so many more servers surely fit."""
    return ROOMY * max(peaks.values()) * following <= free.usable


def _leaves(free: Free) -> str:
    return f"and {free.whose} leaves {amount(free.size, 'B')}"


def _left_by_groups(proc: Path, groups: Path) -> Iterator[int]:
    """What is left in each group that this process is in, up to the top. A group without a limit is no line of it."""
    for line in _read(proc / "self" / "cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if "memory" in controllers.split(","):
            yield from _left(groups / "memory", path, _V1)
        elif number == "0" and not controllers:
            yield from _left(groups, path, _V2)
            yield from _left(groups / "unified", path, _V2)


def _left(top: Path, path: str, files: _Files) -> Iterator[int]:
    # In a container the path may be one of the host, which does not exist here: the mounted top is the group then.
    folder = top / path.lstrip("/")
    for group in (folder, *folder.parents):
        limit, used = _read(group / files.limit).strip(), _read(group / files.used).strip()
        if limit.isdecimal() and used.isdecimal():
            dropped = re.search(rf"^{files.dropped} (\d+)$", _read(group / "memory.stat"), re.MULTILINE)
            yield max(int(limit) - int(used) + (int(dropped[1]) if dropped else 0), 0)
        if group == top:
            return


def _read(path: Path) -> str:
    """Empty where the file does not exist."""
    try:
        return path.read_text()
    except OSError:
        return ""
