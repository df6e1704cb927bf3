"""A path for readiness may answer with another status than the request of the load."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from profpipe.capture.server.process import Supervised
from profpipe.capture.server.ready import Waiting
from profpipe.study.requests import Request
from profpipe.study.schema import Target
from tests.support.http_server import Answer, Server
from tests.support.study_file import SERVER, mistakes

pytestmark = pytest.mark.programs

CREATES = Request(method="POST", path="/items", body="{}", status=201)
EMPTY = b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n"


def answer(_number: int, request: bytes) -> Answer:
    return Answer(EMPTY % (201 if request.startswith(b"POST") else 204), close=True)


@pytest.mark.parametrize(
    ("ready", "serves", "words"),
    [
        ({}, True, "POST /items was answered with status 201, expected 201"),
        ({"http": "/health", "status": 204}, True, "GET /health was answered with status 204, expected 204"),
        ({"http": "/health", "status": 200}, False, "GET /health was answered with status 204, expected 200"),
        ({"http": "/health"}, False, "status 204, expected 201: ready.status sets another"),
    ],
    ids=["its own request", "another path", "wrong", "not said"],
)
def test_the_status_that_means_ready(ready: dict[str, Any], serves: bool, words: str) -> None:
    target = Target.model_validate({"command": ("x", "{port}"), "ready": ready})
    with Server(answer) as server:
        waiting = Waiting(cast("Supervised", None), target, server.port, CREATES, timeout=5)
        assert waiting._serves() is serves
    assert waiting.last.endswith(words)


def test_a_status_needs_its_path(tmp_path: Path) -> None:
    (line,) = mistakes(tmp_path, SERVER + "ready = { tcp = true, status = 204 }\n")
    assert line.endswith('target.a.ready.status: has no effect without http = "/PATH"')
