"""The routes that GitHub, Gitea and Forgejo share: comments of an issue, a pull request, the status of a commit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from profpipe.publish.interface import DESCRIPTION, Check, Pull, State
from profpipe.publish.place import Head, Place
from profpipe.publish.sticky import Comment
from profpipe.publish.wire import ForgeError, Wire


def is_owner_and_name(repository: str) -> bool:
    return re.fullmatch(r"[\w.-]+/[\w.-]+", repository, re.ASCII) is not None


@dataclass(slots=True)
class Issues:
    """Comments and statuses of one repository. Every method raises ForgeError."""

    wire: Wire
    place: Place
    page_size: int = 100
    neutral: str = "pending"  # a status of GitHub is nothing between a tick and a cross but this

    @property
    def repo(self) -> str:
        return f"/repos/{self.place.repository}"

    @property
    def issue(self) -> str:
        return f"{self.repo}/issues/{self.place.pull}/comments"

    def me(self) -> str | None:
        """Our own login; None when this token may not ask."""
        try:
            return _text(self.wire.call("GET", "/user").body, "login")
        except ForgeError as error:
            if error.denied or error.missing:
                return None
            raise

    def find_pull(self, head: Head, sha: str) -> int | None:  # noqa: ARG002
        return None

    def attach(self, comment: int, name: str, data: bytes) -> str | None:  # noqa: ARG002
        return None

    def pull(self) -> Pull:
        body = self.wire.call("GET", f"{self.repo}/pulls/{self.place.pull}").body
        if not isinstance(body, dict) or not isinstance(body.get("number"), int):
            raise ForgeError(f"pull request {self.place.pull}: unexpected response; check --api")
        head = body.get("head")
        sha = _text(head, "sha") or ""
        return Pull(body["number"], body.get("state") == "open", body.get("locked") is True, sha)

    def comments(self) -> Iterator[Comment]:
        for item in self.wire.pages(f"{self.issue}?per_page={self.page_size}&limit={self.page_size}"):
            yield to_comment(item)

    def create(self, body: str) -> Comment:
        return to_comment(self.wire.call("POST", self.issue, body={"body": body}).body)

    def update(self, comment: int, body: str) -> Comment:
        path = f"{self.repo}/issues/comments/{comment}"
        return to_comment(self.wire.call("PATCH", path, body={"body": body}).body)

    def delete(self, comment: int) -> None:
        self.wire.call("DELETE", f"{self.repo}/issues/comments/{comment}")

    def status(self, state: State, description: str, context: str, url: str) -> None:
        shown = self.neutral if state == "neutral" else state
        body: dict[str, Any] = {"state": shown, "description": description[:DESCRIPTION], "context": context}
        if url:
            body["target_url"] = url
        self.wire.call("POST", f"{self.repo}/statuses/{self.place.sha}", body=body)

    def check(self, check: Check) -> None:
        self.status(check.state, check.description, check.context, check.url)


def to_comment(item: Any) -> Comment:
    """Raises ForgeError when it is not a comment."""
    if not isinstance(item, dict) or not isinstance(item.get("id"), int):
        raise ForgeError("the forge's response is not a comment; check --api")
    author = _text(item.get("user"), "login") or ""
    return Comment(item["id"], item.get("body") or "", author, _text(item, "html_url") or "")


def _text(value: Any, key: str) -> str | None:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) else None
