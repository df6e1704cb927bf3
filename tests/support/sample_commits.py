"""The sample report as one of two commits, whole and cut to what a pull request gets; its figures are invented."""

from __future__ import annotations

import copy
from typing import Any

from profpipe.model.report import Report
from tests.support.sample_report import document
from tests.support.sample_tables import BASELINE, COUNTED, CPU, compare

BASE_COMMIT = {
    "commit": "4f1d0c2b9a7e6355d1c08a4b2f6e7d8c9b0a1f22",
    "ref": "main",
    "subject": "server: answer pipelined requests in order",
    "time": "2026-11-20T09:12:44+00:00",
}
HEAD_COMMIT = {
    "commit": "a81be66f0d5c4e3b2a190817263544352617089f",
    "ref": "worktree",
    "subject": "server: one buffer per connection instead of one per response, so that writes are not copied twice",
    "time": "2026-11-23T18:02:10+00:00",
    "dirty": True,
}


def commits_document() -> dict[str, Any]:
    """As `document()`: baseline and first contender are commits; one function is changed, one renamed, one moved."""
    data = document()
    contender = data["variants"][1]["id"]
    data["variants"][0]["commit"], data["variants"][1]["commit"] = dict(BASE_COMMIT), dict(HEAD_COMMIT)
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


def commits_report() -> Report:
    return Report.model_validate(commits_document())


HEAD = "asyncio-streams"
COMMITS = {
    BASELINE: {"commit": "1f" * 20, "ref": "main", "subject": "serve: one buffer per connection"},
    HEAD: {"commit": "2e" * 20, "ref": "faster-head", "subject": "serve: write the head once", "dirty": True},
}
CHANGES = [
    {"file": "src/serve.py", "added": [[10, 14], [20, 20]], "removed": [[10, 11]], "lines": 8},
]


def pull_request_document() -> dict[str, Any]:
    """The document: one baseline, one contender, each with its commit; one function has changed lines."""
    data = document()
    keep = {BASELINE, HEAD}
    data["variants"] = [v for v in data["variants"] if v["id"] in keep or v["role"] == "control"]
    for variant in data["variants"]:
        variant["commit"] = copy.deepcopy(COMMITS.get(variant["id"]))
    data["study"] |= {"contenders": [HEAD], "left_out": []}
    data["waterfall"] = [w for w in data["waterfall"] if w["contender"] == HEAD]
    data["conclusions"] = [c for c in data["conclusions"] if c["kind"] == "verdict"]
    data["classic"] = [c for c in data["classic"] if c["variant"] in keep]
    data["flames"] = [f for f in data["flames"] if f["variant"] in keep]
    data["runs"] = [r for r in data["runs"] if r["variant"] in keep]
    data["invalid"] = []
    for table in data["hotspots"]:
        for part in (table["total"], table["categorised"], *_cells(table)):
            for key in set(part) - keep:
                del part[key]
        for function in (f for row in table["rows"] for f in row["functions"]):
            function["callers"], function["callees"] = {}, {}
    first = data["hotspots"][0]["rows"][0]["functions"][0]
    first["changes"] = {HEAD: copy.deepcopy(CHANGES)}
    return data


def unchanged_document() -> dict[str, Any]:
    """The same commit twice: every figure of the contender is the baseline's, every verdict "no change"."""
    data = pull_request_document()
    base, head = data["variants"][0], data["variants"][1]
    head["figures"] = copy.deepcopy(base["figures"])
    for comparison in head["against_baseline"].values():
        comparison |= {"verdict": "no change", "ratio": 1.002, "low": 0.996, "high": 1.007}
        comparison |= {"delta": 0.1, "significant": False, "relevant": False}
    for table in data["hotspots"]:
        table["total"][HEAD] = copy.deepcopy(table["total"][BASELINE])
        for cells in _cells(table):
            if BASELINE in cells:
                cells[HEAD] = copy.deepcopy(cells[BASELINE]) | {"verdict": "no change", "ratio": 1.0}
            else:
                cells.pop(HEAD, None)
    data["waterfall"], data["conclusions"] = [], []
    return data


def _cells(table: dict[str, Any]) -> list[dict[str, Any]]:
    return [row["cells"] for row in table["rows"]] + [f["cells"] for row in table["rows"] for f in row["functions"]]


def pull_request_report() -> Report:
    return Report.model_validate(pull_request_document())


def unchanged_report() -> Report:
    return Report.model_validate(unchanged_document())
