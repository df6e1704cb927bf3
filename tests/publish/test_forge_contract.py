"""What we send against what the forges say of themselves: GitHub's own description by Prism, Gitea's by its routes."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from profpipe.pipeline.attach.message import AttachOptions
from profpipe.publish import github
from profpipe.publish.github import GitHub
from profpipe.publish.interface import Annotation, Check
from profpipe.publish.place import Head, Place
from profpipe.publish.secret import Token
from profpipe.publish.wire import ForgeError, Wire
from tests.support.attach_driving import Pauses, attach, gitea_environment, github_environment
from tests.support.forge_server import HEAD_SHA, Asked, Forge
from tests.support.paths import FORGE
from tests.support.tools import PRISM, require

pytestmark = pytest.mark.programs

SPEC = json.loads((FORGE / "github.json").read_text())


@pytest.fixture(scope="module")
def prism(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A request that breaks GitHub's description is answered with 422. (Not with --errors: it then also judges the
    description's own examples, and two of them lack what their schema requires.)
    """
    require("prism")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    log = tmp_path_factory.mktemp("prism") / "log"
    with log.open("wb") as out:
        command = [str(PRISM), "mock", "-h", "127.0.0.1", "-p", str(port), str(FORGE / "github.json")]
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        for _ in range(600):
            if "Prism is listening" in log.read_text(errors="replace"):
                break
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        else:
            pytest.fail(f"prism did not start: {log.read_text()}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def at(url: str, *, pull: int | None = 1347) -> GitHub:
    place = Place("github", url, "acme/server", pull, HEAD_SHA)
    return github.connect(place, Token("GITHUB_TOKEN", "x"), Wire(url, {}, sleep=Pauses()))


@pytest.mark.real
def test_every_call_of_ours_is_one_that_github_describes(prism: str) -> None:
    forge = at(prism)
    assert forge.me() == "octocat"
    assert forge.pull().number == 1347
    assert forge.pull().open
    assert {c.author for c in forge.comments()} == {"octocat"}
    assert forge.create("text").id == 1
    assert forge.update(1, "text").url.startswith("https://github.com/")
    forge.delete(1)
    forge.status("success", "d", "profpipe/x", "https://ci.example/1")
    forge.status("error", "d", "profpipe/x", "")
    forge.check(Check("error", "title", "profpipe/x", "https://ci.example/1", "summary"))
    with pytest.raises(ForgeError, match="no open pull request is at commit"):
        forge.find_pull(Head("octocat", "new-topic"), HEAD_SHA)
    forge.wire.close()


@pytest.mark.real
def test_a_whole_attach_against_githubs_description(prism: str, forge: Forge, tmp_path: Path) -> None:
    described = at(prism)
    newest = described.pull().head  # of the description's own example: an older commit gets no comment
    described.wire.close()
    environment = github_environment(forge, tmp_path, head=newest) | {"GITHUB_API_URL": prism}
    for status in ("commit", "check"):
        outcome = attach(environment, AttachOptions(status=status, link="https://ci.example/1"))  # type: ignore[arg-type]
        assert outcome.warnings == []
        assert outcome.comment_id == 1


@pytest.mark.real
def test_prism_itself_refuses_what_github_would(prism: str) -> None:
    """Else the tests above prove nothing."""
    forge = at(prism)
    with pytest.raises(ForgeError) as missing:
        forge.wire.call("POST", forge.issue, body={"text": "no body"})
    assert missing.value.status == 422
    with pytest.raises(ForgeError) as state:
        forge.status("fine", "d", "c", "")  # type: ignore[arg-type]
    assert state.value.status == 422
    with pytest.raises(ForgeError) as number:
        forge.wire.call("GET", "/repos/acme/server/pulls/seven")
    assert number.value.status == 422
    body = {"name": "c", "head_sha": HEAD_SHA, "output": {"title": "t", "summary": "x" * 70_000}}
    with pytest.raises(ForgeError) as long:
        forge.wire.call("POST", "/repos/acme/server/check-runs", body=body)
    assert long.value.status == 422
    forge.wire.headers = dict(forge.wire.headers) | {"Accept": "application/vnd.github+json"}
    with pytest.raises(ForgeError) as accept:
        forge.wire.call("GET", "/user")
    assert accept.value.status == 406
    forge.wire.close()


@pytest.mark.real
def test_a_summary_beyond_githubs_limit_is_cut_before_it_is_sent(prism: str) -> None:
    forge = at(prism)
    forge.check(Check("failure", "t" * 400, "c", "", "line\n" * 20_000, (Annotation("a.c", 3, 4, "t", "m"),) * 60))
    forge.wire.close()


def matches(asked: Asked, routes: list[tuple[str, str]]) -> bool:
    return any(
        method == asked.method and re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)), asked.path)
        for method, path in routes
    )


def test_all_routes_that_gitea_is_asked_for_are_gitea_s(forge: Forge, tmp_path: Path) -> None:
    """A first and a second attach with duplicates, refused and replaced assets: every call we have for Gitea."""
    lines = (FORGE / "gitea-routes.txt").read_text().splitlines()
    routes = [(method, path) for method, _, path in (line.partition(" ") for line in lines)]
    environment = gitea_environment(forge, tmp_path)
    forge.state.refused_endings = (".html",)
    attach(environment)
    first = forge.state.comments[0]
    forge.state.comment(first["body"], forge.state.login)
    attach(environment)
    assert {(a.method, "assets" in a.path) for a in forge.state.asked} == {
        *(("GET", False), ("POST", False), ("PATCH", False), ("DELETE", False)),
        *(("GET", True), ("POST", True), ("DELETE", True)),
    }
    assert [f"{a.method} {a.path}" for a in forge.state.asked if not matches(a, routes)] == []


def test_all_routes_that_github_is_asked_for_are_in_the_description_we_keep(forge: Forge, tmp_path: Path) -> None:
    routes = [(method.upper(), path) for path, item in SPEC["paths"].items() for method in item]
    environment = github_environment(forge, tmp_path)
    for status in ("commit", "check"):
        attach(environment, AttachOptions(status=status))  # type: ignore[arg-type]
    assert [f"{a.method} {a.path}" for a in forge.state.asked if not matches(a, routes)] == []
