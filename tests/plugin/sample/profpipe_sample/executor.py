"""quiet: runs on this machine, but waits before each unit until the machine does little else: `--on quiet:0.5`."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from profpipe.errors import CaptureError, UsageError
from profpipe.pipeline.events import Listener, Note
from profpipe.pipeline.execute import local
from profpipe.pipeline.execute.interface import Result, Session, Unit
from profpipe.pipeline.prepare.prepared import PreparedStudy

PATIENCE_S = 600.0
PAUSE_S = 5.0


@dataclass(frozen=True, slots=True)
class QuietSession:
    """A session of the executor `local` that begins a unit when the load average of a minute is at most `most`."""

    inner: Session
    most: float
    listen: Listener

    def environment(self) -> Mapping[str, str]:
        return {**self.inner.environment(), "runs began at a load average of": f"{self.most:g} at most"}

    def build(self) -> Mapping[str, CaptureError]:
        return self.inner.build()

    def carry_out(self, units: Iterable[Unit[Result]]) -> Iterator[tuple[Unit[Result], Result]]:
        return self.inner.carry_out(self._when_quiet(units))

    def _when_quiet(self, units: Iterable[Unit[Result]]) -> Iterator[Unit[Result]]:
        for unit in units:
            limit = time.monotonic() + PATIENCE_S
            while os.getloadavg()[0] > self.most and time.monotonic() < limit:
                time.sleep(PAUSE_S)
            if os.getloadavg()[0] > self.most:
                self.listen(Note(f"the load average is still over {self.most:g} after {PATIENCE_S:g} s: going on"))
            yield unit


def missing() -> str | None:
    return None


@contextmanager
def session(study: PreparedStudy, address: str, listen: Listener) -> Iterator[Session]:
    try:
        most = float(address or "1")
    except ValueError:
        raise UsageError(f"--on quiet:{address}: expected a load average, such as --on quiet:0.5") from None
    with local.session(study, "", listen) as inner:
        yield QuietSession(inner, most, listen)
