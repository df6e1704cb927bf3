"""bombardier: `-o json` (with `-p r`, the result only). Times in microseconds."""

from __future__ import annotations

from typing import Any

from profpipe.load.results.parts import json_object, percentiles, reading
from profpipe.model.run import LoadResult
from profpipe.units import UNKNOWN

NAME = "bombardier"
GOOD, BAD = ("req2xx", "req3xx"), {"req4xx": "status 4xx", "req5xx": "status 5xx", "others": "no answer"}


def recognises(text: str) -> bool:
    found = json_object(text) or {}
    return "numberOfConnections" in found.get("spec", {}) and "timeTakenSeconds" in found.get("result", {})


def read(text: str) -> LoadResult:
    """`others` counts what got no answer; `errors`, where it is there, says why."""
    return reading(NAME, lambda: _read(json_object(text) or {}))


def _read(report: dict[str, Any]) -> LoadResult:
    spec, result = report["spec"], report["result"]
    served = sum(int(result[key]) for key in GOOD)
    errors = {words: int(result[key]) for key, words in BAD.items() if result[key]}
    latency = result.get("latency") or {}
    return LoadResult(
        tool=NAME,
        version=UNKNOWN,
        command=(),
        loop="closed",
        correction="none",
        connections=spec["numberOfConnections"],
        threads=None,
        served=served,
        seconds=result["timeTakenSeconds"],
        sent=served + sum(errors.values()),
        failed=sum(errors.values()),
        errors=errors,
        bytes_read=result["bytesRead"],
        mean_us=latency.get("mean"),
        percentiles_us=percentiles(latency.get("percentiles", {}).items(), 1.0),
        interim=int(result["req1xx"]),
    )
