"""One run of a Go server that serves net/http/pprof itself: its own CPU profile is the source, and nothing is built.

The endpoint takes a profile of so many seconds, which are not known when the window opens. It stops early when the
client goes, and still sends what it has where only the client's half of the connection was closed (net/http's
background read cancels the request; the other half stays open). So the profile has the length of the window.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from urllib.parse import SplitResult, urlsplit

from profpipe.capture.interface import Bare, Collected, Launch, Window, Written
from profpipe.capture.server.ports import LOOPBACK, own_ports
from profpipe.capture.server.process import Stopped, Supervised
from profpipe.errors import CaptureError

# A server refuses a profile that is longer than its WriteTimeout, so shorter ones are tried in turn.
SECONDS = (600, 110, 55, 25, 8)
ANSWER_SECONDS, REFUSED_SECONDS = 30.0, 0.3
FORMAT = "pprof"
ABOUT = 'does the server import _ "net/http/pprof" and serve it there?'


def endpoint(given: str) -> SplitResult | None:
    """`/debug/pprof` or `http://127.0.0.1:6060/debug/pprof` in parts; None for what is neither."""
    found = urlsplit(given.rstrip("/"))
    if found.scheme == "http" and found.hostname and found.path.startswith("/"):
        return found
    return found if not found.scheme and not found.netloc and found.path.startswith("/") else None


class GoEndpointSession(Bare):
    """`where` is the endpoint; without a host it is on a port that the server listens on."""

    def __init__(self, launch: Launch, where: SplitResult) -> None:
        super().__init__(launch)
        self.where, self.out = where, launch.raw / "cpu.pb.gz"
        self.connection: socket.socket | None = None
        self.profile = b""
        self.opened = 0.0

    def open(self, server: Supervised) -> None:
        address = self._address(server)
        for seconds in SECONDS:
            self.connection = _asked(address, f"{self.where.path}/profile?seconds={seconds}", server)
            self.opened = time.monotonic()
            if not select.select([self.connection], [], [], REFUSED_SECONDS)[0]:
                return
            words = " ".join(self._read(server, "window")[1].decode("utf-8", "replace").split())
            if "WriteTimeout" not in words:
                break
        raise CaptureError("window", f"the endpoint refused a CPU profile: {words[:200]}", log_tail=server.log.tail())

    def _address(self, server: Supervised) -> tuple[str, int]:
        """Where the endpoint is. Raises CaptureError where none of the server's ports has it."""
        if self.where.hostname:
            return self.where.hostname, self.where.port or 80
        ports = sorted(own_ports(server.tree()))
        for port in ports:
            if _has_endpoint((LOOPBACK, port), self.where.path):
                return LOOPBACK, port
        raise CaptureError(
            "window",
            f"no {self.where.path} on the server's ports ({_listed(ports)}): {ABOUT}",
            log_tail=server.log.tail(),
        )

    def close(self, server: Supervised, window: Window) -> None:  # noqa: ARG002
        assert self.connection is not None, "open comes first"
        if select.select([self.connection], [], [], 0)[0]:
            lasted = time.monotonic() - self.opened
            words = f"the profile ended after {lasted:.0f} s, before the load did: raise the server's timeouts"
            raise CaptureError("save", words, log_tail=server.log.tail())
        self.connection.shutdown(socket.SHUT_WR)
        status, self.profile = self._read(server, "save")
        if status != 200:
            words = self.profile.decode("utf-8", "replace")[:200]
            raise CaptureError("save", f"the endpoint answered {status}: {words}", log_tail=server.log.tail())
        self.out.write_bytes(self.profile)

    def _read(self, server: Supervised, phase: str) -> tuple[int, bytes]:
        assert self.connection is not None, "open comes first"
        self.connection.settimeout(ANSWER_SECONDS)
        try:
            with HTTPResponse(self.connection) as answer:
                answer.begin()
                return answer.status, answer.read()
        except (OSError, HTTPException) as error:
            words = f"the endpoint did not send its profile: {error or type(error).__name__}"
            raise CaptureError(phase, words, log_tail=server.log.tail()) from error
        finally:
            self.connection.close()

    def collect(self, stopped: Stopped) -> Collected:  # noqa: ARG002
        if not self.profile:
            raise CaptureError("save", "the server ended before it sent a profile")
        return Collected((Written(self.out, FORMAT),), {"profile from": f"{self.where.path}/profile of the server"})

    def abandon(self) -> None:
        if self.connection is not None:
            self.connection.close()


def _asked(address: tuple[str, int], path: str, server: Supervised) -> socket.socket:
    """A connection on which this path was asked for. Raises CaptureError where nobody listens."""
    try:
        connection = socket.create_connection(address, timeout=ANSWER_SECONDS)
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {address[0]}\r\nConnection: close\r\n\r\n".encode())
    except OSError as error:
        words = f"nobody answers at {address[0]}:{address[1]} ({error.strerror or error}): {ABOUT}"
        raise CaptureError("window", words, log_tail=server.log.tail()) from error
    return connection


def _has_endpoint(address: tuple[str, int], path: str) -> bool:
    """Asks for what no other page answers so: a server may have a page for every path."""
    with suppress(OSError, HTTPException), socket.create_connection(address, timeout=1.0) as connection:
        connection.sendall(f"GET {path}/symbol HTTP/1.1\r\nHost: {address[0]}\r\nConnection: close\r\n\r\n".encode())
        with HTTPResponse(connection) as answer:
            answer.begin()
            return answer.read(12) == b"num_symbols:"
    return False


def _listed(ports: Iterable[int]) -> str:
    return ", ".join(map(str, ports)) or "none"
