"""Where a report goes: forge, repository, pull request and commit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Head:
    """The branch a workflow_run was started by, for finding its pull request: a fork's event names no number."""

    owner: str
    branch: str


@dataclass(frozen=True, slots=True)
class Place:
    """`forge` = Forge.NAME, `api` the address of its API, `repository` = owner/name, or GitLab's project id.

    `web` = the address of the repository's page, empty where it is not known. `status_repository` = where the commit
    is, if elsewhere. `newest` = the commit must still be the newest of the pull request: somebody may have pushed while
    it was measured. `why` = the reason why `pull` is not known.
    """

    forge: str
    api: str
    repository: str
    pull: int | None = None
    sha: str = ""
    head: Head | None = None
    newest: bool = False
    status_repository: str = ""
    run_url: str = ""
    web: str = ""
    why: str = ""


def get(value: Any, *keys: str) -> Any:
    """The value at these keys of nested JSON objects; None where one is missing."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def pull_number(value: Any) -> int | None:
    """A pull request's number: a positive whole number, as JSON or as digits."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value)
    return int(text) if re.fullmatch(r"[1-9]\d{0,17}", text, re.ASCII) else None
