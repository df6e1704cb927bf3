"""Slices over several open servers: each part of a slice lies between two readings of its server's CPU clock."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import count, repeat
from typing import Any

from profpipe.cpu_clock import TreeClock
from profpipe.load.exchange import Exchange, deck, filled, of_spec
from profpipe.load.feed import Feed
from profpipe.load.slices.closed_loop import ClosedLoop
from profpipe.load.slices.connection import SliceError
from profpipe.tls import Trust


@dataclass(frozen=True, slots=True)
class Slice:
    """One slice as it was measured. The lists have a value per part; a part begins and ends with nothing outstanding.

    `between_ns` = CPU the server used since the end of its slice before. `latency_us` = median and 99th percentile
    over the last part. `client_ns` = CPU of this process over all parts. `route` = the request that was sent, None =
    all by their weights; `sent` = how often each was sent in the last part.
    """

    variant: int
    route: int | None
    sent: list[int]
    requests: list[int]
    cpu_ns: list[int]
    wall_ns: list[int]
    between_ns: int
    client_ns: int
    latency_us: list[float]


class Server:
    """One variant: its closed loop and the clock of its processes."""

    def __init__(self, index: int, spec: dict[str, Any], timeout: float, numbers: Iterator[int], rows: Feed) -> None:
        self.numbers, self.rows = numbers, rows  # of {seq} and {csv:...}
        self.index = index
        self.clock = TreeClock(spec["root"])
        self.weights = [each["weight"] for each in spec["asked"]]
        self.loop = ClosedLoop(
            spec["host"],
            spec["port"],
            exchanges=[of_spec(each) for each in spec["asked"]],
            connections=spec["connections"],
            timeout=timeout,
            trust=Trust(**spec["tls"]) if spec.get("tls") else None,
        )
        self.last_ns = self.clock.read()

    def _sequences(self, parts: list[int], route: int | None, seed: str) -> list[tuple[Iterator[Exchange], list[int]]]:
        """For each part what is sent, and how often each request is."""
        exchanges = self.loop.exchanges
        if len(exchanges) == 1 or route is not None:
            place = route or 0
            return [(repeat(exchanges[place]), [n * (i == place) for i in range(len(exchanges))]) for n in parts]
        decks = [deck(self.weights, many, f"{seed} {part}") if many else [] for part, many in enumerate(parts)]
        return [(iter([exchanges[i] for i in each]), [each.count(i) for i in range(len(exchanges))]) for each in decks]

    def slice(self, parts: list[int], route: int | None = None, seed: str = "") -> Slice:
        """Load it with parts of so many requests each: of one route, or of all in an order drawn from `seed`."""
        loop, read, now = self.loop, self.clock.read, time.perf_counter_ns
        sequences = [
            (filled(loop.exchanges, sequence, f"{seed} {part}", self.numbers, self.rows), sent)
            for part, (sequence, sent) in enumerate(self._sequences(parts, route, seed))
        ]
        loop.tidy()
        client = time.thread_time_ns()
        at = read()
        between, cpu, wall = at - self.last_ns, [], []
        for requests, (sequence, _) in zip(parts, sequences, strict=True):
            begun = now()
            loop.run(requests, sequence)
            ended = now()
            was, at = at, read()
            cpu.append(at - was)
            wall.append(ended - begun)
        self.last_ns = at
        client = time.thread_time_ns() - client
        latency = _latency_us(loop.latencies_ns)
        return Slice(self.index, route, sequences[-1][1], parts, cpu, wall, between, client, latency)

    def totals(self) -> dict[str, Any]:
        """Counts since the connections were opened, and what the living threads have switched."""
        loop = self.loop
        return {
            "served": loop.served,
            "body_bytes": loop.body_bytes,
            "reconnects": loop.reconnects,
            "lost": loop.lost,
            "processes": self.clock.processes,
            "ended": self.clock.ended,
            "switches": self.clock.switches(),
        }


def _latency_us(latencies_ns: list[int]) -> list[float]:
    ordered = sorted(latencies_ns)
    last = len(ordered) - 1
    return [ordered[last // 2] / 1000, ordered[last * 99 // 100] / 1000] if ordered else []


class Session:
    """The servers of one start. Every command is a dict with `do`, every answer a dict; SliceError is an answer."""

    def __init__(self) -> None:
        self.servers: list[Server] = []
        # They go on when connections are opened again.
        self.numbers: dict[int, Iterator[int]] = defaultdict(lambda: count(1))
        self.feeds: dict[int, Feed] = {}
        self.services: dict[str, TreeClock] = {}

    def answer(self, command: dict[str, Any]) -> dict[str, Any]:
        """Carry out one command: open, slices, idle."""
        commands = {"open": self._open, "slices": self._slices, "idle": self._idle}
        return commands[command["do"]](command)

    def close(self) -> None:
        """Let go of every connection."""
        for server in self.servers:
            server.loop.close()
        self.servers = []

    def _open(self, command: dict[str, Any]) -> dict[str, Any]:
        """{variants: [{root, host, port, tls: Trust or null, asked: [exchange.of_spec with weight],
        feeder: feed.Feed or null, connections}], services: {name: root}, timeout} -> {}."""
        self.close()
        self.services = {name: TreeClock(root) for name, root in command.get("services", {}).items()}
        for index, spec in enumerate(command["variants"]):
            try:
                rows = self.feeds.setdefault(index, Feed(spec.get("feeder")))
                self.servers.append(Server(index, spec, command["timeout"], self.numbers[index], rows))
            except SliceError as error:
                return {"failed": {"variant": index, "reason": str(error)}}
        return {}

    def _slices(self, command: dict[str, Any]) -> dict[str, Any]:
        """{orders: [[variant, ...], ...], extra: the same shape, blocks: [{route, parts: [requests, ...]}, ...],
        seconds, seed} -> {slices, before, after, failed?}; each slice has services_ns, the CPU of each service in it.

        Each pass has a block. The first part of a slice has so many `extra` requests. The order of several routes is
        the same for all variants of a pass. A pass that would begin after `seconds` is left out, with all behind it.
        """
        limit = time.monotonic() + command["seconds"]
        found: list[dict[str, Any]] = []
        answer: dict[str, Any] = {"slices": found, "before": [server.totals() for server in self.servers]}
        passes = zip(command["orders"], command["extra"], command["blocks"], strict=True)
        for number, (order, extra, block) in enumerate(passes):
            if time.monotonic() >= limit:
                break
            for server in self.servers:
                server.clock.refresh()
            first, *later = block["parts"]
            for index, more in zip(order, extra, strict=True):
                seed = f"{command['seed']} {number}"
                begun = self._services_ns()
                try:
                    one = self.servers[index].slice([first + more, *later], block["route"], seed)
                    used = {name: ns - begun[name] for name, ns in self._services_ns().items()}
                    found.append({**asdict(one), "services_ns": used})
                except SliceError as error:
                    return answer | {"failed": {"variant": index, "reason": str(error)}}
        return answer | {"after": [server.totals() for server in self.servers]}

    def _services_ns(self) -> dict[str, int]:
        """CPU of each service so far; looks for its processes as well, for a database starts one for a connection."""
        for clock in self.services.values():
            clock.refresh()
        return {name: clock.read() for name, clock in self.services.items()}

    def _idle(self, command: dict[str, Any]) -> dict[str, Any]:
        """{seconds} -> {cpu_ns: [a value per variant], wall_ns}: what the servers use while no request comes."""
        before, begun = [self._read(server) for server in self.servers], time.perf_counter_ns()
        time.sleep(command["seconds"])
        after = [self._read(server) for server in self.servers]
        wall = time.perf_counter_ns() - begun
        for server, at in zip(self.servers, after, strict=True):
            server.last_ns = at
        return {"cpu_ns": [now - was for now, was in zip(after, before, strict=True)], "wall_ns": wall}

    @staticmethod
    def _read(server: Server) -> int:
        server.clock.refresh()
        return server.clock.read()
