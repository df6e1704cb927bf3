"""Actions, the CI of GitHub, Gitea and Forgejo: what its environment and event file say of the pull request."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from profpipe.errors import UsageError
from profpipe.publish.place import Head, Place, get, pull_number
from profpipe.publish.secret import plain_url

# GitHub cuts events at some 25 MB.
MAX_EVENT = 32 * 2**20


def is_gitea(environment: Mapping[str, str]) -> bool:
    """Gitea and Forgejo set GitHub's variables too, and one of their own."""
    return environment.get("GITEA_ACTIONS") == "true" or (
        environment.get("GITHUB_ACTIONS") == "true" and environment.get("FORGEJO_ACTIONS") == "true"
    )


def from_actions(forge: str, api: str, environment: Mapping[str, str]) -> Place:
    """The place that a job of Actions names. `api` = the address of the API when the environment has none.

    Raises UsageError when the event file cannot be read.
    """
    api = environment.get("GITHUB_API_URL") or api
    repository = environment.get("GITHUB_REPOSITORY", "")
    run = environment.get("GITHUB_RUN_ID", "")
    server = plain_url(environment.get("GITHUB_SERVER_URL", ""))
    run_url = f"{server}/{repository}/actions/runs/{run}" if server and run.isdigit() else ""
    web = f"{server}/{repository}" if server and repository else ""
    place = Place(forge, api, repository, run_url=run_url, web=web)
    event = read_event(environment)
    if "workflow_run" in event:
        return _workflow_run(place, event)
    pull = event.get("pull_request")
    if isinstance(pull, dict):
        head = get(pull, "head", "sha")
        number = pull_number(pull.get("number", event.get("number")))
        return replace(place, pull=number, sha=str(head or environment.get("GITHUB_SHA", "")), newest=bool(head))
    reference = re.fullmatch(r"refs/pull/(\d+)/(?:merge|head)", environment.get("GITHUB_REF", ""))
    sha = environment.get("GITHUB_SHA", "")
    if reference:
        return replace(place, pull=int(reference.group(1)), sha=sha)
    why = f"the event `{environment.get('GITHUB_EVENT_NAME') or 'unknown'}` belongs to no pull request"
    return replace(place, sha=sha, why=why)


def read_event(environment: Mapping[str, str]) -> dict[str, Any]:
    """The event of GITHUB_EVENT_PATH; empty when that is not set. Raises UsageError unless it is a JSON object."""
    path = environment.get("GITHUB_EVENT_PATH", "")
    if not path:
        return {}
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_EVENT + 1)
        event = json.loads(data) if len(data) <= MAX_EVENT else None
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"GITHUB_EVENT_PATH: {path} cannot be read as JSON: {type(error).__name__}") from None
    if not isinstance(event, dict):
        raise UsageError(f"GITHUB_EVENT_PATH: {path} is not an event: expected a JSON object under 32 MiB")
    return event


def _workflow_run(place: Place, event: dict[str, Any]) -> Place:
    """The pull request of the run that ended: only from what the forge itself says in the event."""
    run = event["workflow_run"]
    if not isinstance(run, dict) or run.get("event") != "pull_request":
        return replace(place, why="the workflow that ended was not started by `pull_request`")
    sha = str(run.get("head_sha", ""))
    own = get(event, "repository", "id")
    pulls = run.get("pull_requests")
    numbers = [
        pull_number(item.get("number"))
        for item in (pulls if isinstance(pulls, list) else [])
        if isinstance(item, dict) and own is not None and get(item, "base", "repo", "id") == own
    ]
    if len(numbers) == 1 and numbers[0] is not None:
        return replace(place, pull=numbers[0], sha=sha, newest=True)
    owner, branch = get(run, "head_repository", "owner", "login"), run.get("head_branch")
    if isinstance(owner, str) and isinstance(branch, str) and owner and branch:
        return replace(place, sha=sha, head=Head(owner, branch), newest=True)
    return replace(place, sha=sha, why="the event names neither a pull request nor the branch it comes from")
