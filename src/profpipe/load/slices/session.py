"""Slices over several open servers: each part of a slice lies between two readings of its server's CPU clock."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from profpipe.cpu_clock import TreeClock
from profpipe.load.slices.closed_loop import ClosedLoop
from profpipe.load.slices.connection import SliceError


@dataclass(frozen=True, slots=True)
class Slice:
    """One slice as it was measured. The lists have a value per part; a part begins and ends with nothing outstanding.

    `between_ns` = CPU the server used since the end of its slice before. `latency_us` = median and 99th percentile
    over the last part. `client_ns` = CPU of this process over all parts.
    """

    variant: int
    requests: list[int]
    cpu_ns: list[int]
    wall_ns: list[int]
    between_ns: int
    client_ns: int
    latency_us: list[float]


class Server:
    """One variant: its closed loop and the clock of its processes."""

    def __init__(self, index: int, spec: dict[str, Any], timeout: float) -> None:
        self.index = index
        self.clock = TreeClock(spec["root"])
        self.loop = ClosedLoop(
            spec["host"],
            spec["port"],
            request=spec["request"].encode("latin-1"),
            expected=spec["expected"],
            connections=spec["connections"],
            head=spec["head"],
            timeout=timeout,
        )
        self.last_ns = self.clock.read()

    def slice(self, parts: list[int]) -> Slice:
        """Load it with parts of so many requests each."""
        loop, read, now = self.loop, self.clock.read, time.perf_counter_ns
        loop.tidy()
        client = time.thread_time_ns()
        at = read()
        between, cpu, wall = at - self.last_ns, [], []
        for requests in parts:
            begun = now()
            loop.run(requests)
            ended = now()
            was, at = at, read()
            cpu.append(at - was)
            wall.append(ended - begun)
        self.last_ns = at
        client = time.thread_time_ns() - client
        return Slice(self.index, parts, cpu, wall, between, client, _latency_us(loop.latencies_ns))

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
        """{variants: [{root, host, port, request, expected, head, connections}], timeout} -> {}."""
        self.close()
        for index, spec in enumerate(command["variants"]):
            try:
                self.servers.append(Server(index, spec, command["timeout"]))
            except SliceError as error:
                return {"failed": {"variant": index, "reason": str(error)}}
        return {}

    def _slices(self, command: dict[str, Any]) -> dict[str, Any]:
        """{orders: [[variant, ...], ...], extra: the same shape, parts: [requests, ...], seconds} -> {slices, before,
        after, failed?}.

        The first part of a slice has so many `extra` requests. A pass that would begin after `seconds` is left out,
        with all behind it.
        """
        limit = time.monotonic() + command["seconds"]
        found: list[dict[str, Any]] = []
        answer: dict[str, Any] = {"slices": found, "before": [server.totals() for server in self.servers]}
        first, *later = command["parts"]
        for order, extra in zip(command["orders"], command["extra"], strict=True):
            if time.monotonic() >= limit:
                break
            for server in self.servers:
                server.clock.refresh()
            for index, more in zip(order, extra, strict=True):
                try:
                    found.append(asdict(self.servers[index].slice([first + more, *later])))
                except SliceError as error:
                    return answer | {"failed": {"variant": index, "reason": str(error)}}
        return answer | {"after": [server.totals() for server in self.servers]}

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
