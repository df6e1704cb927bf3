"""The client of slices from profpipe's side: started on its processors, asked line by line, ended with the start."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Self

from profpipe.errors import LoadError
from profpipe.load.guard import guard
from profpipe.load.interface import Cpus
from profpipe.load.plan import asked_of, fed_by
from profpipe.study.feeder import Feeder
from profpipe.study.requests import Request, Route
from profpipe.tls import Trust

COMMAND = (sys.executable, "-P", "-m", "profpipe.load.slices")
QUIET = {"PYTHONDEVMODE": "", "PYTHONASYNCIODEBUG": "", "PYTHONWARNINGS": ""}
END_S = 5.0
GRACE_S = 10.0  # for the client itself, beyond what a command allows its servers
READ_BYTES = 1 << 16


class VariantFailed(Exception):
    """A server did what no measurement can be made of: `variant` counts from 0 in the order they were opened."""

    def __init__(self, variant: int, reason: str) -> None:
        self.variant, self.reason = variant, reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Address:
    """A server that is to be loaded: where it listens, what it is asked, and the parent of its processes.

    `routes` = the requests of a load that has several; `request` does not count then. `trust` = how it is reached by
    https, None = by plain HTTP.
    """

    host: str
    port: int
    root: int
    request: Request
    routes: tuple[Route, ...] = ()
    trust: Trust | None = None
    feeder: Feeder | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """What every variant is asked in a pass: `route` counts from 0, None = all routes by their weights."""

    route: int | None
    parts: tuple[int, ...]


class Client:
    """The client's process. A context manager: leaving it ends the process. LoadError when the client itself fails."""

    def __init__(self, cpus: Cpus, *, timeout: float) -> None:
        """`timeout` = seconds in which every answer of a server must come. One thread: the first of `cpus` is used."""
        self.timeout = timeout
        self._unread = b""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `close`
        try:
            self._process = subprocess.Popen(
                COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env={**os.environ, **guard().environment, **QUIET},
                start_new_session=True,
            )
        except OSError as error:
            self._errors.close()
            raise LoadError(f"the load client cannot be started: {error.strerror}") from error
        if cpus:
            # Before its first thread runs Python code; it never starts another.
            with suppress(ProcessLookupError):
                os.sched_setaffinity(self._process.pid, cpus[:1])

    def open(self, servers: Sequence[Address], connections: int, services: Mapping[str, int] | None = None) -> None:
        """Connect to every server. `services` = name -> parent of the processes of each. Raises VariantFailed."""
        variants = [
            {
                "host": server.host,
                "port": server.port,
                "root": server.root,
                "tls": None if server.trust is None else asdict(server.trust),
                "asked": asked_of(server.request, server.routes, server.host, server.port),
                "feeder": fed_by(server.feeder, stops=False),
                "connections": connections,
            }
            for server in servers
        ]
        command = {"do": "open", "variants": variants, "services": dict(services or {}), "timeout": self.timeout}
        self._ask(command, self.timeout * len(servers))

    def slices(
        self,
        orders: Sequence[Sequence[int]],
        parts: Sequence[int],
        seconds: float,
        extra: Sequence[Sequence[int]] | None = None,
        blocks: Sequence[Block] | None = None,
        seed: int = 0,
    ) -> dict[str, Any]:
        """A slice for every entry of `orders`, each of these parts; no pass begins after `seconds`.

        The first part of each slice has `extra` requests more (a number for every entry of `orders`). `blocks`, one
        for each pass, say what it asks, in place of `parts`. The answer is that of session.Session: slices in their
        order, counts before and after. Raises VariantFailed.
        """
        extra = extra or [[0] * len(order) for order in orders]
        each = blocks or [Block(None, tuple(parts))] * len(orders)
        command = {
            "do": "slices",
            "orders": orders,
            "extra": extra,
            "blocks": [asdict(block) for block in each],
            "seconds": seconds,
            "seed": seed,
        }
        return self._ask(command, seconds + self.timeout * max(map(len, orders), default=0))

    def idle(self, seconds: float) -> tuple[list[int], int]:
        """CPU nanoseconds of every server while no request comes, and how long that was."""
        answer = self._ask({"do": "idle", "seconds": seconds}, seconds)
        return answer["cpu_ns"], answer["wall_ns"]

    def _ask(self, command: Mapping[str, object], seconds: float) -> dict[str, Any]:
        process = self._process
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # it has died: the answer that is missing says so
            process.stdin.write(json.dumps(command).encode() + b"\n")
            process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._line(seconds + GRACE_S))
        if failed := answer.get("failed"):
            raise VariantFailed(failed["variant"], failed["reason"])
        return answer

    def _line(self, seconds: float) -> bytes:
        assert self._process.stdout is not None
        limit = time.monotonic() + seconds
        fd = self._process.stdout.fileno()
        parts = [self._unread]
        while b"\n" not in parts[-1]:
            if not select.select([fd], [], [], max(limit - time.monotonic(), 0))[0]:
                raise LoadError(f"the load client gave no answer within {seconds:g} s")
            data = os.read(fd, READ_BYTES)
            if not data:
                raise LoadError(f"the load client failed (exit code {self._process.wait(END_S)}): {self._complaint()}")
            parts.append(data)
        line, _, self._unread = b"".join(parts).partition(b"\n")
        return line

    def _complaint(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it printed nothing"

    def close(self) -> None:
        """End the process; may be called more than once."""
        process = self._process
        if process.stdin is not None and not process.stdin.closed:
            with suppress(BrokenPipeError):
                process.stdin.close()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
