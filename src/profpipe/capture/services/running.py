"""One service: prepared, started, ready, filled with its data; stopped, and its folder of data removed."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from profpipe.capture.server.build import run_command
from profpipe.capture.server.command import environment, fill, socket_path
from profpipe.capture.server.ports import choose_port, names_port
from profpipe.capture.server.process import Supervised, exit_words, inherited_environment
from profpipe.capture.server.ready import PortTaken, Waiting
from profpipe.capture.services.needs import environment_of, missing_for, user_of
from profpipe.errors import CaptureError
from profpipe.study.requests import Request
from profpipe.study.schema import Target
from profpipe.study.service import Service

PORT_TRIES = 3
LAST_LINES = 10


@dataclass(frozen=True, slots=True)
class RunningService:
    """A service that is ready. `host` = an address, or the path of its unix socket; `data` = its folder of data."""

    name: str
    service: Service
    process: Supervised
    host: str
    port: int
    data: Path

    @property
    def values(self) -> Mapping[str, str]:
        """What `{host}`, `{port}`, `{socket}` and `{data}` of it stand for."""
        return _values(self.service, self.port, self.data)

    def ended(self) -> CaptureError | None:
        """Why it no longer runs, with its last lines; None while it does."""
        status = self.process.wait()
        if status is None:
            return None
        self.process.log.finish(1.0)
        why = f"the service {self.name} ended: {exit_words(status)}"
        return CaptureError("load", why, log_tail=self.process.log.tail())


def _values(service: Service, port: int, data: Path) -> Mapping[str, str]:
    return {"host": service.host, "port": str(port), "socket": socket_path(data), "data": str(data)}


def filled(text: str, values: Mapping[str, str], prefix: str = "") -> str:
    """The text with `{port}` and the others in place; with a prefix, `{service.db.port}`."""
    for key, value in values.items():
        text = text.replace(f"{{{prefix}{key}}}", value)
    return text


def _as_target(service: Service) -> Target:
    """What the process life of servers needs to know of a service."""
    ready = service.ready
    if not (ready.http or ready.tcp or ready.line):
        ready = ready.model_copy(update={"tcp": True})
    return Target(
        command=service.command,
        env=environment_of(service) | service.env,
        ready=ready,
        host=service.host,
        port=service.port,
    )


@contextmanager
def running_service(
    name: str, service: Service, *, cpus: frozenset[int] | None = None, on_line: Callable[[str], None] = lambda _: None
) -> Iterator[RunningService]:
    """The service, ready and filled; it and its data are gone at the end, however that comes.

    `on_line` gets the output of `prepare` and `fixture`. Raises CaptureError that names the service.
    """
    if (why := missing_for(service)) is not None:
        raise CaptureError("start", f"the service {name} cannot run: {why}")
    with ExitStack() as stack:
        try:
            running = _started(name, service, cpus, on_line, stack, PORT_TRIES)
        except CaptureError as error:
            raise _named(name, error) from error
        yield running
        running.process.stop(getattr(signal, service.stop), service.stop_timeout)


def _named(name: str, error: CaptureError) -> CaptureError:
    """The error with the name of the service and its last lines, which end the study and are shown nowhere else."""
    text = error.text.replace("the server ended", "it ended")
    lines = "".join(f"\n    {line}" for line in error.log_tail[-LAST_LINES:])
    phase = "ready" if error.phase == "ready" else "start"
    return CaptureError(phase, f"the service {name}: {text}{lines}", log_tail=error.log_tail)


def _started(
    name: str,
    service: Service,
    cpus: frozenset[int] | None,
    on_line: Callable[[str], None],
    stack: ExitStack,
    tries: int,
) -> RunningService:
    """Started again, with other data, where another program took its port. `stack` ends it and removes its data."""
    target, user = _as_target(service), user_of(service)
    with ExitStack() as own:
        data = Path(own.enter_context(tempfile.TemporaryDirectory(prefix="profpipe-data-", ignore_cleanup_errors=True)))
        if user is not None:
            os.chown(data, user.number, user.group)
        port = choose_port(target)
        env, cwd = environment(target, port, data), Path(service.cwd)
        for line in service.prepare:
            run_command(fill(line, port, data), env, cwd, on_line, user=user, data=data)
        argv = fill(service.command, port, data)
        process = own.enter_context(Supervised(argv, env=env, cwd=cwd, cpus=cpus, data=data, user=user))
        known = port if names_port(target) or service.port is not None else None
        try:
            ready = Waiting(process, target, known, Request(), service.ready.timeout, data).wait()
        except PortTaken:
            if tries == 1 or not names_port(target):
                raise
        else:
            found = RunningService(name, service, process, ready.host, ready.port or port, data)
            _fill_with_data(found, on_line)
            stack.enter_context(own.pop_all())
            return found
    return _started(name, service, cpus, on_line, stack, tries - 1)


def _fill_with_data(running: RunningService, on_line: Callable[[str], None]) -> None:
    """The commands of `fixture`, which run as we do: their files may be readable by us alone."""
    service = running.service
    own = {"PATH": environment_of(service)["PATH"]}
    env = inherited_environment() | own | {key: _own(text, running) for key, text in service.env.items()}
    for line in service.fixture:
        run_command(tuple(_own(text, running) for text in line), env, Path(service.cwd), on_line)
        if (error := running.ended()) is not None:
            raise error


def _own(text: str, running: RunningService) -> str:
    return fill((filled(text, running.values),), running.port, running.data)[0]
