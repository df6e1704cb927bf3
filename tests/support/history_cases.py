"""Reports for the tests of the history: real ones, and copies of one at other commits and on other machines."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from profpipe.model.report import Report
from tests.support.paths import ROOT, SAMPLE_REPORT

REAL = (
    ROOT / "reports" / "examples" / "concurrency" / "report.json",
    ROOT / "reports" / "examples" / "seed" / "report.json",
    SAMPLE_REPORT,
)


def document(path: Path = REAL[0]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


@lru_cache(maxsize=16)
def at(number: int, *, factor: float = 1.0, cpu: str = "AMD EPYC", **words: str) -> Report:
    """The report of the study `concurrency` as of commit `number`: CPU time per request multiplied by `factor`."""
    data = document()
    data["created"] = f"2026-03-{1 + number // 24:02d}T{number % 24:02d}:00:00+00:00"
    data["environment"] |= {"CPU": cpu, "commit": f"{number:012x}"}
    data["study"] |= words
    for variant in data["variants"]:
        series = variant["figures"]["clean:cpu_us"]
        for name in ("median", "low", "high"):
            series[name] = None if series[name] is None else series[name] * factor
    return Report.model_validate(data)
