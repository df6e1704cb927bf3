"""autocannon: `--json`. Latencies in whole milliseconds. It exits with 0 when every connection was refused.

With `-R`, its latencies are corrected for coordinated omission, which adds entries. The report does not name that
option: more latencies than answers show it.
"""

from __future__ import annotations

import re
from typing import Any

from profpipe.load.doubts import Doubt, with_doubts
from profpipe.load.results.parts import MS, json_object, percentiles, reading, statuses
from profpipe.model.run import LoadResult
from profpipe.units import UNKNOWN

NAME = "autocannon"
COARSE = Doubt("autocannon measures latency in whole milliseconds, and most answers took less than one", ("latency",))
PERCENTILE = re.compile(r"p(\d+(?:_\d+)?)")


def recognises(text: str) -> bool:
    return {"statusCodeStats", "pipelining", "non2xx"} <= (json_object(text) or {}).keys()


def read(text: str) -> LoadResult:
    """`requests.total` counts answers; `errors` are connections that failed, `timeouts` among them."""
    return reading(NAME, lambda: _read(json_object(text) or {}))


def _read(report: dict[str, Any]) -> LoadResult:
    served, errors = statuses({code: each["count"] for code, each in report["statusCodeStats"].items()})
    lost = {"timeout": report["timeouts"], "connection": report["errors"] - report["timeouts"]}
    errors |= {kind: many for kind, many in lost.items() if many}
    latency = report["latency"]
    found = ((m[1].replace("_", "."), value) for key, value in latency.items() if (m := PERCENTILE.fullmatch(key)))
    corrected = latency["totalCount"] > report["requests"]["total"]
    coarse = latency["mean"] * MS < MS
    result = LoadResult(
        tool=NAME,
        version=UNKNOWN,
        command=(),
        loop="closed",
        correction="intended-start" if corrected else "none",
        connections=report["connections"],
        threads=report["workers"] or 1,
        served=served,
        seconds=report["duration"],
        sent=report["requests"]["sent"],
        failed=sum(errors.values()),
        errors=errors,
        bytes_read=report["throughput"]["total"],
        mean_us=None if coarse else latency["mean"] * MS,
        percentiles_us=tuple((q, us) for q, us in percentiles(found, MS) if us),
        interim=report["1xx"],
    )
    return with_doubts(result, [COARSE] if coarse and served else [])
