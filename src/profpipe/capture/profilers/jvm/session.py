"""One run of a Java server: each JVM of its process tree is told by jcmd to record, and to save what it recorded."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

from profpipe.capture.interface import Bare, Collected, Launch, Window, Written
from profpipe.capture.profilers.jvm.machines import Machine, machines, printed
from profpipe.capture.server.process import Stopped, Supervised
from profpipe.errors import CaptureError

FORMAT = "jfr-text"
RECORDING = "profpipe"
FEW_SAMPLES = 50


class JvmSession(Bare):
    """`event` is what the flight recorder writes, `settings` its settings without the event's name."""

    def __init__(self, launch: Launch, *, event: str, settings: tuple[str, ...]) -> None:
        super().__init__(launch)
        self.launch, self.event = launch, event
        self.settings = tuple(f"+{event}#{setting}" for setting in ("enabled=true", *settings))
        self.folder = self.scratch = Path(tempfile.mkdtemp(prefix="profpipe-jfr-"))
        self.machines: list[Machine] = []
        self.facts = {"event": event, "settings": " ".join(settings)}

    def open(self, server: Supervised) -> None:
        self.machines = machines(server.tree())
        if not self.machines:
            words = "no process of the server is a Java virtual machine: is `java` started by its command?"
            raise CaptureError("window", words, log_tail=server.log.tail())
        for machine in self.machines:
            self.begin(machine)

    def begin(self, machine: Machine) -> None:
        machine.ask("window", "JFR.start", f"name={RECORDING}", "settings=none", *self.settings)

    def end(self, machine: Machine) -> None:
        machine.ask("save", "JFR.stop", f"name={RECORDING}", f"filename={self.recording(machine)}")

    def recording(self, machine: Machine) -> Path:
        return self.folder / f"{machine.pid}.jfr"

    def close(self, server: Supervised, window: Window) -> None:  # noqa: ARG002
        for machine in self.machines:
            recording = self.recording(machine)
            self.end(machine)
            if not _written(recording):
                raise CaptureError("save", f"the JVM did not write its recording to {recording.name}")
            printed(machine, recording, self.event, self._out(machine))

    def _out(self, machine: Machine) -> Path:
        return self.launch.raw / f"jvm.{machine.pid}.jfr.txt"

    def collect(self, stopped: Stopped) -> Collected:  # noqa: ARG002
        begin = f"{self.event} {{"
        counts = {m: sum(line.startswith(begin) for line in _lines(self._out(m))) for m in self.machines}
        files = tuple(Written(self._out(machine), FORMAT) for machine, count in counts.items() if count)
        samples = sum(counts.values())
        facts = {"samples": f"{samples:,}", "Java virtual machines": str(len(counts))}
        if not samples:
            words = f"no {self.event} in the window: no Java code ran long enough; use a longer load"
            return Collected((), facts, (), words)
        few = (f"{samples} samples, too few to rank functions: use a longer load",) if samples < FEW_SAMPLES else ()
        return Collected(files, facts, few)

    def abandon(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def _lines(path: Path) -> list[str]:
    return path.read_text(errors="replace").splitlines() if path.exists() else []


def _written(path: Path, limit: float = 5.0) -> bool:
    """Whether the file is there: jcmd answers when the JVM has written it, and another user's file system may lag."""
    until = time.monotonic() + limit
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.05)
    return path.exists()
