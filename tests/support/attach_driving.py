"""Runs `attach` in this process against a forge on loopback, with the environment a CI would give it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from profpipe.model.report import Report
from profpipe.pipeline.attach.message import AttachOptions, prepare
from profpipe.pipeline.attach.send import send
from profpipe.pipeline.reporting.report_files import report_json
from profpipe.publish.post import Outcome
from profpipe.publish.wire import Wire
from tests.support.forge_server import HEAD_SHA, TOKEN, Forge
from tests.support.sample_commits import pull_request_report


def write_event(folder: Path, event: dict[str, object]) -> Path:
    path = folder / "event.json"
    path.write_text(json.dumps(event))
    return path


def github_environment(forge: Forge, folder: Path, *, token: str = TOKEN, head: str = HEAD_SHA) -> dict[str, str]:
    """What a `pull_request` job of GitHub Actions sees."""
    event = {"pull_request": {"number": 7, "head": {"sha": head}}, "number": 7}
    found = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": forge.url,
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_RUN_ID": "4711",
        "GITHUB_REPOSITORY": "acme/server",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(write_event(folder, event)),
        "GITHUB_SHA": "cd" * 20,
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "GITHUB_OUTPUT": str(folder / "output.txt"),
    }
    return found | ({"GITHUB_TOKEN": token} if token else {})


RUN: dict[str, object] = {
    "event": "pull_request",
    "head_sha": HEAD_SHA,
    "head_branch": "faster",
    "head_repository": {"owner": {"login": "fork"}},
    "pull_requests": [],
}


def workflow_run_environment(forge: Forge, folder: Path, **changes: Any) -> dict[str, str]:
    """What a `workflow_run` job sees after a fork's `pull_request` workflow; `changes` of the event."""
    event: dict[str, object] = {"workflow_run": RUN | changes, "repository": {"id": 1}}
    environment = github_environment(forge, folder) | {"GITHUB_EVENT_NAME": "workflow_run"}
    write_event(folder, event)
    return environment


def gitea_environment(forge: Forge, folder: Path) -> dict[str, str]:
    return github_environment(forge, folder) | {"GITEA_ACTIONS": "true"}


def gitlab_environment(forge: Forge) -> dict[str, str]:
    return {
        "GITLAB_CI": "true",
        "CI_API_V4_URL": forge.url,
        "CI_PROJECT_ID": "77",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_COMMIT_SHA": HEAD_SHA,
        "CI_JOB_URL": "https://gitlab.example/jobs/1",
        "GITLAB_TOKEN": TOKEN,
    }


@dataclass
class Pauses:
    """Stands for time.sleep: the waits that were asked for, none of them waited."""

    asked: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)


def attach(
    environment: dict[str, str],
    wanted: AttachOptions | None = None,
    report: Report | None = None,
    sleep: Pauses | None = None,
) -> Outcome:
    prepared = prepare(report or pull_request_report(), wanted or AttachOptions(), environment)
    return send(prepared, environment, Wire("", {}, sleep=sleep or Pauses()))


def stored(folder: Path, report: Report | None = None) -> Path:
    """A folder with report.json."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(report_json(report or pull_request_report()))
    return folder
