"""Ends the load generators of a profpipe that is gone: a small process that is told their pids, and waits.

Run as `python -I -S guard.py`; stdin brings lines "+PID" and "-PID". When stdin ends, however profpipe died, whoever
is still on the list is killed: wrk would go on until its duration is over. One guard serves all loads of a process,
since its start takes 15 ms of a processor and must not fall into every measured window. Stdlib only.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache


class Guard:
    """The process, from profpipe's side."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
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


def _handle(pid: int) -> int | None:
    """A handle that never means another process, where the system has them."""
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


if __name__ == "__main__":
    main()
