"""The executor `local`: builds and runs everything on this machine, one unit after another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass

from profpipe import capture, load
from profpipe.errors import CaptureError, UsageError
from profpipe.pipeline.events import Listener
from profpipe.pipeline.execute.build import build_targets
from profpipe.pipeline.execute.interface import Result, Session, Unit
from profpipe.pipeline.execute.machine_lock import machine_lock
from profpipe.pipeline.execute.services import Services
from profpipe.pipeline.prepare.prepared import PreparedStudy


@dataclass(frozen=True, slots=True)
class LocalSession:
    """One study on this machine. Servers and load generators are ended by `capture` and `load` themselves."""

    study: PreparedStudy
    listen: Listener
    services: Services

    def environment(self) -> Mapping[str, str]:
        return capture.environment_facts((*capture.profiler_versions(), *load.programs()))

    def build(self) -> Mapping[str, CaptureError]:
        return build_targets(self.study, self.listen)

    def carry_out(self, units: Iterable[Unit[Result]]) -> Iterator[tuple[Unit[Result], Result]]:
        for unit in units:
            with self.services.beside() as study:
                found = unit.carry_out(study, unit.folder, self.listen)
            yield unit, found


def missing() -> str | None:
    return None


@contextmanager
def session(study: PreparedStudy, address: str, listen: Listener) -> Iterator[Session]:
    """Raises MachineBusy while another profpipe measures here."""
    if address:
        raise UsageError(f"--on local:{address}: local takes no address; write --on local")
    with machine_lock(), closing(Services(study, listen)) as services:
        yield LocalSession(study, listen, services)
