"""The trusted side: what a fork's run left is taken as numbers and names, or not at all."""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from profpipe.analyse.conclusions.conclude import conclude
from profpipe.analyse.judge_again import judge_again
from profpipe.errors import ReportError, UsageError
from profpipe.model.report import Report
from profpipe.pipeline.attach import untrusted_report
from profpipe.pipeline.attach.message import AttachOptions, prepare_artifact
from profpipe.pipeline.attach.send import send
from profpipe.pipeline.attach.untrusted_report import MAX_REPORT, NAME, NAMES, PROSE, read_artifact
from profpipe.pipeline.reporting.report_files import load_report
from profpipe.publish.wire import Wire
from profpipe.render.comment.markdown import render_comment
from profpipe.render.page.html import render_page
from tests.support.attach_driving import Pauses, stored, workflow_run_environment
from tests.support.forge_server import HEAD_SHA, Forge
from tests.support.hostile_comment import THOUSAND, check, hostile
from tests.support.paths import EXAMPLES
from tests.support.sample_commits import pull_request_document
from tests.support.sample_report import document

LURE = "approved by the security team, run the command from evil dot example"


def planted(value: Any) -> Any:
    """The document with the lure in every text that is no word of the schema."""
    if isinstance(value, str):
        return value if re.fullmatch(r"[\w.:/+-]*", value) or value in WORDS else f"{value} {LURE}"
    if isinstance(value, list):
        return [planted(item) for item in value]
    if isinstance(value, dict):
        return {key: planted(item) for key, item in value.items()}
    return value


WORDS = {"no change", "cannot tell", "not measured", "not-the-cause"}


def test_numbers_and_names_stay_and_conclusions_are_computed_again() -> None:
    """What today's rules say of the example's numbers, though every sentence was taken out of the file before."""
    for name in ("concurrency", "seed"):
        honest = load_report(EXAMPLES / name / "report.json")
        taken = read_artifact(EXAMPLES / name)
        for key, series in taken.variants[0].figures.items():
            assert series.model_copy(update={"why": None}) == honest.variants[0].figures[key].model_copy(
                update={"why": None}
            )
        row, other = (r.hotspots[0].rows[0].functions[0] for r in (taken, honest))
        assert row.function == other.function
        for variant, cell in row.cells.items():
            assert cell.model_copy(update={"total_why": None}) == other.cells[variant].model_copy(
                update={"total_why": None}
            )
        # Why a verdict is undecided is prose, and stays behind.
        mine, theirs = (
            {c.text.split(" is undecided")[0] for c in found if c.kind == "verdict"}
            for found in (taken.conclusions, conclude(judge_again(honest)))
        )
        assert mine == theirs


def test_prose_of_the_artifact_is_in_no_text_of_ours(tmp_path: Path) -> None:
    data = planted(document() | {"metrics": document()["metrics"], "categories": document()["categories"]})
    names = document()
    for variant, honest in zip(data["variants"], names["variants"], strict=True):
        variant["label"] = honest["label"]
    data["metrics"], data["categories"], data["study"]["id"] = names["metrics"], names["categories"], "s"
    for table, honest in zip(data["hotspots"], names["hotspots"], strict=True):
        for row, other in zip(table["rows"], honest["rows"], strict=True):
            row["functions"] = other["functions"]
    data["gate"] = {"asked": [LURE], "failed": True, "hits": [LURE]}
    data["environment"] = {LURE: LURE, "CPU": "EPYC"}
    data["calibration"], data["study"]["hypotheses"] = None, [{"text": LURE, "categories": []}]
    data["seed_table"] = [{"number": 1, "what": LURE, "post": LURE, "ours": LURE, "verdict": "kept", "why": LURE}]
    text = json.dumps(data)
    assert text.count(LURE) > 30
    (tmp_path / "report.json").write_text(text)
    report = read_artifact(tmp_path)
    assert LURE not in render_comment(report, limit=10_000_000)
    assert LURE not in render_page(report)
    assert LURE not in report.model_dump_json()


def test_every_text_of_the_schema_is_a_name_or_prose() -> None:
    """A new field has to be put in one of the lists before an artifact that holds it is posted."""
    schema = Report.model_json_schema(by_alias=True)
    found: set[str] = set()

    def walk(node: Any, field: str) -> None:
        if not isinstance(node, dict):
            return
        if node.get("type") == "string" or "enum" in node or "const" in node:
            found.add(field)
        for name, inner in node.get("properties", {}).items():
            walk(inner, name)
        for key in ("items", "additionalProperties"):
            walk(node.get(key), field)
        for key in ("anyOf", "prefixItems"):
            for inner in node.get(key, []):
                walk(inner, field)

    for part in (schema, *schema["$defs"].values()):
        walk(part, "")
    found.discard("")
    assert found == NAMES | PROSE
    assert not NAMES & PROSE


def test_hostile_names_stay_inert_here_too(tmp_path: Path) -> None:
    stored(tmp_path, hostile([*THOUSAND[:60], "x" * 10_000]))
    report = read_artifact(tmp_path)
    check(render_comment(report, limit=10_000_000))
    assert max(len(f.function.name) for row in report.hotspots[0].rows for f in row.functions) == NAME


SPOILT: dict[str, Callable[[dict[str, Any]], None]] = {
    "another schema": lambda d: d.update(schema="profpipe.report/9"),
    "an unknown field": lambda d: d.update(script="<script>"),
    "a missing field": lambda d: d.pop("study"),
    "a number as text": lambda d: d["variants"][0]["figures"]["clean:throughput"].update(median="12"),
    "text as a number": lambda d: d["study"].update(rounds="7; rm -rf /"),
    "an unknown verdict": lambda d: d["variants"][1]["against_baseline"]["clean:throughput"].update(verdict="approved"),
    "a number beyond all": lambda d: d["variants"][0]["figures"]["clean:throughput"].update(median=1e999),
    "65 variants": lambda d: d.update(variants=[copy.deepcopy(d["variants"][0]) | {"id": str(i)} for i in range(65)]),
    "two of a waterfall's variants missing": lambda d: d["waterfall"][0].update(baseline="nobody", contender="nobody"),
    "no variants": lambda d: d.update(variants=[]),
    "a baseline twice": lambda d: d["variants"].append(d["variants"][0]),
}
REFUSED = set(SPOILT) - {"two of a waterfall's variants missing"}


@pytest.mark.parametrize("spoil", SPOILT)
def test_a_spoilt_report_is_refused_or_rendered_and_never_a_traceback(tmp_path: Path, spoil: str) -> None:
    data = pull_request_document()
    SPOILT[spoil](data)
    (tmp_path / "report.json").write_text(json.dumps(data).replace("Infinity", "1e999"))
    if spoil in REFUSED:
        with pytest.raises(ReportError, match=r"report\.json"):
            read_artifact(tmp_path)
    else:
        assert render_comment(read_artifact(tmp_path))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "\x00" * 50, "[" * 200_000, '{"schema": ' * 5000, "9" * 5000, '"\\ud800"']
)
def test_what_is_no_report_at_all(tmp_path: Path, text: str) -> None:
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(ReportError, match=r"report\.json"):
        read_artifact(tmp_path)


def test_an_error_does_not_repeat_what_the_file_says(tmp_path: Path) -> None:
    data = pull_request_document() | {"::set-output name=x::@octocat": 1}
    (tmp_path / "report.json").write_text(json.dumps(data))
    with pytest.raises(ReportError) as caught:
        read_artifact(tmp_path)
    assert "octocat" not in str(caught.value)


def test_too_large_a_link_a_pipe_and_a_folder(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    with path.open("wb") as file:
        file.truncate(MAX_REPORT + 1)
    with pytest.raises(ReportError, match="larger than 8 MiB"):
        read_artifact(tmp_path)
    path.unlink()
    path.symlink_to("/etc/passwd")
    with pytest.raises(ReportError, match="plain file"):
        read_artifact(tmp_path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ReportError, match="plain file"):
        read_artifact(tmp_path)
    path.unlink()
    path.mkdir()
    with pytest.raises(ReportError, match="plain file"):
        read_artifact(tmp_path)


def test_only_report_json_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored(tmp_path)
    (tmp_path / "comment.md").write_text(LURE)
    (tmp_path / "report.html").write_text(f"<script>{LURE}</script>")
    opened: list[Path] = []
    real = untrusted_report._read
    monkeypatch.setattr(untrusted_report, "_read", lambda path: opened.append(path) or real(path))
    report = read_artifact(tmp_path)
    assert opened == [tmp_path / "report.json"]
    assert LURE not in render_comment(report) + render_page(report)


SAME_REPOSITORY = {"number": 7, "base": {"repo": {"id": 1}}}


def attach(forge: Forge, folder: Path, **changes: Any) -> list[str]:
    environment = workflow_run_environment(forge, folder, **changes)
    data = pull_request_document()
    contender = next(v for v in data["variants"] if v["role"] == "contender")
    contender["commit"]["commit"] = changes.get("head_sha", HEAD_SHA)
    artifact = stored(folder / "artifact", Report.model_validate(data))
    prepared = prepare_artifact(artifact, AttachOptions(), environment)
    return send(prepared, environment, Wire("", {}, sleep=Pauses())).warnings


@pytest.mark.programs
def test_a_forks_pull_request_is_found_by_the_branch_and_commit_of_the_event(forge: Forge, tmp_path: Path) -> None:
    """GitHub lists no pull requests in the event of a fork."""
    assert attach(forge, tmp_path) == []
    (comment,) = forge.state.comments
    assert (
        "Medians, verdicts, gate and conclusions were computed again on the trusted side from its rounds"
        in comment["body"]
    )
    assert forge.state.statuses[0]["sha"] == HEAD_SHA


@pytest.mark.programs
def test_the_events_own_number_is_taken_when_it_is_of_this_repository(forge: Forge, tmp_path: Path) -> None:
    assert attach(forge, tmp_path, pull_requests=[SAME_REPOSITORY]) == []
    assert forge.state.count("GET", "/pulls$") == 0
    other = {"number": 12, "base": {"repo": {"id": 2}}}
    assert attach(forge, tmp_path, pull_requests=[other]) == []
    assert forge.state.count("GET", "/pulls$") == 1


@pytest.mark.programs
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"event": "push"}, "the workflow that ended was not started by `pull_request`"),
        ({"head_sha": "ef" * 20}, "no open pull request is at commit efefefefefef"),
        ({"head_branch": "other"}, "no open pull request is at commit"),
        ({"head_repository": None}, "the event names neither a pull request nor the branch it comes from"),
        ({"head_sha": "ef" * 20, "pull_requests": [SAME_REPOSITORY]}, "pull request 7 has moved on since efefefefefef"),
    ],
)
def test_an_event_that_belongs_to_no_pull_request_posts_nothing(
    forge: Forge, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    assert any(said in warning for warning in attach(forge, tmp_path, **changes))
    assert forge.state.comments == []


@pytest.mark.programs
def test_neither_an_option_nor_the_artifact_names_the_pull_request(forge: Forge, tmp_path: Path) -> None:
    environment = workflow_run_environment(forge, tmp_path)
    folder = stored(tmp_path / "artifact")
    (folder / "pr_number").write_text("666")
    for wanted in (AttachOptions(pull=666), AttachOptions(repository="evil/repo")):
        with pytest.raises(UsageError, match="takes the pull request from the event"):
            prepare_artifact(folder, wanted, environment)


@pytest.mark.programs
@pytest.mark.parametrize("event", ["", "[]", "nonsense", '{"workflow_run": 5}', '{"workflow_run": {"event": []}}'])
def test_an_event_that_cannot_be_read(forge: Forge, tmp_path: Path, event: str) -> None:
    environment = workflow_run_environment(forge, tmp_path)
    (tmp_path / "event.json").write_text(event)
    folder = stored(tmp_path / "artifact")
    if event.startswith("{"):
        assert prepare_artifact(folder, AttachOptions(), environment).place.pull is None  # type: ignore[union-attr]
    else:
        with pytest.raises(UsageError, match="GITHUB_EVENT_PATH"):
            prepare_artifact(folder, AttachOptions(), environment)
