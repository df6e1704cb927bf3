"""thread-states: how often each thread of the server was running, sleeping or waiting for a disk.

A thread in profpipe's own process reads /proc/PID/task/TID/stat a hundred times a second. The server is not changed.
"""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

from profpipe.capture.interface import Bare, Collected, Launch, Options, Trial, Window, Written, picked
from profpipe.capture.server.process import Stopped, Supervised
from profpipe.capture.tools import Version
from profpipe.study.schema import Target
from profpipe.units import Instrument, Language

STATES = {"R": "running", "S": "sleeping", "D": "waiting for a disk"}
OPTIONS: Options = MappingProxyType({"rate": 100})


class ThreadStates:
    name = "thread-states"
    kind: Instrument = "sampled"
    emits: str | None = "tally"
    patience = 1.0
    stop_patience = 1.0
    options: Options = OPTIONS
    version: Version | None = None
    default_for: frozenset[Language] = frozenset()
    starter: tuple[str, ...] = ()

    def check(self, options: Options) -> None:
        picked(self.name, self.options, options)

    def missing(self, target: Target, root: Path | None = None) -> str | None:
        return None if Path("/proc/self/task").is_dir() else "there is no /proc on this system"

    def try_it(self, python: str) -> Trial:
        return Trial() if states(Path("/proc/self")) else Trial("the states of threads cannot be read here")

    def refuses(self, target: Target) -> str | None:
        return None

    def limits(self, target: Target) -> tuple[str, ...]:
        return ("thread-states shows what threads wait for, not in which function",)

    def session(self, launch: Launch) -> ThreadStatesSession:
        return ThreadStatesSession(launch)


class ThreadStatesSession(Bare):
    """Samples between `open` and `close`, and writes what it saw in `collect`."""

    def __init__(self, launch: Launch) -> None:
        super().__init__(launch)
        self.pause = 1 / float(picked("thread-states", OPTIONS, launch.options)["rate"])
        self.out = launch.raw / "thread-states.tally"
        self.seen: Counter[tuple[str, str]] = Counter()
        self.over = threading.Event()
        self.sampler: threading.Thread | None = None

    def open(self, server: Supervised) -> None:
        self.sampler = threading.Thread(target=self._sample, args=(server,), daemon=True)
        self.sampler.start()

    def _sample(self, server: Supervised) -> None:
        while not self.over.wait(self.pause):
            for pid in server.tree():
                self.seen.update(states(Path(f"/proc/{pid}")))

    def close(self, server: Supervised, window: Window) -> None:
        self.abandon()

    def collect(self, stopped: Stopped) -> Collected:
        rows = [f"{many}\t{state}\t{thread}\n" for (state, thread), many in sorted(self.seen.items())]
        self.out.write_text("# tally 1\n" + "".join(rows))
        return Collected((Written(self.out, "tally"),), {"samples": f"{self.seen.total():,}"})

    def abandon(self) -> None:
        self.over.set()
        if self.sampler is not None:
            self.sampler.join()


def states(process: Path) -> list[tuple[str, str]]:
    """(state, name) of every thread of a process: the fields `state` and `comm` of proc(5); none when it has ended."""
    found = []
    with suppress(OSError):
        for task in (process / "task").iterdir():
            _, _, rest = (task / "stat").read_text(errors="replace").partition("(")
            name, _, fields = rest.rpartition(")")
            found.append((STATES.get(fields.split()[0], "in another state"), " ".join(name.split())))
    return found


PROFILER = ThreadStates()
