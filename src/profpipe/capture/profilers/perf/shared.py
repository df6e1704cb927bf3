"""One recording of the processors that several servers run on, from which each server's session takes its samples."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from pathlib import Path

from profpipe.capture.profilers.perf import trial
from profpipe.capture.profilers.perf.options import Asked, event_flags
from profpipe.capture.profilers.perf.recording import Recording
from profpipe.capture.profilers.perf.script import Census, Reader

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


class SharedRecording:
    """The recording of `servers` servers: it begins when the last of them is ready and ends with the first window.

    Its files lie in the folder of the session that joins first, until the last session leaves.
    """

    def __init__(self, servers: int) -> None:
        self.servers = servers
        self.flags: tuple[str, ...] = ()
        self.recording: Recording | None = None
        self.data, self.ids = Path(), Path()
        self._sessions = self._opened = 0
        self._roots: frozenset[int] = frozenset()
        self._ended = False
        self._census: Census | None = None

    @property
    def alone(self) -> bool:
        return self.servers == 1

    def join(self, raw: Path) -> None:
        """A session begins; `raw` = its folder."""
        if not self._sessions:
            self.data, self.ids = raw / "perf.data", raw / "perf.ids"
        self._sessions += 1

    def open(self, program: str, event: str, asked: Asked, roots: Collection[int], *, named: bool) -> None:
        """A window opens over the processes `roots`. Raises CaptureError(window) when perf does not record."""
        self._opened += 1
        self._roots |= frozenset(roots)
        if self._opened < self.servers:
            return
        cpus = processors(self._roots)
        self.flags = _flags(program, event, asked, cpus, named=named)
        # Python's stubs carry times of the monotonic clock, and `inject` matches them with the samples by time.
        clock = ("-k", "mono") if named else ()
        cache = () if asked.keep else ("-N",)
        argv = (program, "--buildid-dir", str(self.ids), "record", "-q", *cache, *clock, *self.flags)
        self.recording = Recording(argv, self.data, (frozenset(os.sched_getaffinity(0)) - cpus) or None)
        self.recording.begin()

    def end(self) -> None:
        """A window closes. Raises CaptureError(save) when the recording cannot be saved."""
        assert self.recording is not None
        if not self._ended:
            self._ended = True
            self.recording.end()

    def census(self, reader: Reader) -> Census:
        """Samples per process of the whole recording, read once."""
        if self._census is None:
            self._census = reader.census(self.data)
        return self._census

    def leave(self, *, keep: bool) -> None:
        """A session is over, however it ended; with the last one perf goes, and without `keep` its files."""
        self._sessions -= 1
        if self._sessions:
            return
        if self.recording is not None:
            self.recording.kill()
        if not keep:
            self.data.unlink(missing_ok=True)
            shutil.rmtree(self.ids, ignore_errors=True)


def _flags(program: str, event: str, asked: Asked, cpus: frozenset[int], *, named: bool) -> tuple[str, ...]:
    """All processors where the servers are placed freely: `-a`."""
    everywhere = not cpus or len(cpus) >= (os.cpu_count() or 1)
    where = ("-a",) if everywhere else ("-C", ",".join(map(str, sorted(cpus))))
    graph = asked.call_graph
    if graph == "auto":
        # Python's stubs are called by libpython, which is compiled without frame pointers.
        graph = "dwarf" if named else "fp"
    stacks = () if graph == "none" else ("--call-graph", graph)
    buffer = ("-m", BUFFER) if graph == "dwarf" and trial.may_lock() else ()
    return (*where, *event_flags(program, event, asked.frequency), *stacks, *buffer)
