"""Waiting until a started server really serves, without a fixed sleep."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from profpipe.capture.server import ports
from profpipe.capture.server.certificate import trust_of
from profpipe.capture.server.command import host_of
from profpipe.capture.server.process import Supervised, died
from profpipe.connecting import at_socket, connected
from profpipe.errors import CaptureError
from profpipe.final_answer import FinalAnswer
from profpipe.study.requests import Request
from profpipe.study.schema import Target
from profpipe.study.templates import first
from profpipe.tls import client_context, why

FIRST_LOOK, LONGEST_PAUSE = 0.002, 0.05
PROBE_SECONDS = 5.0
NOTHING = "nothing listened"
IN_USE = re.compile(r"address (is )?already in use|EADDRINUSE|errno 98", re.IGNORECASE)


class PortTaken(CaptureError):
    """Another process has the port; another port may work."""


class NotTrusted(CaptureError):
    """The TLS handshake fails, as it will the next time: a certificate that is not accepted, or no TLS."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A server that serves, on `port` of `host` or at the unix socket `host`, `seconds` after the wait began."""

    host: str
    port: int
    seconds: float


class Waiting:
    """Waiting for one server to become ready."""

    def __init__(
        self,
        server: Supervised,
        target: Target,
        port: int | None,
        request: Request,
        timeout: float,
        data: Path | None = None,
    ) -> None:
        """`port` = None where it is not known; `data` = the folder of the target's data."""
        self.host = host_of(target, data)
        self.server, self.target, self.port, self.request = server, target, port, request
        self.timeout, self.limit, self.last = timeout, time.monotonic() + timeout, NOTHING
        self.trust = trust_of(target)
        if target.ready.line is not None:
            server.log.watch(target.ready.line)

    def wait(self) -> Ready:
        """Raises PortTaken, or CaptureError(ready) with the reason."""
        begun, pause = time.monotonic(), FIRST_LOOK
        while not self._ready():
            if (error := died(self.server, "ready", "before it was ready")) is not None:
                raise self._port_in_use(error) or error
            if time.monotonic() >= self.limit:
                raise CaptureError("ready", self._never(), log_tail=self.server.log.tail())
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)
        assert self.port is not None
        return Ready(self.host, self.port, time.monotonic() - begun)

    def _ready(self) -> bool:
        if not self._line_seen():
            return False
        if not self._listens():
            return False
        if self.target.ready.line is not None and self.trust is None:
            return True
        probe_only = self.target.ready.line is not None or self.target.ready.tcp
        return self._connects() if probe_only else self._serves()

    def _listens(self) -> bool:
        """Whether it has its address, and no other program has. Raises PortTaken."""
        if at_socket(self.host):
            self.port, self.last = 0, f"there is no unix socket {self.host}"
            return Path(self.host).exists()
        if self.port is None and not self._found_port():
            return False
        assert self.port is not None
        ours = ports.is_ours(self.port, self.server.tree(), self.host)
        if ours is False:
            raise PortTaken("ready", f"port {self.port} belongs to another process", log_tail=self.server.log.tail())
        if ours is None:
            self.last = f"{NOTHING} on port {self.port}"
            return False
        return True

    def _line_seen(self) -> bool:
        if self.target.ready.line is None:
            return True
        match = self.server.log.matched(0.0)
        if match is None:
            self.last = f"no line of its output matched {self.target.ready.line!r}"
            if not self.server.log.size:
                self.last += " (it printed nothing: a program may hold back its output when it goes into a pipe)"
            return False
        named = match.groupdict().get("port")
        if named is not None and named.isdigit():
            self.port = int(named)
        return True

    def _found_port(self) -> bool:
        """For a command that names no port: the one port it listens on."""
        found = ports.own_ports(self.server.tree(), self.host)
        if len(found) == 1:
            self.port = found.pop()
            return True
        if found:
            listed = ", ".join(map(str, sorted(found)))
            raise CaptureError(
                "ready", f"the server listens on ports {listed}: set `port`, or use {{port}} in its command"
            )
        return False

    def _connects(self) -> bool:
        try:
            with self._secured(connected(self.host, self.port or 0, PROBE_SECONDS)):
                return True
        except OSError as error:
            self.last = f"connecting failed: {error}"
            return False

    def _serves(self) -> bool:
        path = self.target.ready.http or first(self.request.path)
        method = "GET" if self.target.ready.http else self.request.method
        body = None if self.target.ready.http else first(self.request.body).encode() or None
        headers = {name: first(value) for name, value in self.request.headers.items()}
        left = max(self.limit - time.monotonic(), 0.05)
        seconds = min(PROBE_SECONDS * self._patience(), left)
        begun = time.monotonic()
        connection = http.client.HTTPConnection(*self._named(), timeout=seconds)
        try:
            connection.response_class = FinalAnswer
            connection.sock = self._secured(connected(self.host, self.port or 0, seconds))
            with _closed_after(seconds, connection.sock):
                connection.request(method, path, body, {"Connection": "close", **headers})
                status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            late = time.monotonic() - begun >= seconds
            why = f"no whole answer within {seconds:g} s" if late else str(error) or type(error).__name__
            self.last = f"{method} {path} failed: {why}"
            return False
        finally:
            connection.close()
        expected = self.target.ready.status or self.request.status
        self.last = f"{method} {path} was answered with status {status}, expected {expected}"
        if self.target.ready.http and self.target.ready.status is None:
            self.last += ": ready.status sets another"
        return status == expected

    def _named(self) -> tuple[str, int | None]:
        """What the Host header says: a unix socket has no name of its own."""
        return ("localhost", None) if at_socket(self.host) else (self.host, self.port)

    def _secured(self, sock: socket.socket) -> socket.socket:
        """The connection after its TLS handshake, where the target has https.

        Raises NotTrusted for what waiting does not change.
        """
        if self.trust is None:
            return sock
        try:
            return client_context(self.trust).wrap_socket(sock, server_hostname=self.trust.name)
        except OSError as error:
            sock.close()
            if isinstance(error, ssl.SSLError):
                raise NotTrusted("ready", why(error, self.trust), log_tail=self.server.log.tail()) from error
            raise

    def _patience(self) -> float:
        return max(self.timeout / self.target.ready.timeout, 1.0)

    def _never(self) -> str:
        text = f"not ready after {self.timeout:g} s: {self.last}"
        if self.last.startswith(NOTHING) and (elsewhere := ports.unreached(self.server.tree(), host=self.host)):
            return f"{text}; it listens on {', '.join(elsewhere)}: make it listen on {self.host} or on every address"
        return text

    def _port_in_use(self, error: CaptureError) -> PortTaken | None:
        """A server that ended because its port was taken between our check and its bind."""
        in_use = any(IN_USE.search(line) for line in error.log_tail)
        return PortTaken("ready", f"{error.text}; its port was taken", log_tail=error.log_tail) if in_use else None


@contextmanager
def _closed_after(seconds: float, sock: socket.socket) -> Iterator[None]:
    """End the connection when the block takes longer: a time-out of a socket bounds each read, not all of them."""

    def close() -> None:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, close)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
