"""The sample report as one of two commits: what render_report.py says, and what only a comparison of commits adds."""

from __future__ import annotations

from typing import Any

from profpipe.model.report import Report
from tests.support.render_report import COUNTED, CPU, compare, document

BASE = {
    "commit": "4f1d0c2b9a7e6355d1c08a4b2f6e7d8c9b0a1f22",
    "ref": "main",
    "subject": "server: answer pipelined requests in order",
    "time": "2026-11-20T09:12:44+00:00",
}
HEAD = {
    "commit": "a81be66f0d5c4e3b2a190817263544352617089f",
    "ref": "worktree",
    "subject": "server: one buffer per connection instead of one per response, so that writes are not copied twice",
    "time": "2026-11-23T18:02:10+00:00",
    "dirty": True,
}


def two_commits() -> dict[str, Any]:
    """As `document()`: baseline and first contender are commits; one function is changed, one renamed, one moved."""
    data = document()
    contender = data["variants"][1]["id"]
    data["variants"][0]["commit"], data["variants"][1]["commit"] = dict(BASE), dict(HEAD)
    data["variants"][1]["against_baseline"][CPU] = compare(61.3, 61.2, 0.014)
    data["study"]["sequential"] = {
        "rule": "Verdicts are looked at after 7, 14 and 21 rounds, each look at a level of 0.33 %.",
        "looks": [7, 14],
        "planned": [7, 14, 21],
        "alpha": 0.0033,
        "stopped": "stable",
    }
    data["gate"] = {
        "asked": ["instructions > 2 %", "CPU time > 5 %"],
        "failed": True,
        "hits": ["asyncio, Protocol: instructions per request 2.37× of the baseline, asked was at most 1.02×"],
    }
    data["calibration"] = {
        "created": "2026-11-22T03:00:00+00:00",
        "machine": "2 cores, 6.1.0-28-amd64",
        "study": "aa",
        "comparisons": 64,
        "false_verdicts": 1,
        "low": 0.0004,
        "high": 0.084,
        "sd": {CPU: 0.011, COUNTED: 0.0004},
    }
    table = data["hotspots"][0]
    table["unmatched"] = {contender: 0.034}
    first, second = table["rows"][0]["functions"][:2]
    first["changes"] = {
        contender: [
            {"file": "Python/ceval.c", "added": [[812, 830], [901, 901]], "removed": [[815, 819]], "lines": 25},
            {"file": "Python/ceval_gil.h", "removed": [[4, 4]], "lines": 1},
        ]
    }
    before = {**second["function"], "name": "_PyFrame_Dealloc"}
    second["alignment"] = {contender: {"before": before, "certainty": "likely", "why": "same file, callers and size"}}
    first["cells"][contender]["moved"] = -1204.0
    return data


def commits() -> Report:
    return Report.model_validate(two_commits())
