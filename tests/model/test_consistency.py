"""A report that passes its schema and contradicts itself is refused with the place, never shown or a traceback."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from profpipe.errors import ReportError
from profpipe.model.consistency import calibration_contradiction, contradiction, study_contradiction
from profpipe.model.report import Calibration, Report
from profpipe.model.run import Histogram, LoadResult, RunRecord
from profpipe.model.study import StudyRecord, VariantFacts
from profpipe.pipeline.reporting.report_files import load_report
from tests.support.sample_commits import pull_request_document
from tests.support.sample_report import document

Damage = Callable[[dict[str, Any]], object]
WHOLE = document()


@pytest.mark.parametrize("make", [document, pull_request_document])
def test_a_whole_report_fits_together(make: Callable[[], dict[str, Any]]) -> None:
    assert contradiction(Report.model_validate(make())) is None


DAMAGES: dict[str, Damage] = {
    "baseline": lambda d: d["study"].update(baseline="nobody"),
    "contenders": lambda d: d["study"].update(contenders=["nobody"]),
    "twice": lambda d: d["variants"].append(copy.deepcopy(d["variants"][0])),
    "metric of a table": lambda d: d["hotspots"][0].update(metric="none"),
    "cells": lambda d: d["hotspots"][0]["rows"][0]["cells"].update(nobody={}),
    "category": lambda d: d["hotspots"][0]["rows"][0].update(category="none"),
    "waterfall": lambda d: d["waterfall"][0].update(metric="none"),
    "classic": lambda d: d["classic"][0].update(variant="nobody"),
    "kinds of names": lambda d: d["flames"][0]["name_kind"].pop(),
    "columns": lambda d: d["flames"][0]["own"].pop(),
    "name of a node": lambda d: d["flames"][0]["function"].__setitem__(0, 10**6),
    "negative name of a node": lambda d: d["flames"][0]["function"].__setitem__(0, -1),
    "depth": lambda d: d["flames"][0]["depth"].__setitem__(0, 5),
    "negative depth": lambda d: d["flames"][0]["depth"].__setitem__(1, -2),
    "metrics": lambda d: d.update(metrics=[]),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_each_contradiction_is_found_and_named(tmp_path: Path, name: str) -> None:
    damaged = copy.deepcopy(WHOLE)
    DAMAGES[name](damaged)
    path = tmp_path / "report.json"
    path.write_text(json.dumps(damaged))
    with pytest.raises(ReportError, match=r"report.json: contradicts itself: \S"):
        load_report(path)


def test_a_calibration_of_no_comparison_is_none() -> None:
    made = Calibration(created="", machine="m", study="s", comparisons=10, false_verdicts=1, low=0.0, high=0.1, sd={})
    assert calibration_contradiction(made) is None
    assert calibration_contradiction(made.model_copy(update={"comparisons": 0})) is not None
    assert calibration_contradiction(made.model_copy(update={"false_verdicts": 11})) is not None


def study(**more: Any) -> StudyRecord:
    fields: dict[str, Any] = {
        "study": "s", "question": "", "baseline": "a", "variants": (VariantFacts("a", "A", "c", ("a",)),), "rounds": 1,
        "load": "", "placement": "", "command": "", "created": "", "profpipe": "", "kinds": {"clean": "clean"},
        "environment": {},
    }  # fmt: skip
    return StudyRecord(**{**fields, **more})


def test_records_of_a_study_fit_together() -> None:
    run = RunRecord("s", "a", "clean", 1, 1, (), "")
    assert study_contradiction(study(), [run]) is None
    assert study_contradiction(study(baseline="b"), [run]) == "baseline: 'b' is not among the others"
    assert study_contradiction(study(), [RunRecord("s", "b", "clean", 1, 7, (), "")]) is not None
    assert study_contradiction(study(), [RunRecord("s", "a", "perf", 1, 7, (), "")]) is not None
    cut = LoadResult("x", "1", (), "closed", "none", 1, 1, 5, 1.0, latency=Histogram((1.0, 2.0), (5,)))
    assert "2 latencies" in str(study_contradiction(study(), [RunRecord("s", "a", "clean", 1, 7, (), "", load=cut)]))
