"""build_report: every field filled from real captures, the same for any order of runs, honest about what is missing."""

from __future__ import annotations

import json

from pathlib import Path

import pytest

from profpipe.analyse import build_report
from profpipe.model.report import Report
from tests.analyse_cases import concurrency

SAMPLE = Path(__file__).parent / "data" / "analyse" / "sample-report.json"


@pytest.fixture(scope="module")
def report() -> Report:
    return build_report(concurrency())


def as_json(report: Report) -> str:
    return json.dumps(report.model_dump(mode="json", by_alias=True), ensure_ascii=False, indent=0) + "\n"


def test_the_sample_report_is_what_the_code_writes(report: Report, request: pytest.FixtureRequest) -> None:
    text = json.dumps(report.model_dump(mode="json", by_alias=True), ensure_ascii=False, separators=(",", ":")) + "\n"
    if request.config.getoption("--bless"):
        SAMPLE.write_text(text)
    assert text == SAMPLE.read_text(), "the sample report changed: run pytest --bless and review it"
    assert Report.model_validate_json(text) == report



