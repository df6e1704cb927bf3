"""When the next request begins: a fixed number, a fixed rate, or as fast as it goes for a time."""

from __future__ import annotations

import asyncio
from collections import deque

from profpipe.load.client.connection import Connection
from profpipe.load.client.order import Order
from profpipe.load.client.schedule import Load, now


class Count(Load):
    """Exactly so many requests, each connection sending its next one when the last is answered. None is repeated:
    the server's instructions are divided by this number."""

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        self.left = order.requests

    def most_connections(self) -> int:
        return min(self.order.connections, self.order.requests)

    def asked(self) -> int:
        return self.order.requests

    def work_left(self) -> bool:
        return self.left > 0

    def next(self, connection: Connection, at: float) -> None:
        if self.left > 0:
            self.left -= 1
            self.send(connection, at)
        elif not self.outstanding:
            self.end()


class Closed(Load):
    """As fast as it goes until `duration` is over; requests under way then are waited for."""

    def asked(self) -> int:
        return self.sent

    def work_left(self) -> bool:
        return now() < self.started + self.order.duration

    def next(self, connection: Connection, at: float) -> None:
        if at < self.started + self.order.duration:
            self.send(connection, at)
        elif not self.outstanding:
            self.end()


class Rate(Load):
    """An open loop: request i is meant to begin at start + i / rate, whatever the server does. Its latency counts
    from there, so that a slow server cannot hide the requests it kept from being sent (coordinated omission)."""

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        self.total = max(1, round(order.rate * order.duration))
        self.index = 0
        self.idle: deque[Connection] = deque()
        self.timer: asyncio.TimerHandle | None = None

    def most_connections(self) -> int:
        return min(self.order.connections, self.total)

    def asked(self) -> int:
        return self.total

    def work_left(self) -> bool:
        return self.index < self.total

    def window(self) -> float:
        """The sending took n / rate unless it fell behind; a slow last answer is latency, not a lower rate."""
        planned = self.total / self.order.rate
        if self.sent < self.total:
            return max(planned, now() - self.started)
        return max(planned, self.last_sent - self.started + 1 / self.order.rate)

    def due(self) -> float:
        return self.started + self.index / self.order.rate

    def begin(self) -> None:
        super().begin()  # request 0 is due at once, the rest find their timer

    def next(self, connection: Connection, at: float) -> None:
        if self.index < self.total and self.due() <= at:
            if self.idle:  # a connection was free when it was due: this delay is the client's own
                self.lateness.append(at - self.due())
            self._send_due(connection, at)
            return
        self.idle.append(connection)
        if self.index < self.total:
            self._arm()
        elif not self.outstanding:
            self.end()

    def closed(self, connection: Connection) -> None:
        if connection in self.idle:
            self.idle.remove(connection)
        super().closed(connection)

    def tick(self) -> None:
        """Send what is due as long as a connection is free. Late here = the client's own lag."""
        self.timer = None
        while self.idle and self.index < self.total:
            at = now()
            if self.due() > at:
                self._arm()
                return
            self.lateness.append(at - self.due())
            self._send_due(self.idle.popleft(), at)

    def _send_due(self, connection: Connection, at: float) -> None:
        due = self.due()
        self.index += 1
        self.last_sent = at
        self.send(connection, due)

    def _arm(self) -> None:
        if self.timer is None:
            self.timer = asyncio.get_running_loop().call_at(self.due(), self.tick)


MODES: dict[str, type[Load]] = {"count": Count, "rate": Rate, "closed": Closed}
