"""Where a report goes: forge, repository, pull request and commit, from the CI's environment or from options."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from profpipe.errors import UsageError
from profpipe.publish.secret import plain_url

Forge = Literal["github", "gitlab", "gitea"]
FORGES: dict[str, Forge] = {"github": "github", "gitlab": "gitlab", "gitea": "gitea", "forgejo": "gitea"}
# GitHub cuts events at some 25 MB.
MAX_EVENT = 32 * 2**20
TOKENS: dict[Forge, tuple[str, ...]] = {
    "github": ("PROFPIPE_TOKEN", "GITHUB_TOKEN", "GH_TOKEN"),
    "gitlab": ("PROFPIPE_TOKEN", "GITLAB_TOKEN"),
    "gitea": ("PROFPIPE_TOKEN", "GITEA_TOKEN", "FORGEJO_TOKEN", "GITHUB_TOKEN"),
}


@dataclass(frozen=True, slots=True)
class Head:
    """The branch a workflow_run was started by, for finding its pull request: a fork's event names no number."""

    owner: str
    branch: str


@dataclass(frozen=True, slots=True)
class Place:
    """`repository` = owner/name, or GitLab's project id. `status_repository` = where the commit is, if elsewhere.

    `newest` = the commit must still be the pull request's own: what was measured elsewhere may be late.
    """

    forge: Forge
    api: str
    repository: str
    pull: int | None = None
    sha: str = ""
    head: Head | None = None
    newest: bool = False
    status_repository: str = ""
    run_url: str = ""
    why: str = ""


def detect(environment: Mapping[str, str]) -> Place | None:
    """What the CI says of itself: GitHub, Gitea or Forgejo Actions, GitLab CI, Woodpecker; None elsewhere.

    Raises UsageError when the event file cannot be read.
    """
    if environment.get("GITHUB_ACTIONS") == "true" or environment.get("GITEA_ACTIONS") == "true":
        return _actions(environment)
    if environment.get("GITLAB_CI") == "true":
        return _gitlab(environment)
    if environment.get("CI") == "woodpecker":
        return _woodpecker(environment)
    return None


def read_event(environment: Mapping[str, str]) -> dict[str, Any]:
    """The event of GITHUB_EVENT_PATH; empty when there is none. Raises UsageError when it is no JSON object."""
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
        raise UsageError(f"GITHUB_EVENT_PATH: {path} is no event: a JSON object under 32 MiB was expected")
    return event


def _actions(environment: Mapping[str, str]) -> Place:
    own = environment.get("GITEA_ACTIONS") == "true" or environment.get("FORGEJO_ACTIONS") == "true"
    forge: Forge = "gitea" if own else "github"
    api = environment.get("GITHUB_API_URL") or ("" if own else "https://api.github.com")
    repository = environment.get("GITHUB_REPOSITORY", "")
    run = environment.get("GITHUB_RUN_ID", "")
    server = plain_url(environment.get("GITHUB_SERVER_URL", ""))
    run_url = f"{server}/{repository}/actions/runs/{run}" if server and run.isdigit() else ""
    place = Place(forge, api, repository, run_url=run_url)
    event = read_event(environment)
    if "workflow_run" in event:
        return _workflow_run(place, event)
    pull = event.get("pull_request")
    if isinstance(pull, dict):
        sha = _get(pull, "head", "sha") or environment.get("GITHUB_SHA", "")
        return replace(place, pull=_number(pull.get("number", event.get("number"))), sha=str(sha))
    reference = re.fullmatch(r"refs/pull/(\d+)/(?:merge|head)", environment.get("GITHUB_REF", ""))
    sha = environment.get("GITHUB_SHA", "")
    if reference:
        return replace(place, pull=int(reference.group(1)), sha=sha)
    why = f"the event `{environment.get('GITHUB_EVENT_NAME') or 'unknown'}` belongs to no pull request"
    return replace(place, sha=sha, why=why)


def _workflow_run(place: Place, event: dict[str, Any]) -> Place:
    """The pull request of the run that ended: only from what the forge itself says in the event."""
    run = event["workflow_run"]
    if not isinstance(run, dict) or run.get("event") != "pull_request":
        return replace(place, why="the workflow that ended was not started by `pull_request`")
    sha = str(run.get("head_sha", ""))
    own = _get(event, "repository", "id")
    pulls = run.get("pull_requests")
    numbers = [
        _number(item.get("number"))
        for item in (pulls if isinstance(pulls, list) else [])
        if isinstance(item, dict) and own is not None and _get(item, "base", "repo", "id") == own
    ]
    if len(numbers) == 1 and numbers[0] is not None:
        return replace(place, pull=numbers[0], sha=sha, newest=True)
    owner, branch = _get(run, "head_repository", "owner", "login"), run.get("head_branch")
    if isinstance(owner, str) and isinstance(branch, str) and owner and branch:
        return replace(place, sha=sha, head=Head(owner, branch), newest=True)
    return replace(place, sha=sha, why="the event names neither a pull request nor the branch it comes from")


def _gitlab(environment: Mapping[str, str]) -> Place:
    project = environment.get("CI_PROJECT_ID", "")
    pull = _number(environment.get("CI_MERGE_REQUEST_IID"))
    # A merged-results pipeline runs on a commit that no branch has.
    sha = environment.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or environment.get("CI_COMMIT_SHA", "")
    why = (
        "" if pull else "this pipeline is not of a merge request: rules: if: $CI_PIPELINE_SOURCE == merge_request_event"
    )
    return Place(
        "gitlab",
        environment.get("CI_API_V4_URL", ""),
        environment.get("CI_MERGE_REQUEST_PROJECT_ID") or project,
        pull,
        sha,
        status_repository=project,
        run_url=plain_url(environment.get("CI_JOB_URL", "")),
        why=why,
    )


def _woodpecker(environment: Mapping[str, str]) -> Place | None:
    forge = FORGES.get(environment.get("CI_FORGE_TYPE", ""))
    if forge is None:
        return None
    url = plain_url(environment.get("CI_FORGE_URL", ""))
    paths = {"github": "https://api.github.com", "gitlab": f"{url}/api/v4", "gitea": f"{url}/api/v1"}
    pull = _number(environment.get("CI_COMMIT_PULL_REQUEST"))
    return Place(
        forge,
        paths[forge] if url or forge == "github" else "",
        environment.get("CI_REPO", ""),
        pull,
        environment.get("CI_COMMIT_SHA", ""),
        run_url=plain_url(environment.get("CI_PIPELINE_URL", "")),
        why="" if pull else "this pipeline belongs to no pull request",
    )


def check_place(place: Place) -> Place:
    """The place with a clean address. Raises UsageError naming the option that mends it."""
    api = plain_url(place.api)
    if not api:
        raise UsageError(f"{place.forge}: the address of its API is not known: give --api https://HOST/api/...")
    form = r"\d+|[\w.-]+(?:/[\w.-]+)+" if place.forge == "gitlab" else r"[\w.-]+/[\w.-]+"
    for name in filter(None, (place.repository, place.status_repository)):
        if not re.fullmatch(form, name, re.ASCII) or ".." in name:
            raise UsageError(f"{place.forge}: the repository is not of the form owner/name: give --repository")
    if not place.repository:
        raise UsageError(f"{place.forge}: the repository is not known: give --repository owner/name")
    if place.sha and not re.fullmatch(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", place.sha):
        raise UsageError("the commit is not a full hash of 40 or 64 hexadecimal digits: give --sha")
    return replace(place, api=api)


def _get(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _number(value: Any) -> int | None:
    """A pull request's number: a positive whole number, as JSON or as digits."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value)
    return int(text) if re.fullmatch(r"[1-9]\d{0,17}", text, re.ASCII) else None
