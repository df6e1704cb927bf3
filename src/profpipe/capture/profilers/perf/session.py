"""One run under perf: record whole processors while the window is open, then extract the server's samples."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Collection, Mapping
from pathlib import Path

from profpipe.capture.interface import Bare, Collected, Launch, Window, Written
from profpipe.capture.profilers.perf import python_names, trial
from profpipe.capture.profilers.perf.account import Account
from profpipe.capture.profilers.perf.options import Asked, chosen_event, event_flags
from profpipe.capture.profilers.perf.recording import Recording
from profpipe.capture.profilers.perf.script import Census, Look, Reader, most_sampled
from profpipe.capture.server.command import is_python
from profpipe.capture.server.process import Stopped, Supervised
from profpipe.capture.tools import find_tool
from profpipe.errors import CaptureError

FORMAT = "perf"
# 8 KiB of stack per sample overran the default buffer of half a MiB as soon as perf had to wait: 7 % were lost.
BUFFER = "16M"


def processors(pids: Collection[int]) -> frozenset[int]:
    """Where the threads of these processes may run: a server may pin its own threads to others than it was given."""
    found: set[int] = set()
    for pid in pids:
        try:
            for task in Path(f"/proc/{pid}/task").iterdir():
                found |= os.sched_getaffinity(int(task.name))
        except OSError:
            continue
    return frozenset(found)


class PerfSession(Bare):
    def __init__(self, launch: Launch) -> None:
        super().__init__(launch)
        self.asked = Asked.of(launch.options)
        self.program = find_tool("perf") or "perf"
        self.event, why = chosen_event(self.program, self.asked.event)
        if is_python(launch.target) and self.asked.python_names:
            self.env = {**python_names.ENVIRONMENT, **launch.env}
        self.facts: Mapping[str, str] = {"perf": trial.VERSION.ask() or "unknown", "event": why}
        self.data, self.ids = launch.raw / "perf.data", launch.raw / "perf.ids"
        self.out = launch.raw / "perf.script.txt"
        self.since = time.time() - 1
        self.recording: Recording | None = None
        self.flags: tuple[str, ...] = ()
        self.roots: frozenset[int] = frozenset()
        self.named = False
        self.window: Window | None = None
        self.counted, self.seen = Census({}, {}, 0), Look()

    def open(self, server: Supervised) -> None:
        self.roots = frozenset(server.tree())
        cpus = processors(self.roots)
        self.named = self.asked.python_names and python_names.writes_names(self.roots)
        self.flags = self._flags(cpus)
        # Python's stubs carry times of the monotonic clock, and `inject` matches them with the samples by time.
        clock = ("-k", "mono") if self.named else ()
        cache = () if self.asked.keep else ("-N",)
        argv = (self.program, "--buildid-dir", str(self.ids), "record", "-q", *cache, *clock, *self.flags)
        self.recording = Recording(argv, self.data, (frozenset(os.sched_getaffinity(0)) - cpus) or None)
        self.recording.begin()

    def _flags(self, cpus: frozenset[int]) -> tuple[str, ...]:
        """All processors where the server is placed freely: `-a`."""
        everywhere = not cpus or len(cpus) >= (os.cpu_count() or 1)
        where = ("-a",) if everywhere else ("-C", ",".join(map(str, sorted(cpus))))
        graph = self.asked.call_graph
        if graph == "auto":
            # Python's stubs are called by libpython, which is compiled without frame pointers.
            graph = "dwarf" if self.named else "fp"
        stacks = () if graph == "none" else ("--call-graph", graph)
        buffer = ("-m", BUFFER) if graph == "dwarf" and trial.may_lock() else ()
        return (*where, *event_flags(self.program, self.event, self.asked.frequency), *stacks, *buffer)

    def helpers(self) -> tuple[int, ...]:
        return (self.recording.pid,) if self.recording is not None else ()

    def close(self, server: Supervised, window: Window) -> None:
        """Names are resolved while the server runs, except Python's, which are complete when it has ended."""
        assert self.recording is not None
        self.window = window
        self.roots |= frozenset(server.tree())
        self.recording.end()
        if not self.named:
            self._read()

    def _read(self) -> None:
        reader = Reader(self.program, self.ids)
        self.counted = reader.census(self.data)
        self.roots = self.counted.tree(self.roots)
        chosen = most_sampled(self.counted, self.roots)
        if not chosen:
            used = self.window.cpu_s if self.window is not None else None
            raise CaptureError(
                "save",
                f"perf took {self.counted.total:,} samples and none of the server"
                + (f", which used {used:.3g} s of processor time in the window" if used is not None else "")
                + ": use a longer load or raise `frequency`",
            )
        self.seen = reader.write(self.data, chosen, self.out, inline=self.asked.inline)

    def collect(self, stopped: Stopped) -> Collected:
        if self.named:
            Reader(self.program, self.ids).name_compiled_code(self.data)
            self._read()
        account = Account(
            event=self.event,
            frequency=self.asked.frequency,
            counted=self.counted,
            seen=self.seen,
            used_s=self.window.cpu_s if self.window is not None else None,
            kernel_shown=trial.kernel_symbols(),
            named=self.named,
            signalled=stopped.status is None or stopped.status < 0,
        )
        facts = {"options": " ".join(self.flags), **account.facts()}
        if self.asked.keep:
            facts["recording"] = f"{self.data.name}, {self.data.stat().st_size:,} bytes, with {self.ids.name}"
        return Collected((Written(self.out, FORMAT),), facts, account.warnings())

    def abandon(self) -> None:
        if self.recording is not None:
            self.recording.kill()
        if not (self.asked.keep and self.out.exists()):
            self.data.unlink(missing_ok=True)
            shutil.rmtree(self.ids, ignore_errors=True)
        python_names.clean(self.roots, self.since)
