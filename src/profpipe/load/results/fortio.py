"""fortio: `fortio load -json FILE`. Each of its threads holds one connection; a limited rate is shared among them.

Its latency counts from the send, and a thread that waits for an answer sends nothing: at a fixed rate too, slow answers
keep requests from being sent.
"""

from __future__ import annotations

from typing import Any

from profpipe.load.results.parts import S, json_object, percentiles, reading, statuses
from profpipe.model.run import LoadResult
from profpipe.units import UNKNOWN

NAME = "fortio"


def recognises(text: str) -> bool:
    return {"ActualQPS", "DurationHistogram", "NumThreads"} <= (json_object(text) or {}).keys()


def read(text: str) -> LoadResult:
    """Status -1 stands for a connection that failed."""
    return reading(NAME, lambda: _read(json_object(text) or {}))


def _read(report: dict[str, Any]) -> LoadResult:
    codes = {("0" if code == "-1" else code): many for code, many in (report["RetCodes"] or {}).items()}
    served, errors = statuses(codes)
    times = report["DurationHistogram"]
    return LoadResult(
        tool=NAME,
        version=report.get("Version") or UNKNOWN,
        command=(),
        loop="closed",
        correction="none",
        connections=report["NumThreads"],
        threads=report["NumThreads"],
        served=served,
        seconds=report["ActualDuration"] / 1e9,
        sent=served + sum(errors.values()),
        failed=sum(errors.values()),
        errors=errors,
        mean_us=times["Avg"] * S,
        percentiles_us=percentiles(((p["Percentile"], p["Value"]) for p in times["Percentiles"] or ()), S),
    )
