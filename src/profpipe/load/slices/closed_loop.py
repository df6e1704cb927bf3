"""A closed loop over the open connections of one server: as soon as an answer is read, the next request is sent."""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any

from profpipe.load.exchange import Exchange
from profpipe.load.expected import shown
from profpipe.load.slices.connection import RECEIVE_BYTES, Connection, SliceError
from profpipe.tls import Trust, client_context

EXIT_PARENT_DIED = 3
STDIN = 0
# A server may close a connection at the moment a request is sent on it, which is sent again then; many are a fault.
LOST_FEW, LOST_SHARE = 5, 0.02


class _ParentDied:
    """Stands among the connections for stdin, whose end means that the parent is gone."""

    def recv(self, _: int) -> bytes:
        os._exit(EXIT_PARENT_DIED)


class ClosedLoop:
    """The load on one server. It counts; it times only the latencies: clocks are read by who calls it.

    Raises SliceError when the server hangs, refuses connections, closes too many of them unanswered, or answers with
    another status than those accepted. `reconnects` counts connections that the server closed.

    All but the first are opened when a request is to be sent on them, and opened again only then: a server that serves
    one connection at a time, as gunicorn's sync worker does, would wait for a request on one that rests.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        exchanges: Sequence[Exchange],
        connections: int,
        timeout: float,
        trust: Trust | None = None,
    ) -> None:
        self.exchanges, self.timeout = tuple(exchanges), timeout
        self.served = self.reconnects = self.lost = self.body_bytes = 0
        self.latencies_ns: list[int] = []
        self._epoll = select.epoll()
        self._by_fd: dict[int, Any] = {STDIN: _ParentDied()}
        with contextlib.suppress(PermissionError):  # a plain file as stdin never ends early
            self._epoll.register(STDIN, 0)  # without events: only its end is reported
        first, tls = self.exchanges[0], None if trust is None else (client_context(trust), trust)
        keeps_body = any(each.expected for each in self.exchanges)
        self.connections = [
            Connection(host, port, first, timeout=timeout, tls=tls, keeps_body=keeps_body) for _ in range(connections)
        ]
        self._open(self.connections[0])

    def _open(self, connection: Connection) -> None:
        connection.open()
        fd = connection.socket.fileno()
        self._by_fd[fd] = connection
        self._epoll.register(fd, select.EPOLLIN)

    def close(self) -> None:
        for connection in self.connections:
            connection.close()
        self._epoll.close()

    def tidy(self) -> None:
        """Between slices: close what the server has closed meanwhile. SliceError for unrequested bytes."""
        for fd, _ in self._epoll.poll(0):
            connection = self._by_fd[fd]
            try:
                data = connection.recv(RECEIVE_BYTES)
            except BlockingIOError:  # nothing but what TLS says for itself, such as a ticket to resume a session by
                continue
            except OSError:
                data = b""
            if data:
                raise SliceError(f"it sent bytes that no request asked for: {data[:60]!r}")
            self._close(connection)

    def run(self, requests: int, sequence: Iterator[Exchange] | None = None) -> None:
        """Send `requests` requests and read their answers; nothing is outstanding before or after.

        They are the next of `sequence`; without one, always the first request.

        All answers that have come are read before the next requests are sent, one each, so that a server on the same
        processor wakes up as often as under wrk: 0.24 context switches a request here, 0.37 when taking turns. A
        latency is measured from before the sends of its batch to before the reads of the batch it comes in.
        """
        ready, sequence = self.connections[:requests], sequence or repeat(self.exchanges[0])
        unsent, answered, bodies, self.latencies_ns = requests - len(ready), 0, 0, []
        add, now, poll, by_fd = self.latencies_ns.append, time.perf_counter_ns, self._epoll.poll, self._by_fd
        most = len(self.connections) + 1
        while answered < requests:
            self._send(ready, sequence, now())
            events = poll(self.timeout, most)
            at = now()
            ready = []
            for fd, _ in events or self._hung():
                connection = by_fd[fd]
                try:
                    data = connection.recv(RECEIVE_BYTES)
                except BlockingIOError:
                    continue
                except OSError:
                    data = b""
                exchange = connection.exchange
                if data == exchange.verified and connection.fresh and connection.waiting:
                    bodies += exchange.verified_body
                elif not self._read(connection, data):
                    continue
                add(at - connection.begun)
                ready.append(connection)
            answered += len(ready)
            for connection in ready[unsent:]:
                connection.waiting = False
            del ready[unsent:]
            unsent -= len(ready)
        self.served += answered
        self.body_bytes += bodies

    def _send(self, ready: list[Connection], sequence: Iterator[Exchange], at: int) -> None:
        """The next request of the sequence on each; their latencies count from `at`."""
        for connection, exchange in zip(ready, sequence, strict=False):
            connection.exchange, connection.head = exchange, exchange.head
            connection.begun, connection.waiting = at, True
            if connection.closed:
                self._open(connection)
            try:
                connection.send(exchange.request)
            except OSError:
                self._lose(connection)

    def _hung(self) -> list[tuple[int, int]]:
        waiting = sum(connection.waiting for connection in self.connections)
        names = {connection.exchange.whose for connection in self.connections if connection.waiting}
        whose = names.pop() if len(names) == 1 else ""
        raise SliceError(f"{whose}it gave no answer for {self.timeout:g} s ({waiting} requests outstanding)")

    def _read(self, connection: Connection, data: bytes) -> bool:
        """What is not the usual answer in one piece; True when an answer has ended with it."""
        if not connection.waiting:
            if data:
                raise SliceError(f"it sent bytes that no request asked for: {data[:60]!r}")
            self._close(connection)
            return False
        if not data:
            if not connection.ended_by_close():
                self._lose(connection)
                return False
            self._check(connection)
            self._close(connection)
            return True
        whole = connection.fresh
        if not connection.feed(data):
            if time.perf_counter_ns() - connection.begun > self.timeout * 1e9:
                raise SliceError(f"{connection.exchange.whose}an answer was not complete after {self.timeout:g} s")
            return False
        self._check(connection)
        exchange, status, body = connection.exchange, connection.status, connection.body_bytes
        if not connection.after_response() or exchange.closing:
            self._close(connection)
        elif whole:
            exchange.verify(data, status, body)
        return True

    def _check(self, connection: Connection) -> None:
        exchange = connection.exchange
        if connection.status not in exchange.accepted:
            words = f"it answered with status {connection.status}, {exchange.wanted} was expected"
            raise SliceError(exchange.whose + words)
        if exchange.expected is not None and (why := connection.fault(exchange.expected)) is not None:
            raise SliceError(f"{exchange.whose}it answered with an {why}{shown(connection.body)}")
        self.body_bytes += connection.body_bytes

    def _lose(self, connection: Connection) -> None:
        """The connection ended with its request unanswered: once more on a new one, but not for ever."""
        self.lost += 1
        if self.lost > max(LOST_FEW, LOST_SHARE * self.served):
            raise SliceError(f"it closed {self.lost} connections without an answer")
        self._close(connection)
        self._open(connection)
        connection.begun = time.perf_counter_ns()
        try:
            connection.send(connection.exchange.request)
        except OSError:
            self._lose(connection)

    def _close(self, connection: Connection) -> None:
        self.reconnects += 1
        fd = connection.socket.fileno()
        self._epoll.unregister(fd)
        del self._by_fd[fd]
        connection.close()
