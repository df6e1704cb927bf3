"""Ends the load generators of a profpipe that is gone: a small process that is told their pids, and waits.

Run as `python -I -S guard.py MARK`; stdin brings lines "+PID" and "-PID", and "=" before profpipe ends by itself. When
stdin ends, however profpipe died, whoever is still on the list is killed: wrk would go on until its duration is over.
A load that had begun and was not yet on the list is known by MARK in its environment. One guard serves all loads of a
process, since its start takes 15 ms of a processor and must not fall into every measured window. Stdlib only.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

VARIABLE = "PROFPIPE_GUARD"
# A child between fork and exec has its environment a moment later.
SWEEPS, PAUSE_S = 20, 0.02


class Guard:
    """The process, from profpipe's side."""

    def __init__(self) -> None:
        mark = f"{os.getpid()}-{time.monotonic_ns()}"
        self.environment = {VARIABLE: mark}  # for every load that is started
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, mark],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        atexit.register(self.close)

    @contextmanager
    def watching(self, pid: int) -> Iterator[None]:
        """Should we die inside, so does `pid`."""
        self._tell(b"+%d\n" % pid)
        try:
            yield
        finally:
            self._tell(b"-%d\n" % pid)

    def _tell(self, line: bytes) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # somebody killed the guard: the load itself goes well without it
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def close(self) -> None:
        assert self._process.stdin is not None
        self._tell(b"=\n")
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()


@cache
def guard() -> Guard:
    """The one of this process, started when first asked for."""
    return Guard()


def main() -> None:
    watched: dict[int, int | None] = {}
    for line in sys.stdin:
        if line[0] == "=":
            return
        pid = int(line[1:])
        if line[0] == "+":
            watched[pid] = _handle(pid)
        elif (handle := watched.pop(pid, None)) is not None:
            os.close(handle)
    for pid, handle in watched.items():
        with suppress(ProcessLookupError):
            if handle is None:
                os.kill(pid, signal.SIGKILL)
            else:
                signal.pidfd_send_signal(handle, signal.SIGKILL)
    for _ in range(SWEEPS):
        for pid in _marked(f"{VARIABLE}={sys.argv[1]}\0".encode()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(PAUSE_S)


def _marked(entry: bytes) -> list[int]:
    """Processes whose environment, as they were started with, holds the entry."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):  # it ended meanwhile, or is somebody else's
                if entry in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
    return found


def _handle(pid: int) -> int | None:
    """A handle that never means another process, where the system has them."""
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


if __name__ == "__main__":
    main()
