"""Requests one after another over one connection, by http.client of the standard library."""

from __future__ import annotations

import http.client
import platform
import time
from collections import Counter
from pathlib import Path

from profpipe.load.doubts import Doubt, with_doubts
from profpipe.load.interface import Cpus
from profpipe.load.plan import address, headers
from profpipe.model.run import Histogram, LoadResult
from profpipe.study.schema import LoadPlan

MODES = frozenset({"count"})
PROGRAM = None


def missing() -> str | None:
    return None


def refuses(plan: LoadPlan) -> str | None:
    if plan.mode != "count":
        return "it sends a fixed number of requests only"
    if plan.connections != 1:
        return f"it has one connection, and the plan asks for {plan.connections}"
    return None


def run(plan: LoadPlan, host: str, port: int, *, cpus: Cpus, folder: Path) -> LoadResult:
    """A request is served when its whole response was read and has the expected status."""
    latencies: list[float] = []
    errors: Counter[str] = Counter()
    connection = http.client.HTTPConnection(host, port, timeout=plan.timeout)
    begun, cpu = time.monotonic(), time.thread_time()
    sent = 0
    while sent < plan.requests and time.monotonic() - begun < plan.timeout:
        sent += 1
        start = time.monotonic()
        failure = _failure(connection, plan, address(host, port))
        if failure is None:
            latencies.append((time.monotonic() - start) * 1e6)
        else:
            errors[failure] += 1
    connection.close()
    served = len(latencies)
    result = LoadResult(
        tool="one-by-one",
        version=f"http.client of Python {platform.python_version()}",
        command=(),
        loop="closed",
        correction="none",
        connections=1,
        threads=1,
        served=served,
        seconds=time.monotonic() - begun,
        sent=sent,
        failed=plan.requests - served,
        errors=dict(errors),
        latency=Histogram.of(latencies),
        client_cpu_s=time.thread_time() - cpu,
    )
    where = f"processors {', '.join(map(str, cpus))}"
    return with_doubts(result, [Doubt(f"it runs in profpipe's own process and was not put on {where}")] if cpus else [])


def _failure(connection: http.client.HTTPConnection, plan: LoadPlan, host: str) -> str | None:
    """Send one request and read its response; the kind of error, None when it was served."""
    request = plan.request
    try:
        connection.request(
            request.method, request.path, request.body.encode() or None, {"Host": host, **dict(headers(request))}
        )
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        return type(error).__name__
    return None if response.status == request.status else f"status {response.status}"
