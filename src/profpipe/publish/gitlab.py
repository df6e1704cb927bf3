"""GitLab: notes of a merge request and the status of a commit. Not verified against a real server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from profpipe.publish.issues import DESCRIPTION, Pull, State
from profpipe.publish.place import Place
from profpipe.publish.secret import Token
from profpipe.publish.sticky import Comment
from profpipe.publish.wire import ForgeError, Wire

# CI_JOB_TOKEN is answered with 401 on notes: it is not among the tokens.
JOB_TOKEN = (
    "CI_JOB_TOKEN cannot post notes: make a project access token with the scope `api` and the role Reporter or "
    "higher, and give it to the job as the masked variable PROFPIPE_TOKEN"
)


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

    def pull(self) -> Pull:
        body = self.wire.call("GET", self.merge_request).body
        if not isinstance(body, dict) or not isinstance(body.get("iid"), int):
            raise ForgeError(f"merge request {self.place.pull}: the answer is none; is --api right?")
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
            "state": "success" if state == "success" else "failed",
            "name": context,
            "description": description[:DESCRIPTION],
        }
        if url:
            query["target_url"] = url
        self.wire.call("POST", f"/projects/{project}/statuses/{self.place.sha}?{urlencode(query)}")

    def _comment(self, item: Any) -> Comment:
        if not isinstance(item, dict) or not isinstance(item.get("id"), int):
            raise ForgeError("GitLab answered something that is no note; is --api the address of its API?")
        author = item.get("author")
        name = author.get("username") if isinstance(author, dict) else None
        return Comment(item["id"], item.get("body") or "", name or "")


def gitlab(place: Place, token: Token, wire: Wire) -> GitLab:
    wire.headers = {"PRIVATE-TOKEN": token.value, "Accept": "application/json", "User-Agent": "profpipe"}
    return GitLab(wire, place)
