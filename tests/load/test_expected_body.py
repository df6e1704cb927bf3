"""`expect_body`: an answer with another body is not served, whoever asks; where nothing is expected, none is kept."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import pytest

from profpipe import load
from profpipe.errors import Refused
from profpipe.load.expected import Expected
from profpipe.load.response import Response
from profpipe.load.slices.client import Address, Block, Client, VariantFailed
from profpipe.study.requests import ExpectedBody, Request, Route
from profpipe.study.schema import LoadPlan
from tests.support.http_server import Answer, Server
from tests.support.study_file import SERVER, mistakes

BODY = '{"ok": true, "items": [{"name": "läsp"}], "n": 1}'.encode()


def fault(body: bytes, encoding: str = "", **rule: Any) -> str | None:
    return Expected(ExpectedBody(**rule).model_dump()).fault(body, encoding)


@pytest.mark.parametrize(
    "rule",
    [
        {"contains": "läsp"},
        {"pattern": r'"n": \d'},
        {"pointer": "/items/0/name"},
        {"pointer": "/ok", "equals": True},
        {"pointer": "/n", "equals": 1},
        {"pointer": "/n", "equals": 1.0},
    ],
)
def test_a_body_that_is_as_expected(rule: dict[str, Any]) -> None:
    assert fault(BODY, **rule) is None
    assert fault(gzip.compress(BODY), "gzip", **rule) is None


@pytest.mark.parametrize(
    ("body", "rule", "said"),
    [
        (BODY, {"contains": "lamp"}, 'unexpected body: "lamp" is not in it'),
        (b"", {"pattern": "^a"}, "unexpected body: nothing in it matches '^a'"),
        (BODY, {"pointer": "/items/1"}, "unexpected body: nothing is at /items/1"),
        (BODY, {"pointer": "/n", "equals": True}, "unexpected body: /n is not true"),
        (BODY, {"pointer": "/n", "equals": "1"}, 'unexpected body: /n is not "1"'),
        (b"<p>", {"pointer": "/n", "equals": 2}, "unexpected body: /n is not 2"),
        (b"[" * 100_000, {"pointer": "/0"}, "unexpected body: nothing is at /0"),
    ],
)
def test_a_body_that_is_not(body: bytes, rule: dict[str, Any], said: str) -> None:
    assert fault(body, **rule) == said


def test_a_body_that_cannot_be_unpacked_is_not_taken_for_a_good_one() -> None:
    assert "its body is encoded as br" in str(fault(BODY, "br", contains="ok"))
    assert "its body is not gzip, as it says" in str(fault(BODY, "gzip", contains="ok"))
    whole = gzip.compress(BODY)
    assert fault(whole, "gzip", contains="ok") is None
    assert "its body is not gzip, as it says (it is cut)" in str(fault(whole[:-9], "gzip", contains="ok"))
    bomb = gzip.compress(bytes(65 << 20), 1)
    assert "its body has more than 67,108,864 bytes once it is unpacked" in str(fault(bomb, "gzip", contains="ok"))


def test_no_body_is_kept_where_nothing_is_expected() -> None:
    for keeps, kept in ((False, b""), (True, b"hi")):
        response = Response(head=False, keeps_body=keeps)
        response.parser.feed_data(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        assert (response.body_bytes, response.body) == (2, kept)


def answer(body: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers, b"", b""]) + body


def shop(number: int, request: bytes) -> Answer:
    """Every fourth answer of /some is wrong; /all is right, in two pieces that no fast path knows."""
    if request.startswith(b"GET /some"):
        return Answer(answer(b"sorry" if number % 4 == 0 else b"a lamp"))
    return Answer(answer(gzip.compress(b"a lamp %d" % number), b"Content-Encoding: gzip"))


@pytest.mark.programs
def test_the_built_in_client_counts_answers_with_another_body_as_failed(tmp_path: Path) -> None:
    expect = ExpectedBody(contains="lamp")
    routes = (Route(name="some", path="/some", expect_body=expect), Route(name="all", path="/all", expect_body=expect))
    plan = LoadPlan(requests=40, connections=1, warmup=0, request=routes)
    with Server(shop) as server:
        found = load.run("builtin", plan, "127.0.0.1", server.port, cpus=(), folder=tmp_path)
    assert list(found.errors) == ['route some: unexpected body: "lamp" is not in it']
    assert 0 < found.failed < 20
    assert found.served + found.failed == 40


@pytest.mark.programs
def test_a_body_that_ends_with_its_connection_is_checked(tmp_path: Path) -> None:
    data = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nsorry"
    plan = LoadPlan(requests=4, connections=1, request=Request(expect_body=ExpectedBody(contains="lamp")))
    with Server(lambda _, __: Answer(data, close=True)) as server:
        found = load.run("builtin", plan, "127.0.0.1", server.port, cpus=(), folder=tmp_path)
    assert (found.served, dict(found.errors)) == (0, {'unexpected body: "lamp" is not in it': 4})


@pytest.mark.programs
def test_slices_name_the_route_and_show_what_came() -> None:
    routes = (Route(name="some", path="/some", expect_body=ExpectedBody(pattern="^a lamp$")),)
    with Server(shop) as server, Client((), timeout=5.0) as client:
        client.open([Address("127.0.0.1", server.port, os.getpid(), routes[0].alone, routes)], 1)
        with pytest.raises(VariantFailed) as caught:
            client.slices([[0]], [], 10.0, blocks=[Block(0, (8,))])
    said = "route some: it answered with an unexpected body: nothing in it matches '^a lamp$': sorry"
    assert caught.value.reason == said


@pytest.mark.parametrize("name", ["wrk", "h2load"])
def test_other_generators_are_refused(name: str) -> None:
    request = Request(expect_body=ExpectedBody(contains="x"))
    with pytest.raises(Refused, match="does not look at bodies"):
        load.choose(LoadPlan(mode="closed", generator=name, request=request))


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('{ contains = "a", pattern = "b" }', ": one of contains, pattern, pointer says what is expected"),
        ("{ equals = 2 }", ".equals: has no effect without pointer"),
        ('{ pointer = "a" }', ".pointer: a JSON pointer starts with `/`"),
        ("{ pattern = '(' }", ".pattern: not a regular expression: "),
        ('{ contains = "" }', ".contains: must not be empty: every body has that"),
        ('{ content = "a" }', '.content: unknown key; did you mean "contains"?'),
    ],
)  # fmt: skip
def test_mistakes(tmp_path: Path, rule: str, said: str) -> None:
    text = SERVER + f'[study.s]\ntargets = ["a"]\n[study.s.load.request]\nexpect_body = {rule}\n'
    assert any(f"study.s.load.request.expect_body{said}" in line for line in mistakes(tmp_path, text))
