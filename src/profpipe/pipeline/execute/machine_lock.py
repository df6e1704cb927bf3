"""One measurement on a machine at a time: two would measure each other, and neither report could tell.

The lock is a name in Linux's abstract namespace of sockets (unix(7)): it needs no file, holds for every user, and ends
with the process that has it, however that ends. A container has a network namespace, and so a lock, of its own.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from profpipe.errors import MachineBusy

NAME = "\0profpipe-measuring"
# Set to 1 to measure next to another run, where its load does not matter or is kept away.
ALONGSIDE = "PROFPIPE_ALONGSIDE"


@contextmanager
def machine_lock(name: str = NAME) -> Iterator[None]:
    """Hold the lock of this machine. Raises MachineBusy when another profpipe has it."""
    if os.environ.get(ALONGSIDE, "") not in {"", "0"} or not sys.platform.startswith("linux"):
        yield
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as lock:
        try:
            lock.bind(name)
        except OSError as error:
            raise MachineBusy(
                "another profpipe is measuring on this machine, and the two would measure each other: wait until it "
                f"has ended, or set {ALONGSIDE}=1 to measure all the same"
            ) from error
        yield
