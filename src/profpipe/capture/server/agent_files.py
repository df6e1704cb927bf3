"""Agents in a server's processes: they answer signals with files such as `ready.PID`, `saved.PID` and `failed.PID`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from profpipe.capture.server.process import Supervised
from profpipe.errors import CaptureError

POLL_SECONDS = 0.005


def pids_of(folder: Path, answer: str) -> set[int]:
    """The processes whose agent wrote this file."""
    return {int(path.name.rpartition(".")[2]) for path in folder.glob(f"{answer}.*[0-9]")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A signal to the agents and the file that answers it. `phase` = the phase that a fault belongs to."""

    sign: int
    answer: str
    phase: str
    timeout: float


def ask(
    server: Supervised, folder: Path, pids: set[int], asked: Asked, *, failed: Callable[[Path], str], silent: str
) -> None:
    """Signal the processes and wait for the file of each that still runs.

    `failed` = what a failed.PID file says, `silent` = why an agent may not answer. Raises CaptureError with either.
    """
    for pid in pids:
        server.signal(asked.sign, pid)
    limit, waiting = time.monotonic() + asked.timeout, set(pids)
    while waiting:
        for path in folder.glob("failed.*[0-9]"):
            raise CaptureError(asked.phase, failed(path), log_tail=server.log.tail())
        waiting = {pid for pid in waiting if not (folder / f"{asked.answer}.{pid}").exists()} & set(server.tree())
        if waiting and time.monotonic() >= limit:
            text = f"the agent did not answer within {asked.timeout:g} s: {silent}"
            raise CaptureError(asked.phase, text, log_tail=server.log.tail())
        time.sleep(POLL_SECONDS)
