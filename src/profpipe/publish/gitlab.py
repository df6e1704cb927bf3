"""GitLab: notes of a merge request and the status of a commit. Not verified against a real server."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from profpipe.publish.interface import DESCRIPTION, Action, Check, Pages, Pull, State
from profpipe.publish.place import Head, Place, pull_number
from profpipe.publish.secret import Token, plain_url
from profpipe.publish.sticky import Comment
from profpipe.publish.wire import ForgeError, Wire

NAME = "gitlab"
API = ""
TOKENS = ("PROFPIPE_TOKEN", "GITLAB_TOKEN")
# CI_JOB_TOKEN is answered with 401 on notes: it is not among the tokens.
TOKEN_HINT = (
    "CI_JOB_TOKEN cannot post notes: make a project access token with the scope `api` and the role Reporter or "
    "higher, and give it to the job as the masked variable PROFPIPE_TOKEN"
)
NEEDS: Mapping[Action, str] = {"comment": "api", "commit": "api", "check": "api"}
TAKES_PAGE = False
PAGES = Pages(commit="-/commit/{sha}", file="-/blob/{sha}/{path}")


def detect(environment: Mapping[str, str]) -> Place | None:
    """The merge request of a GitLab CI pipeline."""
    if environment.get("GITLAB_CI") != "true":
        return None
    project = environment.get("CI_PROJECT_ID", "")
    pull = pull_number(environment.get("CI_MERGE_REQUEST_IID"))
    # A merged-results pipeline runs on a commit that no branch has.
    sha = environment.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or environment.get("CI_COMMIT_SHA", "")
    why = (
        "" if pull else "this pipeline is not of a merge request: rules: if: $CI_PIPELINE_SOURCE == merge_request_event"
    )
    return Place(
        NAME,
        environment.get("CI_API_V4_URL", ""),
        environment.get("CI_MERGE_REQUEST_PROJECT_ID") or project,
        pull,
        sha,
        newest=pull is not None,
        status_repository=project,
        run_url=plain_url(environment.get("CI_JOB_URL", "")),
        web=plain_url(environment.get("CI_PROJECT_URL", "")),
        why=why,
    )


def api_of(url: str) -> str:
    return f"{url}/api/v4"


def fits(repository: str) -> bool:
    """A project's id, or its path of any depth."""
    return re.fullmatch(r"\d+|[\w.-]+(?:/[\w.-]+)+", repository, re.ASCII) is not None


def forbidden(need: str, token: Token) -> str:
    return f"The token in {token.name} needs the scope `{need}`"


def connect(place: Place, token: Token, wire: Wire) -> GitLab:
    wire.headers = {"PRIVATE-TOKEN": token.value, "Accept": "application/json", "User-Agent": "profpipe"}
    return GitLab(wire, place)


@dataclass(slots=True)
class GitLab:
    """Every method raises ForgeError."""

    wire: Wire
    place: Place

    @property
    def merge_request(self) -> str:
        return f"/projects/{quote(self.place.repository, safe='')}/merge_requests/{self.place.pull}"

    def me(self) -> str | None:
        try:
            body = self.wire.call("GET", "/user").body
        except ForgeError as error:
            if error.denied or error.missing:
                return None
            raise
        return body.get("username") if isinstance(body, dict) else None

    def find_pull(self, head: Head, sha: str) -> int | None:  # noqa: ARG002
        return None

    def attach(self, comment: int, name: str, data: bytes) -> str | None:  # noqa: ARG002
        return None

    def pull(self) -> Pull:
        body = self.wire.call("GET", self.merge_request).body
        if not isinstance(body, dict) or not isinstance(body.get("iid"), int):
            raise ForgeError(f"merge request {self.place.pull}: unexpected response; check --api")
        locked = body.get("discussion_locked") is True
        return Pull(body["iid"], body.get("state") == "opened", locked, str(body.get("sha") or ""))

    def comments(self) -> Iterator[Comment]:
        for item in self.wire.pages(f"{self.merge_request}/notes?per_page=100&sort=asc&order_by=created_at"):
            yield self._comment(item)

    def create(self, body: str) -> Comment:
        return self._comment(self.wire.call("POST", f"{self.merge_request}/notes", body={"body": body}).body)

    def update(self, comment: int, body: str) -> Comment:
        path = f"{self.merge_request}/notes/{comment}"
        return self._comment(self.wire.call("PUT", path, body={"body": body}).body)

    def delete(self, comment: int) -> None:
        self.wire.call("DELETE", f"{self.merge_request}/notes/{comment}")

    def status(self, state: State, description: str, context: str, url: str) -> None:
        project = quote(self.place.status_repository or self.place.repository, safe="")
        query = {
            "state": {"success": "success", "neutral": "canceled"}.get(state, "failed"),
            "name": context,
            "description": description[:DESCRIPTION],
        }
        if url:
            query["target_url"] = url
        self.wire.call("POST", f"/projects/{project}/statuses/{self.place.sha}?{urlencode(query)}")

    def check(self, check: Check) -> None:
        self.status(check.state, check.description, check.context, check.url)

    def _comment(self, item: Any) -> Comment:
        if not isinstance(item, dict) or not isinstance(item.get("id"), int):
            raise ForgeError("GitLab's response is not a note; check --api")
        author = item.get("author")
        name = author.get("username") if isinstance(author, dict) else None
        return Comment(item["id"], item.get("body") or "", name or "")
