"""The native studies as a user runs them: real servers, real profilers, one command. Built before, or built here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.support.builds import run_build
from tests.support.paths import ROOT, TARGETS
from tests.support.tools import require

SCHEMA = json.loads((ROOT / "src/profpipe/model/report.schema.json").read_text())

pytestmark = [pytest.mark.real, pytest.mark.alone]


def profpipe(reports: Path, *words: str) -> tuple[dict[str, Any], str]:
    """Run a study of the root file; its report, checked against the schema, and what was said on stderr."""
    argv = [sys.executable, "-m", "profpipe", "run", *words, "--reports", str(reports), "--json"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False, env=os.environ)
    assert done.returncode == 0, done.stderr[-3000:]
    report: dict[str, Any] = json.loads(Path(json.loads(done.stdout)["json"]).read_text())
    jsonschema.validate(report, SCHEMA)
    return report, done.stderr


def conclusion(report: dict[str, Any], rule: str) -> str:
    return next(c["text"] for c in report["conclusions"] if c["rule"] == rule)


def figure(report: dict[str, Any], variant: str, key: str) -> dict[str, Any]:
    found: dict[str, Any] = next(v for v in report["variants"] if v["id"] == variant)["figures"][key]
    return found


def test_what_formatting_a_head_costs_in_c(tmp_path: Path) -> None:
    require("gcc", "make", "valgrind")
    # The assertions are about counts: CPU time needs no more than a sixth of its usual starts.
    report, _ = profpipe(tmp_path, "c-head", "-r", "2", "-n", "2000", "--budget", "10")
    assert report["invalid"] == []
    snprintf, prebuilt = (figure(report, f"epoll-{v}", "callgrind:instructions") for v in ("snprintf", "prebuilt"))
    assert snprintf["median"] > 3 * prebuilt["median"]
    text = conclusion(report, "gap")
    assert text.startswith("String formatting")
    # One thread, a fixed count: the same instructions in both rounds.
    for series in (snprintf, prebuilt):
        assert max(series["values"]) - min(series["values"]) <= 0.005 * series["median"]


def test_the_seed_study_once_through(tmp_path: Path) -> None:
    """Two rounds of counts, fixed in number so that it is short: the answer, the table, the lists, the switches."""
    require("cargo", "valgrind", "h2load")
    run_build("cargo", "build", "--release", "--locked", cwd=TARGETS / "rust")
    report, said = profpipe(tmp_path, "seed", "-r", "2", "-n", "2000", "-p", "clean", "-p", "callgrind-count")
    assert report["invalid"] == []
    may, future = (figure(report, v, "callgrind-count:instructions") for v in ("hyper010-may", "hyper011-future"))
    assert may["median"] > 1.4 * future["median"]
    assert "this is the reason" in conclusion(report, "hypotheses")
    assert "Switching coroutines is not the cause" in conclusion(report, "user-switches")
    (table,) = [t for t in report["hotspots"] if t["metric"] == "callgrind-count:instructions"]
    for variant in ("hyper010-may", "hyper011-future"):
        left = sum(row["cells"][variant]["share"] for row in table["rows"] if row["category"] in ("other", "library"))
        assert left < 0.10
    rows = {row["number"]: row for row in report["seed_table"]}
    assert len(rows) == 32
    assert rows[11]["verdict"] == "kept"
    assert rows[32]["ours"].startswith("hyper011-future: ")
    assert "_..hyper..header..NewlineReplacer..as..core..fmt..Write..::write_str" in json.dumps(report["classic"])
    assert any("stackful" in limit["text"] for limit in report["limits"])
    assert "does not build" not in said
