"""Against a real Gitea, where its binary is there (PROFPIPE_GITEA): one comment, one file, one status."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from profpipe.pipeline.attach.message import AttachOptions
from profpipe.publish.sticky import marker
from profpipe.render.comment.markdown import render_comment
from tests.support.attach_driving import attach
from tests.support.gitea_server import USER, Gitea, binary, running
from tests.support.hostile_comment import THOUSAND, hostile
from tests.support.sample_commits import unchanged_report

pytestmark = pytest.mark.real
WANTED = AttachOptions(forge="gitea", repository=f"{USER}/server")


@pytest.fixture(scope="module")
def gitea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gitea]:
    program = binary()
    if program is None:
        pytest.skip("no Gitea here: PROFPIPE_GITEA names its binary, docs/ci.md says how it is built")
    with running(program, tmp_path_factory.mktemp("gitea")) as made:
        yield made


def sent(gitea: Gitea, wanted: AttachOptions = WANTED, **more: object) -> list[str]:
    wanted = replace(wanted, api=gitea.api, pull=gitea.pull, sha=gitea.sha)
    return attach({"GITEA_TOKEN": gitea.token}, wanted, **more).warnings  # type: ignore[arg-type]


def comments(gitea: Gitea, key: str = "concurrency") -> list[dict[str, object]]:
    listed = gitea.call("GET", f"/repos/{USER}/server/issues/{gitea.pull}/comments")
    return [c for c in listed if c["body"].startswith(marker(key))]


def test_comment_file_and_status_of_two_runs(gitea: Gitea) -> None:
    assert sent(gitea) == []
    assert sent(gitea, report=unchanged_report()) == []
    (comment,) = comments(gitea)
    assert "**This pull request does not change what a request costs" in str(comment["body"])
    assets = gitea.call("GET", f"/repos/{USER}/server/issues/comments/{comment['id']}/assets")
    assert [asset["name"] for asset in assets] in (["report.html"], ["report.html.zip"])
    assert f"[Full report]({assets[0]['browser_download_url']})" in str(comment["body"])
    statuses = gitea.call("GET", f"/repos/{USER}/server/statuses/{gitea.sha}")
    assert {(s["context"], s["status"]) for s in statuses} == {("profpipe/concurrency", "warning")}


def test_jobs_that_race_leave_one_comment(gitea: Gitea) -> None:
    wanted = replace(WANTED, key="race", status="none")
    threads = [threading.Thread(target=sent, args=(gitea, wanted)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(comments(gitea, "race")) == 1


def test_a_hostile_comment_rendered_by_gitea_has_no_link_mention_or_image(gitea: Gitea) -> None:
    """Its own renderer, in the context of its own repository, user and pull request."""
    names = [
        f"@{USER}",
        f"#{gitea.pull}",
        f"{USER}/server#{gitea.pull}",
        gitea.sha,
        ":rocket:",
        "![x](https://e.example/x)",
    ]
    for part in (hostile(names), hostile(THOUSAND[:100]), hostile(THOUSAND[500:600])):
        comment = render_comment(part, limit=300_000)
        html = gitea.text("/markdown", {"Text": comment, "Mode": "comment", "Context": f"/{USER}/server"})
        assert "<table" in html
        assert re.findall(r"<(?:a|img|script|h1|iframe|form)\b[^>]*>", html) == []
        assert "rocket" not in re.sub(r"<(code|pre)\b.*?</\1>", "", html, flags=re.S)
    live = gitea.text(
        "/markdown", {"Text": f"@{USER} :rocket: ![x](/y)", "Mode": "comment", "Context": f"/{USER}/server"}
    )
    assert len(re.findall(r"<(?:a|img)\b", live)) >= 2  # the check can fail


def test_a_wrong_token_and_a_pull_request_that_is_not_there(gitea: Gitea) -> None:
    wanted = replace(WANTED, api=gitea.api, pull=gitea.pull, sha=gitea.sha)
    denied = attach({"GITEA_TOKEN": "0" * 40}, wanted).warnings
    assert all("The token in GITEA_TOKEN is not accepted" in warning for warning in denied)
    missing = attach({"GITEA_TOKEN": gitea.token}, replace(wanted, pull=99, status="none")).warnings
    assert "Does it exist, and may this token see it?" in missing[0]


def test_a_closed_pull_request_gets_no_comment(gitea: Gitea) -> None:
    gitea.call("PATCH", f"/repos/{USER}/server/pulls/{gitea.pull}", {"state": "closed"})
    try:
        warnings = sent(gitea, replace(WANTED, key="closed"))
        assert f"no comment: pull request {gitea.pull} is closed" in warnings
        assert comments(gitea, "closed") == []
    finally:
        gitea.call("PATCH", f"/repos/{USER}/server/pulls/{gitea.pull}", {"state": "open"})
