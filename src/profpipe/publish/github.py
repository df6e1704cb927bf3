"""GitHub: api.github.com and GitHub Enterprise Server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from profpipe.publish.actions import from_actions, is_gitea
from profpipe.publish.interface import Action, Annotation, Check, Pages, State
from profpipe.publish.issues import Issues, is_owner_and_name
from profpipe.publish.place import Head, Place
from profpipe.publish.secret import Token
from profpipe.publish.wire import ForgeError, Wire

NAME = "github"
API = "https://api.github.com"
TOKENS = ("PROFPIPE_TOKEN", "GITHUB_TOKEN", "GH_TOKEN")
TOKEN_HINT = ""
NEEDS: Mapping[Action, str] = {
    "comment": "pull-requests: write",
    "commit": "statuses: write",
    "check": "checks: write",
}
TAKES_PAGE = False
PAGES = Pages(commit="commit/{sha}", file="blob/{sha}/{path}")
# GITHUB_TOKEN may not ask who it is; its comments are by this login.
ACTIONS = "github-actions[bot]"
SUMMARY = 65_535
ANNOTATIONS = 50  # of one request
CONCLUSIONS: Mapping[State, str] = {
    "success": "success",
    "failure": "failure",
    "error": "neutral",
    "neutral": "neutral",
}


def detect(environment: Mapping[str, str]) -> Place | None:
    """The pull request of a job of GitHub Actions."""
    if environment.get("GITHUB_ACTIONS") != "true" or is_gitea(environment):
        return None
    return from_actions(NAME, API, environment)


def api_of(url: str) -> str:
    """Of GitHub Enterprise Server."""
    return f"{url}/api/v3"


def fits(repository: str) -> bool:
    return is_owner_and_name(repository)


def forbidden(need: str, token: Token) -> str:  # noqa: ARG001
    return (
        f"The job needs `permissions: {need}`; a pull request from a fork has a read-only token whatever the "
        "workflow says: use the two workflows for forks in docs/ci.md"
    )


def connect(place: Place, token: Token, wire: Wire) -> GitHub:
    wire.headers = {
        "Authorization": f"Bearer {token.value}",
        # Alone, the first is answered with 406 by servers that only know the plain one.
        "Accept": "application/vnd.github+json, application/json",
        "X-GitHub-Api-Version": "2022-11-28",
        "User-Agent": "profpipe",
    }
    return GitHub(wire, place)


@dataclass(slots=True)
class GitHub(Issues):
    """The routes of Issues, and a check run in place of a status."""

    def me(self) -> str | None:
        return Issues.me(self) or ACTIONS

    def find_pull(self, head: Head, sha: str) -> int:
        """The open pull request from that branch at that commit. Raises ForgeError when there is none, or several."""
        query = f"state=open&per_page=100&head={quote(f'{head.owner}:{head.branch}', safe='')}"
        found = [item for item in self.wire.pages(f"{self.repo}/pulls?{query}") if _is_at(item, head, sha)]
        if len(found) != 1:
            many = "no open pull request is" if not found else f"{len(found)} open pull requests are"
            raise ForgeError(f"{many} at commit {sha[:12]} of the branch that was measured; it may have moved on")
        return int(found[0]["number"])

    def check(self, check: Check) -> None:
        """A finished check run on the commit; needs `checks: write`."""
        output: dict[str, Any] = {"title": check.description[:255], "summary": _cut(check.summary, SUMMARY)}
        if check.annotations:
            output["annotations"] = [_annotation(each) for each in check.annotations[:ANNOTATIONS]]
        body: dict[str, Any] = {
            "name": check.context,
            "head_sha": self.place.sha,
            "status": "completed",
            "conclusion": CONCLUSIONS[check.state],
            "output": output,
        }
        if check.url:
            body["details_url"] = check.url
        self.wire.call("POST", f"{self.repo}/check-runs", body=body)


def _annotation(found: Annotation) -> dict[str, Any]:
    return {
        "path": found.path,
        "start_line": found.first,
        "end_line": found.last,
        "annotation_level": "failure" if found.failure else "warning",
        "title": found.title[:255],
        "message": found.text,
    }


def _is_at(item: Any, head: Head, sha: str) -> bool:
    side = item.get("head") if isinstance(item, dict) else None
    return (
        isinstance(side, dict)
        and side.get("sha") == sha
        and side.get("ref") == head.branch
        and isinstance(item.get("number"), int)
    )


def _cut(text: str, limit: int) -> str:
    """GitHub counts characters; a cut summary says so."""
    if len(text) <= limit:
        return text
    return text[: limit - 60].rpartition("\n")[0] + "\n\nCut to fit. The comment has more."
