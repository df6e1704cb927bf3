"""A load under way: its connections, its counts, and what happens when a request is answered or lost."""

from __future__ import annotations

import asyncio
import resource
import time
from array import array
from collections import Counter
from itertools import count
from typing import Any

from profpipe.load.client.connection import BAD_BODY, Connection
from profpipe.load.client.order import Order
from profpipe.load.exchange import dealt, filled, of_spec
from profpipe.load.feed import Feed, FeedEnded
from profpipe.tls import Trust, client_context

ORDER = "order"  # the seed of the order of several requests: the same in every run, so that runs compare
CONNECT_AT_ONCE = 64  # below the backlog of every server that listens with the usual 100 or 128

now = time.monotonic  # the clock of asyncio's timers


class Load:
    """A load under way: counts, and the rule of its mode for what a free connection does next."""

    def __init__(self, order: Order) -> None:
        self.host, self.port, self.order = order.host, order.port, order
        trust = Trust(**order.tls) if order.tls else None
        self.tls = (client_context(trust), trust.name) if trust else None
        self.exchanges = [of_spec(each) for each in order.asked]
        weights, total = [each["weight"] for each in order.asked], order.requests if order.mode == "count" else None
        dealing = dealt(self.exchanges, weights, ORDER, total)
        self.sequence = filled(self.exchanges, dealing, ORDER, count(order.first), Feed(order.feeder, order.first - 1))
        self.sent = self.served = self.outstanding = self.reconnects = self.interim = self.bytes_read = self.live = 0
        self.errors: Counter[str] = Counter()
        self.latencies = array("d")
        self.lateness = array("d")
        self.connections: list[Connection] = []
        self.started = self.last_sent = self.last_answer = self.seconds = self.cpu_s = 0.0
        self.running = self.over = False
        self.cut_short: str | None = None  # why it ended before its end
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.opening: set[asyncio.Task[None]] = set()

    # The rule of a mode.

    def asked(self) -> int:
        """How many requests this load was to make, or has made where the mode fixes no number."""
        raise NotImplementedError

    def work_left(self) -> bool:
        """Whether a request is still to be begun."""
        raise NotImplementedError

    def next(self, connection: Connection, at: float) -> None:
        """This connection is open and free: begin a request on it, or let it rest."""
        raise NotImplementedError

    def begin(self) -> None:
        """The window opens: every connection is open and free."""
        for connection in self.connections:
            if connection.transport is not None:
                self.next(connection, now())
            elif not connection.retired:
                self.closed(connection)

    def window(self) -> float:
        """Seconds the rate is computed over: from the start to the last answer."""
        return (self.last_answer or now()) - self.started

    # The life of a load.

    async def run(self) -> None:
        """Connect, load, and come back when every request is answered, lost, or given up."""
        loop = asyncio.get_running_loop()
        deadline = loop.call_later(self.order.timeout, self.give_up)
        self.connections = [Connection(self) for _ in range(min(self.order.connections, self.most_connections()))]
        await self.connect()
        before = resource.getrusage(resource.RUSAGE_SELF)
        self.started = now()
        if self.live and not self.over:
            self.running = True
            self.begin()
            await self.ended
        after = resource.getrusage(resource.RUSAGE_SELF)
        self.seconds = self.window()
        self.cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        deadline.cancel()
        self.close()

    async def connect(self) -> None:
        """Open every connection before the window; those still opening at the timeout count as not connected."""
        for first in range(0, len(self.connections), CONNECT_AT_ONCE):
            group = self.connections[first : first + CONNECT_AT_ONCE]
            opening = asyncio.gather(*(connection.open() for connection in group))
            either: set[asyncio.Future[Any]] = {opening, self.ended}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not opening.done():
                opening.cancel()
                self.errors["connect"] += sum(connection.transport is None for connection in group)
                return
            self.live += sum(opening.result())

    def most_connections(self) -> int:
        """Connections that would never carry a request are not opened."""
        return self.order.connections

    def give_up(self) -> None:
        """The plan's timeout: what is outstanding now counts as never answered."""
        for connection in self.connections:
            if connection.give_up():
                self.errors["timeout"] += 1
        self.end()

    def broke(self, context: dict[str, Any]) -> None:
        """A mistake of ours in a callback: without this the load would wait for its timeout in silence."""
        self.over = True
        if not self.ended.done():
            self.ended.set_exception(context.get("exception") or RuntimeError(context["message"]))

    def end(self) -> None:
        self.over = True
        if not self.ended.done():
            self.ended.set_result(None)

    def close(self) -> None:
        for connection in self.connections:
            connection.give_up()
        for task in self.opening:
            task.cancel()
        unsent = self.asked() - self.sent
        if unsent > 0:
            self.errors["not sent"] += unsent

    # What connections tell.

    def send(self, connection: Connection, begun: float) -> None:
        try:
            exchange = next(self.sequence)
        except FeedEnded as error:
            self.cut_short = str(error)
            if not self.outstanding:
                self.end()
            return
        self.sent += 1
        self.outstanding += 1
        connection.send(exchange, begun)

    def answered(self, connection: Connection, status: int) -> None:
        at = self.last_answer = now()
        self.outstanding -= 1
        exchange = connection.exchange
        if status in exchange.accepted:
            self.latencies.append(at - connection.begun)
            self.served += 1
        else:
            kind = connection.unexpected if status == BAD_BODY else f"status {status}"
            self.errors[f"{exchange.whose}{kind}"] += 1
        if connection.transport is not None:
            self.next(connection, at)
        else:
            self.closed(connection)

    def failed(self, connection: Connection, kind: str) -> None:
        """An outstanding request came to nothing; its connection is gone."""
        self.outstanding -= 1
        self.errors[kind] += 1
        self.closed(connection)

    def error(self, kind: str) -> None:
        self.errors[kind] += 1

    def closed(self, connection: Connection) -> None:
        """A connection without a request is gone: open it again while there is work for it."""
        if self.over or not self.running:
            return
        if self.work_left():
            self.reconnects += 1
            task = asyncio.get_running_loop().create_task(self._reopen(connection))
            self.opening.add(task)
            task.add_done_callback(self.opening.discard)
        elif not self.outstanding:
            self.end()

    async def _reopen(self, connection: Connection) -> None:
        if await connection.open():
            if connection.transport is not None and not self.over:  # else it was lost again and is being opened
                self.next(connection, now())
            return
        self.live -= 1
        if not self.live:
            self.end()
