"""One keep-alive connection with at most one request outstanding, and what its responses say."""

from __future__ import annotations

import asyncio
import ssl
from typing import Protocol

import httptools

from profpipe.connecting import at_socket
from profpipe.load.exchange import Exchange
from profpipe.load.response import Response

CONNECT_TRIES = 3
RETRY_AFTER_S = 0.05
UNANSWERED_PAUSE_S = 0.01  # before opening again what was closed without one answer: no storm on a broken server
# asyncio reads into 256 KiB. From 128 KiB on malloc maps and unmaps memory for every read, some 10 us of each request.
READ_BYTES = 65_536
# In place of a status that is accepted.
BAD_BODY = -1


class Load(Protocol):
    """What a connection knows of the load that it belongs to (`schedule.Load`), and what it reports to it."""

    host: str
    port: int
    tls: tuple[ssl.SSLContext, str] | None  # the context, and the name that the server is told
    exchanges: list[Exchange]
    bytes_read: int
    interim: int  # responses with status 1xx, but for those of the fast path

    def answered(self, connection: Connection, status: int) -> None:
        """The outstanding request has its whole response; BAD_BODY for one whose body is not as expected."""

    def failed(self, connection: Connection, kind: str) -> None:
        """The outstanding request will have no response; the connection is closed."""

    def error(self, kind: str) -> None:
        """Something went wrong that no request was waiting for."""

    def closed(self, connection: Connection) -> None:
        """The connection was closed while no request was outstanding."""


class Connection(Response, asyncio.Protocol):
    """Sends when the load calls `send`, and reports the result to it. The load opens it again after a close.

    Fast path: where the parser is `fresh`, a read that equals the last verified response byte for byte is that
    response, since a request is always the same. A new Date header makes the bytes differ, and the parser runs.
    """

    def __init__(self, load: Load) -> None:
        super().__init__(head=False, keeps_body=any(each.expected for each in load.exchanges))
        self.load = load
        self.exchange = load.exchanges[0]  # the request outstanding, or the one before
        self.transport: asyncio.Transport | None = None
        self.waiting = False  # a request is outstanding
        self.retired = False  # the server takes it no more
        self.useful = True  # it has answered since it was opened
        self.unexpected: str | None = None  # what was wrong with the last body that was not as expected
        self.begun = 0.0  # when its latency begins: sent, or meant to be sent

    async def open(self) -> bool:
        """Connect, with a few tries; False when the server does not take connections any more."""
        if not self.useful:
            await asyncio.sleep(UNANSWERED_PAUSE_S)
        self.useful = False
        for left in reversed(range(CONNECT_TRIES)):
            context, name = self.load.tls or (None, None)
            try:
                await self._connect(asyncio.get_running_loop(), context, name)
            except OSError:
                self.load.error("connect")
                if left:
                    await asyncio.sleep(RETRY_AFTER_S)
            else:
                return True
        self.retired = True
        return False

    async def _connect(self, loop: asyncio.AbstractEventLoop, context: ssl.SSLContext | None, name: str | None) -> None:
        host, port = self.load.host, self.load.port
        if at_socket(host):
            await loop.create_unix_connection(lambda: self, host, ssl=context, server_hostname=name)
        else:
            await loop.create_connection(lambda: self, host, port, ssl=context, server_hostname=name)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.max_size = READ_BYTES  # type: ignore[attr-defined]
        self.transport = transport
        self.begin_connection()

    def send(self, exchange: Exchange, begun: float) -> None:
        """Hand one request to the socket; its latency counts from `begun`."""
        self.exchange, self.head = exchange, exchange.head
        self.begun = begun
        self.waiting = True
        assert self.transport is not None
        self.transport.write(exchange.request)

    def data_received(self, data: bytes) -> None:
        load = self.load
        load.bytes_read += len(data)
        if self.fresh and self.waiting:
            if data == self.exchange.verified:
                self.waiting = False
                self.useful = True
                load.answered(self, self.exchange.verified_status)
                return
        elif not self.waiting:
            self._reject()  # unrequested bytes: what follows could be mistaken for an answer
            return
        whole = self.fresh
        self.fresh = False
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._reject()
            return
        if self.extra:
            self._reject()
        elif self.complete:
            self._finish(data if whole else None)

    def _finish(self, whole: bytes | None) -> None:
        """A response has ended. `whole` = its bytes when they came in one read: the next fast path."""
        exchange, status, body_bytes = self.exchange, self.status, self.body_bytes
        if exchange.expected is not None:
            status = self._judged()
        self.useful = True
        self.waiting = False
        if not self.after_response() or exchange.closing:
            self._leave()
        elif whole is not None and status in exchange.accepted:
            exchange.verify(whole, status, body_bytes)
        self.load.answered(self, status)

    def _judged(self) -> int:
        """The status of the answer, BAD_BODY where the status is accepted and the body is not."""
        if self.status not in self.exchange.accepted or (why := self.fault(self.exchange.expected)) is None:
            return self.status
        self.unexpected = why
        return BAD_BODY

    def _reject(self) -> None:
        self._leave()
        if self.waiting:
            self.waiting = False
            self.load.failed(self, "bad response")
        else:
            self.load.error("unasked bytes")
            self.load.closed(self)

    def _leave(self) -> None:
        """Let go of the transport; its connection_lost is then nobody's news."""
        transport, self.transport = self.transport, None
        if transport is not None:
            transport.abort()

    def eof_received(self) -> None:
        """A body without a length ends with the connection: only here is such a response complete."""
        if self.waiting and self.transport is not None and self.ended_by_close():
            self._leave()
            self.waiting = False
            self.useful = True
            self.load.answered(self, self._judged())

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the name asyncio calls it by
        if self.transport is None:
            return
        self.transport = None
        if self.waiting:
            self.waiting = False
            self.load.failed(self, "reset")
        else:
            self.load.closed(self)

    def give_up(self) -> bool:
        """Close at the end of the load; True when a request was still outstanding."""
        self._leave()
        outstanding, self.waiting = self.waiting, False
        return outstanding

    def on_interim(self) -> None:
        self.load.interim += 1
