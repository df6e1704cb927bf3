"""A function that became more expensive, on its changed line: check run, log of a job, Code Quality report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from profpipe.model.report import Report
from profpipe.pipeline.attach.message import AttachOptions, prepare
from profpipe.pipeline.attach.send import annotations_in_the_log, write_code_quality
from profpipe.publish.annotations import workflow_command
from profpipe.publish.interface import Annotation
from profpipe.render.content.findings import findings
from tests.support.attach_driving import attach, github_environment
from tests.support.forge_server import Forge
from tests.support.paths import DATA

HEAD, CPU = "d5935ec2", "clean:cpu_us"
TEXT = (
    "This change makes GET /item 9.6 % more expensive (1.087× to 1.105×): answer() in work.c:6 executes 2,800 more "
    "instructions per request; called once, as before."
)
TITLE = "answer() became more expensive"


def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / "report" / "answer-slower.json").read_text())
    return found


def report(data: dict[str, Any] | None = None) -> Report:
    return Report.model_validate(data or document())


def answer(data: dict[str, Any]) -> dict[str, Any]:
    rows = [row for category in data["hotspots"][0]["rows"] for row in category["functions"]]
    return next(row for row in rows if row["function"]["name"] == "answer")


def test_the_finding_is_the_first_sentence_on_its_changed_line() -> None:
    (found,) = findings(report())
    assert (found.path, found.first, found.last, found.title, found.text) == ("work.c", 6, 6, TITLE, TEXT)


def test_what_is_not_worse_or_has_no_line_of_the_repository_is_no_finding() -> None:
    better = document()
    better["variants"][1]["against_baseline"][CPU].update(verdict="better", ratio=0.9)
    better["variants"][1]["against_baseline"]["callgrind:instructions"].update(verdict="better", ratio=0.9)
    assert findings(report(better)) == ()
    for path in ("/etc/passwd", "../other/work.c", "a/../../b.c"):
        outside = document()
        answer(outside)["changes"][HEAD][0]["file"] = path
        assert findings(report(outside)) == ()
    unsure = document()
    answer(unsure)["changes"][HEAD][0]["certainty"] = "hint"
    assert findings(report(unsure)) == ()


@pytest.mark.programs
def test_a_check_run_carries_it(forge: Forge, tmp_path: Path) -> None:
    attach(github_environment(forge, tmp_path), AttachOptions(comment=False, status="check"), report=report())
    (check,) = forge.state.checks
    assert check["conclusion"] == "neutral"
    assert check["output"]["annotations"] == [
        {
            "path": "work.c",
            "start_line": 6,
            "end_line": 6,
            "annotation_level": "warning",
            "title": TITLE,
            "message": TEXT,
        }
    ]


@pytest.mark.programs
def test_without_a_check_run_the_log_of_the_job_carries_it(forge: Forge, tmp_path: Path) -> None:
    environment = github_environment(forge, tmp_path)
    prepared = prepare(report(), AttachOptions(), environment)
    (line,) = annotations_in_the_log(prepared, environment, own=True)
    assert line.startswith(f"::warning file=work.c,line=6,endLine=6,title={TITLE}::This change makes GET /item 9.6 %25")
    assert annotations_in_the_log(prepared, environment, own=False) == ()
    check = prepare(report(), AttachOptions(status="check"), environment)
    assert annotations_in_the_log(check, environment, own=True) == ()


@pytest.mark.parametrize("name", ["a\nb", "a::error::b", "a,line=9", "50%"])
def test_a_hostile_name_stays_within_its_property(name: str) -> None:
    line = workflow_command(Annotation(path=name, first=1, last=2, title=name, text=name, failure=True))
    assert "\n" not in line
    head, _, rest = line.removeprefix("::error ").partition("::")
    assert [part.partition("=")[0] for part in head.split(",")] == ["file", "line", "endLine", "title"]
    assert rest.replace("%0A", "\n").replace("%25", "%") == name


def test_gitlab_reads_it_as_code_quality(tmp_path: Path) -> None:
    failed = document()
    failed["gate"] = {"asked": ["regression:5%"], "failed": True, "hits": ["CPU time per request is worse by 9.6 %"]}
    write_code_quality(prepare(report(failed), AttachOptions(), {}), tmp_path / "deep" / "quality.json")
    (row,) = json.loads((tmp_path / "deep" / "quality.json").read_text())
    assert row["location"] == {"path": "work.c", "lines": {"begin": 6, "end": 6}}
    assert (row["description"], row["severity"], row["check_name"]) == (f"{TITLE}: {TEXT}", "major", "profpipe")
    moved = document()
    answer(moved)["changes"][HEAD][0]["added"] = [[9, 9]]
    write_code_quality(prepare(report(moved), AttachOptions(), {}), tmp_path / "moved.json")
    assert json.loads((tmp_path / "moved.json").read_text())[0]["fingerprint"] == row["fingerprint"]
