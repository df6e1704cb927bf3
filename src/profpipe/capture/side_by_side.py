"""The servers of one start: fresh processes of every variant, alive together, each with the ticket of the start."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from profpipe.capture.launch import working_folder
from profpipe.capture.server import layout
from profpipe.capture.server.command import data_folder, environment, fill
from profpipe.capture.server.memory import Free, no_room, roomy
from profpipe.capture.server.placement import Placement
from profpipe.capture.server.ports import choose_port, names_port
from profpipe.capture.server.process import Supervised, died, exit_words
from profpipe.capture.server.ready import PortTaken, Waiting
from profpipe.capture.server.usage import peak_bytes
from profpipe.errors import CaptureError
from profpipe.model.start import Lost, StartPhase, Ticket
from profpipe.study.feeder import Feeder
from profpipe.study.requests import Request, Route
from profpipe.study.schema import Target
from profpipe.study.setup import SetUpRequest

PORT_TRIES = 3


class StartLost(Exception):
    """A start that no variant has figures of."""

    def __init__(self, lost: Lost) -> None:
        self.lost = lost
        super().__init__(lost.reason)


@dataclass(frozen=True, slots=True)
class Variant:
    """A server of a start, under a name of its own: the control is the baseline's target with another name.

    `root` = the folder its paths are relative to; None = that of the start. `routes` = the requests of a load that has
    several; `request`, the first of them, is then only that of its readiness. `setup` = what is sent before the load.
    """

    name: str
    target: Target
    request: Request
    root: Path | None = None
    routes: tuple[Route, ...] = ()
    setup: tuple[SetUpRequest, ...] = ()
    feeder: Feeder | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """A variant that serves. `fixed_layout` = its memory lies where the ticket puts it.

    `host` = an address, or the path of a unix socket. `launched` = when it was launched, by time.monotonic().
    """

    variant: Variant
    server: Supervised
    host: str
    port: int
    fixed_layout: bool
    launched: float


def apart(variants: Sequence[Variant]) -> str | None:
    """Why these variants cannot be alive together, None when nothing speaks against it: a port that two insist on."""
    ports: dict[int, str] = {}
    for variant in variants:
        port = variant.target.port
        if port is not None and port in ports:
            return f"{ports[port]} and {variant.name} both listen on port {port}: use {{port}} in their commands"
        if port is not None:
            ports[port] = variant.name
    return None


@contextmanager
def side_by_side(
    variants: Sequence[Variant],
    ticket: Ticket,
    *,
    root: Path,
    placement: Placement,
    free: Callable[[], Free | None] | None = None,
) -> Iterator[tuple[Running, ...]]:
    """All variants, launched together and serving. Leaving it kills what still runs. Raises StartLost.

    With `free`, which gives the memory that is left, no variant is launched that may not find enough of it: StartLost
    in the phase "memory". The first variant is then launched before the others.
    """
    with ExitStack() as stack:
        where = _Where(stack, ticket, root, placement)
        running: list[Running] = []
        while len(running) < len(variants):
            waiting = variants[len(running) :]
            running += where.serve(waiting[: len(waiting) if free is None else _room_for(running, waiting, free())])
        yield tuple(running)


def _room_for(running: Sequence[Running], waiting: Sequence[Variant], free: Free | None) -> int:
    """How many of those that wait may be launched at once. Raises StartLost where there is no memory for one."""
    if not running:
        return 1
    known = {one.variant.name: peak_bytes(one.server.tree()) for one in running}
    peaks = {name: peak for name, peak in known.items() if peak is not None}
    if free is None or not peaks or roomy(peaks, len(waiting), free):
        return len(waiting)
    if (why := no_room(peaks, waiting[0].name, free)) is not None:
        raise StartLost(Lost(waiting[0].name, "memory", why))
    return 1


@dataclass(frozen=True, slots=True)
class _Where:
    """What the servers of a start share; `stack` ends them and removes their folders of data."""

    stack: ExitStack
    ticket: Ticket
    root: Path
    placement: Placement

    def serve(self, variants: Sequence[Variant]) -> list[Running]:
        """Launched together and serving. Raises StartLost."""
        launched = [(variant, *self.launch(variant)) for variant in variants]
        return [self._wait(*each) for each in launched]

    def _wait(self, variant: Variant, server: Supervised, port: int, at: float, tries: int = PORT_TRIES) -> Running:
        """Launched again where another program took its port."""
        try:
            return _wait(variant, server, port, at)
        except PortTaken as error:
            server.kill()
            if tries == 1 or not names_port(variant.target):
                raise _lost(variant, error) from error
            return self._wait(variant, *self.launch(variant), tries - 1)
        except CaptureError as error:
            raise _lost(variant, error) from error

    def launch(self, variant: Variant) -> tuple[Supervised, int, float]:
        """The server, its port, and when it was launched. Raises StartLost."""
        target, cpu, at = variant.target, self.placement.server_cpu, time.monotonic()
        cpus = None if cpu is None else frozenset({cpu})
        port = choose_port(target)
        try:
            cwd = working_folder(target, variant.root or self.root)
            data = self.stack.enter_context(data_folder(target))
            env = layout.environment(self.ticket, environment(target, port, data), target.env)
            place = layout.stack_bytes(self.ticket)
            argv = fill(target.command, port, data)
            server = Supervised(argv, env=env, cwd=cwd, cpus=cpus, data=data, stack_bytes=place)
        except CaptureError as error:
            raise _lost(variant, error) from error
        self.stack.callback(server.kill)
        return server, port, at


def _wait(variant: Variant, server: Supervised, port: int, launched: float) -> Running:
    target = variant.target
    known = port if names_port(target) or target.port is not None else None
    ready = Waiting(server, target, known, variant.request, target.ready.timeout, server.data).wait()
    return Running(variant, server, ready.host, ready.port, layout.is_fixed(server.pid), launched)


def _lost(variant: Variant, error: CaptureError) -> StartLost:
    phase: StartPhase = "ready" if error.phase == "ready" else "start"
    return StartLost(Lost(variant.name, phase, error.text, error.log_tail))


def blame(running: Running, complaint: str) -> Lost:
    """Why a start was lost in its slices: the end of the server where it has ended, else the client's complaint."""
    running.server.wait(0.2)
    error = died(running.server, "slices", "under load")
    if error is not None:
        return Lost(running.variant.name, "slices", error.text, error.log_tail)
    return Lost(running.variant.name, "slices", complaint, running.server.log.tail())


def stop(running: Sequence[Running]) -> tuple[str, ...]:
    """Ask every server to end, all at once, and wait; what had to be forced is returned in words."""
    for one in running:
        one.server.signal(getattr(signal, one.variant.target.stop))
    found = []
    for one in running:
        target = one.variant.target
        status = one.server.wait(target.stop_timeout)
        number = getattr(signal, target.stop)
        if status is None:
            found.append(f"{one.variant.name}: it did not end within {target.stop_timeout:g} s of {target.stop}")
        elif status not in {0, -number, 128 + number}:
            found.append(f"{one.variant.name}: it ended with {exit_words(status)} after {target.stop}")
        one.server.kill()
    return tuple(found)


def control_of(baseline: Variant, name: str) -> Variant:
    """The baseline once more, as a variant that cannot differ from it."""
    return replace(baseline, name=name)
