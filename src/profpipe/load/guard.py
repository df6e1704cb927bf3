"""Ends the load generators of a profpipe that is gone: a small process that knows them by a mark, and waits.

Run as `python -I -S guard.py MARK`. stdin brings "=" before profpipe ends by itself; when it ends without, however
profpipe died, every process with MARK in its environment is killed: wrk would go on until its duration is over. (Being
told pids instead would miss a load in the instant between its start and the telling.) One guard serves all loads of
a process, since its start takes 15 ms of a processor and must not fall into every measured window. Stdlib only.
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
    """The process, from profpipe's side."""

    def __init__(self) -> None:
        mark = f"{os.getpid()}-{time.monotonic_ns()}"
        self.environment = {VARIABLE: mark}  # for every load that is started
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, mark],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        atexit.register(self.close)

    def close(self) -> None:
        """We end by ourselves. A guard that somebody killed is no error: the loads went well without it."""
        self._process.communicate(b"=")


@cache
def guard() -> Guard:
    """The one of this process, started when first asked for."""
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
