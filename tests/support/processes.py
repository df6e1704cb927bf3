"""Which processes a test started are still alive, and waiting for something to become true."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path


def processes(folder: Path, *words: str) -> list[int]:
    """Living processes that a test in this folder started and whose command line holds all the words.

    They run in the folder, or name it in their command line or environment. A zombie counts as ended.
    """
    name, found = str(folder).encode(), []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            line, environment = (entry / "cmdline").read_bytes(), (entry / "environ").read_bytes()
            state = (entry / "stat").read_bytes().rpartition(b")")[2].split()[0]
            here = name in line or name in environment or (entry / "cwd").readlink().is_relative_to(folder)
        except (OSError, IndexError):
            continue
        if here and state != b"Z" and all(word.encode() in line for word in words):
            found.append(int(entry.name))
    return found


def wait_until(what: Callable[[], object], seconds: float) -> None:
    """Return once `what()` is true; fail after so many seconds."""
    limit = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < limit, f"not within {seconds} s"
        time.sleep(0.02)
