"""A forge on loopback that keeps state: pull requests, comments and statuses as GitHub, Gitea and GitLab answer them.

Stands in for what no description of an API can: stickiness, paging, races, faults. Contract checks are elsewhere.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

HEAD_SHA = "ab" * 20
TOKEN = "t0k-forge-4711-canary"


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answer:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def say(status: int, body: Any = None, **headers: str) -> Answer:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is None:
        return Answer(status, b"", sent)
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json; charset=utf-8"} | sent)


def page(status: int = 200) -> Answer:
    return Answer(status, b"<!DOCTYPE html><title>Sign in</title>", {"Content-Type": "text/html"})


@dataclass
class State:
    """`faults` are asked first: one that returns an answer hides the forge behind it."""

    login: str = "profpipe-bot"
    may_ask_who: bool = True
    comments: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)
    assets: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    refused_endings: tuple[str, ...] = ()
    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    faults: list[Callable[[Asked], Answer | None]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    before_create: Callable[[], None] | None = None

    def comment(self, body: str, author: str = "somebody") -> dict[str, Any]:
        number = max((c["id"] for c in self.comments), default=100) + 1
        made = {"id": number, "body": body, "user": {"login": author}, "html_url": f"https://forge.example/c/{number}"}
        self.comments.append(made | {"author": {"username": author}})
        return self.comments[-1]

    def mine(self) -> list[dict[str, Any]]:
        return [c for c in self.comments if c["user"]["login"] == self.login]

    def count(self, method: str, pattern: str) -> int:
        return sum(a.method == method and re.search(pattern, a.path) is not None for a in self.asked)


def fail(times: int, answer: Answer, method: str = "", path: str = "") -> Callable[[Asked], Answer | None]:
    """The first `times` matching requests get this answer."""
    left = [times]

    def fault(asked: Asked) -> Answer | None:
        if left[0] > 0 and method in ("", asked.method) and re.search(path, asked.path):
            left[0] -= 1
            return answer
        return None

    return fault


def route(state: State, asked: Asked, base: str) -> Answer:
    for fault in state.faults:
        found = fault(asked)
        if found is not None:
            return found
    if TOKEN not in asked.headers.get("authorization", "") + asked.headers.get("private-token", ""):
        return say(401, {"message": "Bad credentials"})
    for pattern, serve in ROUTES:
        match = re.fullmatch(pattern, f"{asked.method} {asked.path}")
        if match:
            return serve(state, asked, base, *match.groups())
    return say(404, {"message": "Not Found"})


def _user(state: State, asked: Asked, base: str) -> Answer:
    if not state.may_ask_who:
        return say(403, {"message": "Resource not accessible by integration"})
    return say(200, {"login": state.login, "username": state.login, "id": 1})


def _pull(state: State, asked: Asked, base: str, number: str) -> Answer:
    found = state.pulls.get(int(number))
    return say(200, found) if found else say(404, {"message": "Not Found"})


def _pulls(state: State, asked: Asked, base: str) -> Answer:
    head = asked.query.get("head", [""])[0]
    return say(200, [p for p in state.pulls.values() if p["state"] == "open" and p["head"]["label"] == head])


def _list(state: State, asked: Asked, base: str, *_: str) -> Answer:
    size, at = int(asked.query.get("per_page", ["30"])[0]), int(asked.query.get("page", ["1"])[0])
    with state.lock:
        items = state.comments[(at - 1) * size : at * size]
        more = len(state.comments) > at * size
    # GitHub's own link names the repository by its number: a path of another form.
    link = (
        f'<{base}/repositories/9{asked.path}?per_page={size}&page={at + 1}>; rel="next", <{base}/x?page=9>; rel="last"'
    )
    return say(200, items, **({"Link": link} if more else {}))


def _create(state: State, asked: Asked, base: str, *_: str) -> Answer:
    if state.before_create:
        state.before_create()
    with state.lock:
        return say(201, state.comment(asked.json["body"], state.login))


def _find(state: State, number: str) -> dict[str, Any] | None:
    return next((c for c in state.comments if c["id"] == int(number)), None)


def _update(state: State, asked: Asked, base: str, number: str) -> Answer:
    with state.lock:
        found = _find(state, number)
        if found is None:
            return say(404, {"message": "Not Found"})
        if found["user"]["login"] != state.login:
            return say(403, {"message": "Must be the author"})
        found["body"] = asked.json["body"]
        return say(200, found)


def _delete(state: State, asked: Asked, base: str, number: str) -> Answer:
    with state.lock:
        found = _find(state, number)
        if found is None:
            return say(404, {"message": "Not Found"})
        state.comments.remove(found)
        return say(204)


def _status(state: State, asked: Asked, base: str, sha: str) -> Answer:
    body = asked.json if asked.body else {key: value[0] for key, value in asked.query.items()}
    state.statuses.append(body | {"sha": sha})
    return say(201, {"id": len(state.statuses)})


def _check(state: State, asked: Asked, base: str) -> Answer:
    state.checks.append(asked.json)
    return say(201, {"id": len(state.checks)})


def _assets(state: State, asked: Asked, base: str, number: str) -> Answer:
    return say(200, state.assets.get(int(number), []))


def _upload(state: State, asked: Asked, base: str, number: str) -> Answer:
    name = re.search(rb'filename="([^"]+)"', asked.body)
    assert name, "an upload without a file name"
    text = name.group(1).decode()
    if text.endswith(state.refused_endings or ("\0",)):
        return say(
            400, {"message": "This file cannot be uploaded or modified due to a forbidden file extension or type."}
        )
    listed = state.assets.setdefault(int(number), [])
    made = {"id": 900 + sum(map(len, state.assets.values())), "name": text, "size": len(asked.body)}
    made["browser_download_url"] = f"https://forge.example/attachments/{made['id']}"
    listed.append(made)
    return say(201, made)


def _remove_asset(state: State, asked: Asked, base: str, number: str, asset: str) -> Answer:
    listed = state.assets.get(int(number), [])
    state.assets[int(number)] = [a for a in listed if a["id"] != int(asset)]
    return say(204)


REPO = r"/repos/acme/server"
ROUTES: tuple[tuple[str, Callable[..., Answer]], ...] = (
    (r"GET /user", _user),
    (rf"GET {REPO}/pulls", _pulls),
    (rf"GET {REPO}/pulls/(\d+)", _pull),
    (rf"GET {REPO}/issues/\d+/comments", _list),
    (rf"POST {REPO}/issues/\d+/comments", _create),
    (rf"PATCH {REPO}/issues/comments/(\d+)", _update),
    (rf"DELETE {REPO}/issues/comments/(\d+)", _delete),
    (rf"GET {REPO}/issues/comments/(\d+)/assets", _assets),
    (rf"POST {REPO}/issues/comments/(\d+)/assets", _upload),
    (rf"DELETE {REPO}/issues/comments/(\d+)/assets/(\d+)", _remove_asset),
    (rf"POST {REPO}/statuses/(\w+)", _status),
    (rf"POST {REPO}/check-runs", _check),
    (r"GET /projects/77/merge_requests/(\d+)", _pull),
    (r"GET /projects/77/merge_requests/\d+/notes", _list),
    (r"POST /projects/77/merge_requests/\d+/notes", _create),
    (r"PUT /projects/77/merge_requests/\d+/notes/(\d+)", _update),
    (r"DELETE /projects/77/merge_requests/\d+/notes/(\d+)", _delete),
    (r"POST /projects/77/statuses/(\w+)", _status),
)


class Forge:
    """The server; `with Forge() as forge:`. `forge.url` is the address of its API."""

    def __init__(self) -> None:
        self.state = State()
        head = {"sha": HEAD_SHA, "ref": "faster", "label": "fork:faster"}
        self.state.pulls[7] = {"number": 7, "iid": 7, "state": "open", "locked": False, "head": head, "sha": HEAD_SHA}
        state = self.state

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.headers.get("Transfer-Encoding") == "chunked":
                    raise AssertionError("a body without a length")
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, parts.path.removeprefix("/api"), parse_qs(parts.query), headers, body)
                state.asked.append(asked)
                answer = route(state, asked, f"http://{self.headers['Host']}/api")
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = serve

            def log_message(self, *words: Any) -> None:
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/api"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Forge:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)
