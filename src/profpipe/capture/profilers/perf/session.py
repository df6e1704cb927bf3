"""One run under perf: record whole processors while the window is open, then extract the server's samples."""

from __future__ import annotations

import time
from collections.abc import Mapping

from profpipe.capture.interface import Bare, Collected, Launch, Window, Written
from profpipe.capture.profilers.perf import python_names, trial
from profpipe.capture.profilers.perf.account import Account
from profpipe.capture.profilers.perf.options import Asked, chosen_event
from profpipe.capture.profilers.perf.script import Census, Look, Reader, most_sampled
from profpipe.capture.profilers.perf.shared import SharedRecording
from profpipe.capture.server.command import is_python
from profpipe.capture.server.process import Stopped, Supervised
from profpipe.capture.tools import find_tool
from profpipe.errors import CaptureError

FORMAT = "perf"


class PerfSession(Bare):
    def __init__(self, launch: Launch, shared: SharedRecording) -> None:
        super().__init__(launch)
        self.shared = shared
        self.asked = Asked.of(launch.options)
        self.program = find_tool("perf") or "perf"
        self.event, why = chosen_event(self.program, self.asked.event)
        if is_python(launch.target) and self.asked.python_names:
            self.env = {**python_names.ENVIRONMENT, **launch.env}
        self.facts: Mapping[str, str] = {"perf": trial.VERSION.ask() or "unknown", "event": why}
        self.out = launch.raw / "perf.script.txt"
        self.since = time.time() - 1
        self.roots: frozenset[int] = frozenset()
        self.named = False
        self.window: Window | None = None
        self.counted, self.seen = Census({}, {}, 0), Look()
        shared.join(launch.raw)

    def open(self, server: Supervised) -> None:
        self.roots = frozenset(server.tree())
        self.named = self.shared.alone and self.asked.python_names and python_names.writes_names(self.roots)
        self.shared.open(self.program, self.event, self.asked, self.roots, named=self.named)

    def helpers(self) -> tuple[int, ...]:
        recording = self.shared.recording
        return (recording.pid,) if recording is not None else ()

    def close(self, server: Supervised, window: Window) -> None:
        """Names are resolved while the server runs, except Python's, which are complete when it has ended."""
        self.window = window
        self.roots |= frozenset(server.tree())
        self.shared.end()
        if not self.named:
            self._read()

    def _read(self) -> None:
        reader = Reader(self.program, self.shared.ids)
        self.counted = self.shared.census(reader)
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
        self.seen = reader.write(self.shared.data, chosen, self.out, inline=self.asked.inline)

    def collect(self, stopped: Stopped) -> Collected:
        if self.named:
            Reader(self.program, self.shared.ids).name_compiled_code(self.shared.data)
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
        facts = {"options": " ".join(self.shared.flags), **account.facts()}
        if self.asked.keep:
            data, ids = self.shared.data, self.shared.ids
            facts["recording"] = f"{data.name}, {data.stat().st_size:,} bytes, with {ids.name}"
        return Collected((Written(self.out, FORMAT),), facts, account.warnings())

    def abandon(self) -> None:
        self.shared.leave(keep=self.asked.keep and self.out.exists())
        python_names.clean(self.roots, self.since)
