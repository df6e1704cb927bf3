"""A small process that ends load generators when the profpipe that started them has died.

Run as `python -I -S guard.py MARK`. It reads stdin. profpipe writes "=" there before it ends normally. When stdin ends
without, profpipe has died, and every process with MARK in its environment is killed: wrk would go on until its duration
is over. (A list of pids would miss a load between its start and the moment its pid is written.) One guard serves all
loads of a process, since its start takes 15 ms of a processor, which must not fall into every measured window. It uses
the standard library only.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

VARIABLE = "PROFPIPE_GUARD"
# A child between fork and exec has its environment a moment later.
SWEEPS, PAUSE_S = 20, 0.02


class Guard:
    """The guard's process, as profpipe sees it."""

    def __init__(self) -> None:
        mark = f"{os.getpid()}-{time.monotonic_ns()}"
        self.environment = {VARIABLE: mark}  # for every load that is started
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, mark],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        atexit.register(self.close)

    def close(self) -> None:
        """End the guard without killing anything. A guard that was killed before is no error."""
        self._process.communicate(b"=")


@cache
def guard() -> Guard:
    """The guard of this process, started by the first call."""
    return Guard()


def main() -> None:
    if sys.stdin.read():
        return
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


if __name__ == "__main__":
    main()
