"""One keep-alive connection with at most one request outstanding; every answer on it is checked."""

from __future__ import annotations

import socket
import ssl
import struct
import time
from collections.abc import Callable

import httptools

from profpipe.connecting import connected
from profpipe.load.exchange import Exchange
from profpipe.load.response import Response
from profpipe.tls import Channel, Trust, why

CONNECT_TRIES = 3
RETRY_AFTER_S = 0.02
RECEIVE_BYTES = 65_536  # from 128 KiB on, malloc maps the buffer afresh for every read: 10 us


class SliceError(Exception):
    """A server did what no measurement can be made of; the text is for the report."""


class Connection(Response):
    """A blocking socket, read when epoll says that there is something."""

    __slots__ = (
        "_host",
        "_port",
        "_timeout",
        "_tls",
        "begun",
        "closed",
        "exchange",
        "recv",
        "send",
        "socket",
        "waiting",
    )

    def __init__(
        self,
        host: str,
        port: int,
        exchange: Exchange,
        *,
        timeout: float,
        tls: tuple[ssl.SSLContext, Trust] | None = None,
        keeps_body: bool = False,
    ) -> None:
        """It is closed until `open` is called. `exchange` = the request outstanding, or the one before."""
        super().__init__(head=exchange.head, keeps_body=keeps_body)
        self.exchange = exchange
        self._host, self._port, self._timeout, self._tls = host, port, timeout, tls
        self.begun = 0  # perf_counter_ns when the request outstanding was sent
        self.waiting = False
        self.closed = True

    def open(self) -> None:
        """Connect, with a few tries, and forget what was half read. SliceError when the server refuses."""
        for left in reversed(range(CONNECT_TRIES)):
            try:
                self.socket = connected(self._host, self._port, self._timeout)
                break
            except OSError as error:
                if not left:
                    raise SliceError(f"it refuses connections: {error.strerror or error}") from error
                time.sleep(RETRY_AFTER_S)
        # Python waits with a second system call where a socket has a time-out; the kernel's own needs none.
        self.socket.settimeout(None)
        limit = struct.pack("ll", int(self._timeout), int(self._timeout % 1 * 1e6))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        self.recv: Callable[[int], bytes] = self.socket.recv
        self.send: Callable[[bytes], None] = self.socket.sendall
        if self._tls is not None:
            self._shake_hands(*self._tls)
        self.closed = False
        self.begin_connection()

    def _shake_hands(self, context: ssl.SSLContext, trust: Trust) -> None:
        try:
            channel = Channel(self.socket, context, trust.name, RECEIVE_BYTES)
        except OSError as error:
            self.socket.close()
            raise SliceError(why(error, trust)) from error
        self.recv, self.send = channel.recv, channel.send

    def feed(self, data: bytes) -> bool:
        """Parse; True when the answer has ended. SliceError for what is no answer or more than one."""
        self.fresh = False
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise SliceError(f"it answered with something that is not HTTP: {error or data[:60]!r}") from error
        if self.extra:
            raise SliceError("it sent more than one answer to one request")
        return self.complete

    def close(self) -> None:
        if not self.closed:
            self.socket.close()
        self.closed = True
