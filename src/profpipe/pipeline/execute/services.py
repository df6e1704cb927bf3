"""The services of a study on this machine: started when a unit first needs them, and again where one has ended."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from profpipe.capture import Placement
from profpipe.capture.services.beside import Beside
from profpipe.capture.services.running import RunningService, running_service
from profpipe.pipeline.events import Building, Listener, Note
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.study.services import services_of


@dataclass(slots=True)
class Services:
    """`kept` = services that run for the whole study, each with what ends it."""

    study: PreparedStudy
    listen: Listener
    kept: dict[str, tuple[RunningService, ExitStack]] = field(default_factory=dict)

    @contextmanager
    def beside(self) -> Iterator[PreparedStudy]:
        """The study for one unit: its services run, and its targets know their addresses. Raises CaptureError."""
        wanted = self.study.study.used_services
        if not wanted:
            yield self.study
            return
        with ExitStack() as stack:
            running = {}
            for name, service in wanted.items():
                running[name] = self._kept(name) if service.per == "study" else self._start(name, stack)
            yield _told(self.study, Beside(running))

    def close(self) -> None:
        """End those that are kept, the last first."""
        while self.kept:
            _, (_, stack) = self.kept.popitem()
            stack.close()

    def _kept(self, name: str) -> RunningService:
        if name in self.kept:
            running, stack = self.kept[name]
            if (error := running.ended()) is None:
                return running
            del self.kept[name]
            stack.close()
            self.listen(Note(f"{error.text}; it is started again"))
        with ExitStack() as own:
            running = self._start(name, own)
            self.kept[name] = running, own.pop_all()
        return running

    def _start(self, name: str, stack: ExitStack) -> RunningService:
        service = self.study.study.used_services[name]
        cpus = processors(self.study.placements[""])
        say: Callable[[str], None] = lambda line: self.listen(Building(name, line))  # noqa: E731
        return stack.enter_context(running_service(name, service, cpus=cpus, on_line=say))


def processors(placement: Placement) -> frozenset[int] | None:
    """Where services run: on the processors that neither server nor load has. None = anywhere, where none is left."""
    if placement.server_cpu is None:
        return None
    left = os.sched_getaffinity(0) - {placement.server_cpu, *placement.load_cpus}
    return frozenset(left) or None


def _told(study: PreparedStudy, beside: Beside) -> PreparedStudy:
    targets = {
        name: beside.told(target, services_of(study.study, target)) for name, target in study.variants.targets.items()
    }
    return replace(study, variants=replace(study.variants, targets=targets), beside=beside)
