"""One comment per report on a pull request, whatever happened before, beside or meanwhile."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from profpipe.pipeline.attach.message import AttachOptions
from profpipe.publish.sticky import marker
from tests.support.attach_driving import (
    attach,
    gitea_environment,
    github_environment,
    gitlab_environment,
)
from tests.support.forge_server import Forge, fail, say
from tests.support.sample_commits import pull_request_document, unchanged_report
from tests.support.sample_report import sample

pytestmark = pytest.mark.programs

MARKER = marker("concurrency")


def test_the_first_run_creates_and_the_second_updates(forge: Forge, tmp_path: Path) -> None:
    environment = github_environment(forge, tmp_path)
    first = attach(environment)
    second = attach(environment, report=unchanged_report())
    assert first.warnings == second.warnings == []
    assert first.comment_id == second.comment_id
    (comment,) = forge.state.comments
    assert comment["body"].startswith(f"{MARKER}\n**This pull request does not change what a request costs")
    assert forge.state.count("POST", "comments") == 1
    assert forge.state.count("PATCH", "comments") == 1


def test_what_was_done_is_printed_and_handed_to_the_next_step(forge: Forge, tmp_path: Path) -> None:
    outcome = attach(github_environment(forge, tmp_path))
    number = forge.state.comments[0]["id"]
    assert outcome.done == [
        "job summary written",
        f"comment {number} created on 7",
        "commit status of abababababab: neutral",
    ]
    assert (tmp_path / "output.txt").read_text() == f"regressions=4\ncomment-id={number}\n"
    assert (tmp_path / "summary.md").read_text() == forge.state.comments[0]["body"].removeprefix(f"{MARKER}\n")


def test_the_comment_is_found_behind_150_others(forge: Forge, tmp_path: Path) -> None:
    for i in range(150):
        forge.state.comment(f"remark {i}")
    forge.state.comment(f"{MARKER}\nold", forge.state.login)
    attach(github_environment(forge, tmp_path))
    assert len(forge.state.comments) == 151
    assert forge.state.count("GET", "comments") == 2
    assert forge.state.comments[-1]["body"].startswith(f"{MARKER}\nThis pull request makes a request **")


def test_a_comment_that_somebody_else_began_with_our_marker_is_left_alone(forge: Forge, tmp_path: Path) -> None:
    theirs = forge.state.comment(f"{MARKER}\nlooks like ours", "mallory")
    attach(github_environment(forge, tmp_path))
    assert theirs["body"].endswith("looks like ours")
    assert len(forge.state.mine()) == 1


def test_a_marker_inside_a_comment_of_ours_is_no_report(forge: Forge, tmp_path: Path) -> None:
    other = forge.state.comment(f"we said {MARKER}", forge.state.login)
    attach(github_environment(forge, tmp_path))
    assert other["body"] == f"we said {MARKER}"
    assert len(forge.state.mine()) == 2


def test_two_studies_have_a_comment_each(forge: Forge, tmp_path: Path) -> None:
    environment = github_environment(forge, tmp_path)
    for key in ("one", "two", "one"):
        attach(environment, AttachOptions(key=key))
    assert sorted(c["body"].partition("\n")[0] for c in forge.state.comments) == [marker("one"), marker("two")]


@pytest.mark.parametrize("login", ["github-actions[bot]", "own-app[bot]"])
def test_a_token_that_may_not_ask_who_it_is(forge: Forge, tmp_path: Path, login: str) -> None:
    """GITHUB_TOKEN and the token of an app get 403 from /user; the answer to a new comment says who we are."""
    forge.state.may_ask_who, forge.state.login = False, login
    environment = github_environment(forge, tmp_path)
    first, second = attach(environment), attach(environment)
    assert first.comment_id == second.comment_id
    assert len(forge.state.comments) == 1
    assert second.warnings == []


@pytest.mark.parametrize("jobs", [2, 5])
def test_jobs_that_race_leave_one_comment(forge: Forge, tmp_path: Path, jobs: int) -> None:
    """All of them have looked and found none before any of them writes."""
    together = threading.Barrier(jobs)
    forge.state.before_create = lambda: together.wait(20)
    outcomes = []

    def job(number: int) -> None:
        folder = tmp_path / str(number)
        folder.mkdir()
        outcomes.append(attach(github_environment(forge, folder)))

    threads = [threading.Thread(target=job, args=(i,)) for i in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert forge.state.count("POST", "comments") == jobs
    assert len(forge.state.comments) == 1
    assert [outcome.warnings for outcome in outcomes] == [[]] * jobs


def test_duplicates_of_an_earlier_race_are_removed(forge: Forge, tmp_path: Path) -> None:
    for text in ("a", "b", "c"):
        forge.state.comment(f"{MARKER}\n{text}", forge.state.login)
    outcome = attach(github_environment(forge, tmp_path))
    assert [c["id"] for c in forge.state.comments] == [101]
    assert "2 duplicates of our comment removed" in outcome.done


def test_a_comment_deleted_between_looking_and_writing_is_written_anew(forge: Forge, tmp_path: Path) -> None:
    forge.state.comment(f"{MARKER}\nold", forge.state.login)

    def vanish(asked: object) -> None:
        if asked.method == "PATCH":  # type: ignore[attr-defined]
            forge.state.comments.clear()

    forge.state.faults.append(vanish)
    outcome = attach(github_environment(forge, tmp_path))
    assert "comment 101 was deleted meanwhile; writing a new one" in outcome.done
    assert len(forge.state.mine()) == 1


def test_the_comment_can_be_left_out(forge: Forge, tmp_path: Path) -> None:
    attach(github_environment(forge, tmp_path), AttachOptions(comment=False, status="none"))
    assert forge.state.asked == []
    assert (tmp_path / "summary.md").read_text().startswith("This pull request makes a request **")


def test_the_status_says_the_verdict_and_leads_to_the_report(forge: Forge, tmp_path: Path) -> None:
    attach(github_environment(forge, tmp_path), AttachOptions(link="https://ci.example/report"))
    (status,) = forge.state.statuses
    assert status["sha"] == "ab" * 20
    assert status["state"] == "pending", "worse without a gate: no tick"
    assert status["context"] == "profpipe/concurrency"
    assert status["target_url"] == "https://ci.example/report"
    assert status["description"].startswith("a request is 2.26 times as expensive: ")
    assert len(status["description"]) <= 140


@pytest.mark.parametrize(
    ("failed", "valid", "state"), [(True, True, "failure"), (False, False, "error"), (False, True, "success")]
)
def test_a_failed_gate_fails_the_status(forge: Forge, tmp_path: Path, failed: bool, valid: bool, state: str) -> None:
    data = pull_request_document()
    data["gate"] = {"asked": ["regression:5%"], "failed": failed, "hits": ["CPU time 1.08×"] if failed else []}
    data["variants"][1]["valid"] = valid
    attach(github_environment(forge, tmp_path), report=type(sample()).model_validate(data))
    assert forge.state.statuses[0]["state"] == state
    assert (tmp_path / "output.txt").read_text().startswith(f"regressions={1 if failed else 0}\n")


def test_a_check_run_holds_the_comment_as_its_summary(forge: Forge, tmp_path: Path) -> None:
    attach(github_environment(forge, tmp_path), AttachOptions(status="check"))
    (check,) = forge.state.checks
    assert check["head_sha"] == "ab" * 20
    assert check["conclusion"] == "neutral"
    assert check["output"]["summary"] == forge.state.comments[0]["body"].removeprefix(f"{MARKER}\n")
    assert forge.state.statuses == []


def test_gitea_gets_the_page_as_an_asset_and_the_comment_links_to_it(forge: Forge, tmp_path: Path) -> None:
    environment = gitea_environment(forge, tmp_path)
    for _ in range(2):
        outcome = attach(environment)
        assert outcome.warnings == []
    (comment,) = forge.state.comments
    (asset,) = forge.state.assets[comment["id"]]
    assert asset["name"] == "report.html"
    assert f"[Full report]({asset['browser_download_url']})" in comment["body"]


def test_gitea_that_takes_no_html_gets_it_zipped(forge: Forge, tmp_path: Path) -> None:
    forge.state.refused_endings = (".html",)
    for _ in range(2):
        assert attach(gitea_environment(forge, tmp_path)).warnings == []
    (asset,) = forge.state.assets[forge.state.comments[0]["id"]]
    assert asset["name"] == "report.html.zip"


def test_gitea_that_takes_no_file_at_all_keeps_the_comment(forge: Forge, tmp_path: Path) -> None:
    forge.state.faults.append(fail(9, say(404, {"message": "attachments are disabled"}), "POST", "assets"))
    outcome = attach(gitea_environment(forge, tmp_path))
    assert len(forge.state.comments) == 1
    assert outcome.warnings[0].endswith("The comment was posted without the attached report")


def test_gitlab_notes_are_created_and_updated(forge: Forge) -> None:
    forge.state.pulls[7]["state"] = "opened"
    environment = gitlab_environment(forge)
    first, second = attach(environment), attach(environment)
    assert first.warnings == second.warnings == []
    assert len(forge.state.comments) == 1
    assert forge.state.count("PUT", "notes") == 1
    assert forge.state.statuses[0]["name"] == "profpipe/concurrency"
    assert forge.state.statuses[0]["state"] == "canceled"
