"""oha: `--output-format json` (`--json` before 1.9). Fields from its own schema.json; times in seconds."""

from __future__ import annotations

from typing import Any

from profpipe.load.results.parts import S, json_object, percentiles, reading, statuses
from profpipe.model.run import LoadResult
from profpipe.units import UNKNOWN

NAME = "oha"


def recognises(text: str) -> bool:
    return {"summary", "latencyPercentiles", "statusCodeDistribution"} <= (json_object(text) or {}).keys()


def read(text: str) -> LoadResult:
    """It does not say how many connections it used, nor whether `--latency-correction` was on."""
    return reading(NAME, lambda: _read(json_object(text) or {}))


def _read(report: dict[str, Any]) -> LoadResult:
    served, errors = statuses(report["statusCodeDistribution"])
    errors |= {str(kind): int(many) for kind, many in report.get("errorDistribution", {}).items()}
    summary = report["summary"]
    return LoadResult(
        tool=NAME,
        version=UNKNOWN,
        command=(),
        loop="closed",
        correction=None,
        connections=None,
        threads=None,
        served=served,
        seconds=summary["total"],
        sent=served + sum(errors.values()),
        failed=sum(errors.values()),
        errors=errors,
        bytes_read=summary.get("totalData"),
        mean_us=None if summary["average"] is None else summary["average"] * S,
        percentiles_us=percentiles(((key[1:], value) for key, value in report["latencyPercentiles"].items()), S),
    )
