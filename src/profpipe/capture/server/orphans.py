"""Ends what a server leaves when its keeper was killed: the kernel ends only the process that the keeper started."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

SECONDS = 5.0


def kill_session(leader: int) -> int:
    """SIGKILL every process of the session that this process led; returns how many there were.

    A server begins a session of its own, and its children stay in it unless they begin another one. Looks again until
    nothing is left, since a process may fork meanwhile.
    """
    killed: set[int] = set()
    limit = time.monotonic() + SECONDS
    while (found := _members(leader)) and time.monotonic() < limit:
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        killed |= found
        time.sleep(0.005)
    return len(killed)


def _members(leader: int) -> set[int]:
    """The processes of a session that still run."""
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError, IndexError, ValueError):
                # After the name in brackets: state, parent, process group, session (proc_pid_stat(5)).
                state, _, _, session, *_ = (folder / "stat").read_bytes().rpartition(b")")[2].split()
                if int(session) == leader and state not in {b"Z", b"X"}:
                    found.add(int(folder.name))
    return found
