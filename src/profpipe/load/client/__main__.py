"""One line of JSON on stdin, one on stdout: the built-in generator's process."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
import resource
import select
import selectors
import sys
from pathlib import Path
from typing import Any

import httptools

from profpipe.load.client.modes import MODES
from profpipe.load.client.order import Order
from profpipe.load.client.schedule import Load
from profpipe.model.run import Histogram

EXIT_PARENT_DIED = 3


class FineSelector(selectors.EpollSelector):
    """epoll waits in whole milliseconds, which would make half of all requests of a fixed rate late by one.

    select() waits in microseconds, and the epoll descriptor itself can be waited for.
    """

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        if timeout >= 0.002:
            return super().select(timeout - 0.001)  # it wakes a little early and comes back for the rest
        select.select([self.fileno()], [], [], timeout)
        return super().select(0)


def main() -> None:
    """Read the order, run the load, write what it gave."""
    order = json.loads(sys.stdin.buffer.readline())
    prepare(order["connections"])
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(FineSelector())) as runner:
        load = runner.run(perform(Order(**order)))
        json.dump(result(load), sys.stdout)


def prepare(connections: int) -> None:
    """Descriptors for every connection, timers without the kernel's 50 us of slack, no collector pauses."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + 64
    if soft != resource.RLIM_INFINITY and soft < wanted:
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    with contextlib.suppress(OSError):
        Path("/proc/self/timerslack_ns").write_text("1000")
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    gc.freeze()


async def perform(order: Order) -> Load:
    """Run the load of the order's mode; die when the parent does, whose end closes our stdin."""
    loop = asyncio.get_running_loop()
    loop.set_debug(False)
    with contextlib.suppress(PermissionError):  # a plain file as stdin cannot be watched and never ends early
        loop.add_reader(sys.stdin.fileno(), lambda: os._exit(EXIT_PARENT_DIED))
    load = MODES[order.mode](order)
    loop.set_exception_handler(lambda _, context: load.broke(context))
    await load.run()
    return load


def result(load: Load) -> dict[str, Any]:
    """What the parent reads: counts, the histogram as [microseconds, count], seconds."""
    latency = Histogram.of(value * 1e6 for value in load.latencies)
    late = sorted(load.lateness)
    return {
        "httptools": httptools.__version__,
        "connections": len(load.connections),
        "asked": load.asked(),
        "sent": load.sent,
        "served": load.served,
        "seconds": load.seconds,
        "errors": dict(load.errors),
        "bytes_read": load.bytes_read,
        "reconnects": load.reconnects,
        "interim": load.interim,
        "cut_short": load.cut_short,
        "cpu_s": load.cpu_s,
        "lateness_p99_us": late[-(-len(late) * 99 // 100) - 1] * 1e6 if late else None,
        "latency": list(zip(latency.values_us, latency.counts, strict=True)),
    }


if __name__ == "__main__":
    main()
