"""A report on two commits, as a pull request gets one; figures are invented for the tests (see render_report)."""

from __future__ import annotations

import copy
from typing import Any

from profpipe.model.report import Report
from tests.support.render_report import BASELINE, document

HEAD = "asyncio-streams"
COMMITS = {
    BASELINE: {"commit": "1f" * 20, "ref": "main", "subject": "serve: one buffer per connection"},
    HEAD: {"commit": "2e" * 20, "ref": "faster-head", "subject": "serve: write the head once", "dirty": True},
}
CHANGES = [
    {"file": "src/serve.py", "added": [[10, 14], [20, 20]], "removed": [[10, 11]], "lines": 8},
]


def commits() -> dict[str, Any]:
    """The document: one baseline, one contender, each with its commit; one function has changed lines."""
    data = document()
    keep = {BASELINE, HEAD}
    data["variants"] = [v for v in data["variants"] if v["id"] in keep or v["role"] == "control"]
    for variant in data["variants"]:
        variant["commit"] = COMMITS.get(variant["id"])
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


def quiet() -> dict[str, Any]:
    """The same commit twice: every figure of the contender is the baseline's, every verdict "no change"."""
    data = commits()
    base, head = data["variants"][0], data["variants"][1]
    for name in ("figures", "latency", "throughput"):
        head[name] = copy.deepcopy(base[name])
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


def commit_report() -> Report:
    return Report.model_validate(commits())


def quiet_report() -> Report:
    return Report.model_validate(quiet())
