"""vegeta: `vegeta report -type=json`. A constant rate, whatever the server does; latencies count from the send.

It starts more workers when all wait, so that its number of connections is not fixed.
"""

from __future__ import annotations

from typing import Any

from profpipe.load.results.parts import json_object, percentiles, reading, statuses
from profpipe.model.run import LoadResult
from profpipe.units import UNKNOWN

NAME = "vegeta"
NS = 1e-3  # in microseconds


def recognises(text: str) -> bool:
    return {"latencies", "bytes_in", "status_codes", "throughput"} <= (json_object(text) or {}).keys()


def read(text: str) -> LoadResult:
    """`duration` is that of the attack; `wait` is how long the last answer was waited for after it."""
    return reading(NAME, lambda: _read(json_object(text) or {}))


def _read(report: dict[str, Any]) -> LoadResult:
    served, errors = statuses(report["status_codes"])
    latencies = report["latencies"]
    return LoadResult(
        tool=NAME,
        version=UNKNOWN,
        command=(),
        loop="open",
        correction="none",
        connections=None,
        threads=None,
        served=served,
        seconds=(report["duration"] + report["wait"]) / 1e9,
        sent=report["requests"],
        failed=report["requests"] - served,
        errors=errors,
        bytes_read=report["bytes_in"]["total"],
        offered_rate=report["rate"],
        mean_us=latencies["mean"] * NS,
        percentiles_us=percentiles(((q, latencies.get(f"{q}th")) for q in (50, 90, 95, 99)), NS),
    )
