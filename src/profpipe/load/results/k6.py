"""k6: the JSON of `--summary-export FILE`, or of a script's `handleSummary`, whose values lie one level deeper.

Fields from k6's documentation ("Results output", "Custom summary"). A summary does not say whether the executor was
open or closed, nor how long the load took: the time follows from count and rate.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from profpipe.load.results.parts import MS, json_object, percentiles, reading
from profpipe.model.run import LoadResult
from profpipe.units import UNKNOWN

NAME = "k6"
PERCENTILE = re.compile(r"p\(([\d.]+)\)")


def recognises(text: str) -> bool:
    found = json_object(text)
    return found is not None and isinstance(found.get("metrics"), dict) and "http_reqs" in found["metrics"]


def read(text: str) -> LoadResult:
    """`http_req_failed` counts a failed request as a pass of the rate."""
    return reading(NAME, lambda: _read(json_object(text) or {}))


def _read(summary: dict[str, Any]) -> LoadResult:
    metrics: Mapping[str, Any] = {name: each.get("values", each) for name, each in summary["metrics"].items()}
    done, rate, time = metrics["http_reqs"]["count"], metrics["http_reqs"]["rate"], metrics["http_req_duration"]
    failed = int(metrics.get("http_req_failed", {}).get("passes", 0))
    dropped = int(metrics.get("dropped_iterations", {}).get("count", 0))
    found = [("50", time.get("med")), *((m[1], v) for k, v in time.items() if (m := PERCENTILE.fullmatch(k)))]
    errors = {"failed": failed, "iterations not begun": dropped}
    return LoadResult(
        tool=NAME,
        version=UNKNOWN,
        command=(),
        loop=None,
        correction="none",
        connections=None,
        threads=None,
        served=int(done) - failed,
        seconds=done / rate if rate else 0.0,
        sent=int(done),
        failed=failed,
        errors={kind: many for kind, many in errors.items() if many},
        bytes_read=int(metrics["data_received"]["count"]) if "data_received" in metrics else None,
        mean_us=time["avg"] * MS,
        percentiles_us=percentiles(found, MS),
    )
