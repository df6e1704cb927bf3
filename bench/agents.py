"""What do Go's and Node's own profilers cost a server? `python -m bench.agents [INSTRUMENT...] [--pairs N]`

One server process of targets/go or targets/node is asked the same requests in many short windows, in turn with the
profiler and without it (ABBA). The processor time of a request with the profiler, divided by that of the window beside
it without, is free of what differs between two starts, and of most of what else the machine does. Opening and closing
the profiler is not in the windows. Printed: the median of the ratios, and an interval that holds it in 95 of 100 cases.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scipy.stats import binom

from bench.causes.table import FOLDERS
from profpipe.capture import profiler
from profpipe.capture.interface import Session, Window
from profpipe.capture.launch import prepare
from profpipe.capture.server.ports import LOOPBACK, free_port
from profpipe.capture.server.process import Supervised
from profpipe.capture.server.ready import Waiting
from profpipe.cpu_clock import clock_id
from profpipe.study.read import read_study_file
from profpipe.study.requests import Request

# Instrument -> language and target that it is tried on, requests of a window.
SERVERS = {
    "go-cpu": ("go", "http-std", 1500),
    "go-contention": ("go", "http-std", 1500),
    "go-block": ("go", "http-std", 1500),
    "go-allocs": ("go", "http-std", 200),
    "node-cpu": ("node", "plain", 1500),
    "node-heap": ("node", "plain", 1500),
    "node-calls": ("node", "plain", 500),
}
WARM_UP = 10_000
ASKED = b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n"


@dataclass(slots=True)
class Running:
    """A server with the agent in it, and the connection on which it is asked."""

    session: Session
    server: Supervised
    connection: socket.socket

    def ask(self, requests: int) -> None:
        for _ in range(requests):
            self.connection.sendall(ASKED)
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += self.connection.recv(65536)
            head, _, body = answer.partition(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            left = length - len(body)
            while left > 0:
                left -= len(self.connection.recv(left))

    def cpu_ns(self, requests: int) -> int:
        """What so many requests cost the server's processes."""
        clocks = [clock_id(pid) for pid in self.server.tree()]
        before = sum(map(time.clock_gettime_ns, clocks))
        self.ask(requests)
        return sum(map(time.clock_gettime_ns, clocks)) - before

    def profiled_ns(self, requests: int) -> int:
        self.session.open(self.server)
        used = self.cpu_ns(requests)
        self.session.close(self.server, Window(None, requests))
        folder = self.session.scratch
        for name in ("started", "saved"):  # a window of the Go agent is answered by files, once a run
            for path in folder.glob(f"{name}.*") if folder else ():
                path.unlink()
        return used


@contextmanager
def running(instrument: str) -> Iterator[Running]:
    language, name, _ = SERVERS[instrument]
    folder = FOLDERS[language]
    target = read_study_file(folder / "profpipe.toml").file.target[name]
    with tempfile.TemporaryDirectory() as raw, tempfile.TemporaryDirectory() as scratch:
        port = free_port()
        paths = {"root": folder, "raw": Path(raw), "scratch": Path(scratch)}
        launch = prepare(target, port, **paths, options={}, cpus=None)
        session = profiler(instrument).session(launch)
        try:
            with Supervised(
                session.argv, env=session.env, cwd=launch.cwd, cpus=None, scratch=session.scratch
            ) as server:
                Waiting(server, target, port, Request(), 30.0).wait()
                with socket.create_connection((LOOPBACK, port), timeout=60) as connection:
                    yield Running(session, server, connection)
        finally:
            session.abandon()


def ratios(instrument: str, pairs: int) -> list[float]:
    requests = SERVERS[instrument][2]
    with running(instrument) as at:
        at.ask(WARM_UP)
        at.profiled_ns(requests)
        found = []
        for number in range(pairs):
            if number % 2:
                profiled = at.profiled_ns(requests)
                found.append(profiled / at.cpu_ns(requests))
            else:
                alone = at.cpu_ns(requests)
                found.append(at.profiled_ns(requests) / alone)
    return found


def interval(values: list[float]) -> tuple[float, float]:
    """Of the median, by the order of the values alone: which of them it lies between in 95 of 100 cases."""
    ordered = sorted(values)
    out = int(binom.ppf(0.025, len(ordered), 0.5))
    return ordered[max(out - 1, 0)], ordered[min(len(ordered) - out, len(ordered) - 1)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.agents", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("instruments", nargs="*", default=["go-cpu", "node-cpu"], choices=[*SERVERS, []])
    parser.add_argument("--pairs", type=int, default=60)
    arguments = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors, {arguments.pairs} pairs of windows")
    for instrument in arguments.instruments:
        found = ratios(instrument, arguments.pairs)
        least, most = interval(found)
        print(
            f"{instrument:<14} {statistics.median(found):.3f} times the CPU time ({least:.3f} to {most:.3f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
