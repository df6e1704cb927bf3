"""Requests before the load: what is taken from their answers, what the load then sends, and what is never shown."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from profpipe import load
from profpipe.errors import Refused, SetUpFailed
from profpipe.load.set_up import LoggedIn, SetUp, carry_out
from profpipe.study.requests import Request, Route
from profpipe.study.schema import LoadPlan
from profpipe.study.setup import SetUpRequest, Take
from tests.support.http_server import OK, Answer, Server

TOKEN = "eyJhbGciOiJIUzI1NiJ9.secret-part"
LOGIN = SetUpRequest(
    method="POST",
    path="/login",
    body='{"user": "ann", "password": "hunter2hunter2"}',
    take={"token": Take(pointer="/access_token")},
)


def answer(body: bytes = b"", status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def gave(data: bytes, *steps: SetUpRequest, host: str = "127.0.0.1") -> LoggedIn:
    with Server(lambda _, __: Answer(data, close=True), host=host) as server:
        return carry_out(steps or (LOGIN,), host, server.port, trust=None, timeout=5.0)


def refusal(data: bytes, take: Take | None = None) -> str:
    step = LOGIN if take is None else LOGIN.model_copy(update={"take": {"it": take}})
    with pytest.raises(SetUpFailed) as caught:
        gave(data, step)
    return str(caught.value)


BODY = json.dumps({"access_token": TOKEN, "users": [{"a/b": 7, "m~n": True}], "none": None}).encode()


@pytest.mark.programs
@pytest.mark.parametrize(
    ("take", "value"),
    [
        (Take(pointer="/access_token"), TOKEN),
        (Take(pointer="/users/0/a~1b"), "7"),
        (Take(pointer="/users/0/m~0n"), "true"),
        (Take(pattern=r'"access_token": "(\w+)\.'), "eyJhbGciOiJIUzI1NiJ9"),
        (Take(header="x-token"), "from-a-header"),
        (Take(cookie="sid"), "session-1234"),
    ],
    ids=["a pointer", "a slash and a number", "a tilde and a truth", "a pattern", "a header", "a cookie"],
)
def test_a_value_is_taken_from_an_answer(take: Take, value: str) -> None:
    data = answer(BODY, "200 OK", "X-Token: from-a-header", "Set-Cookie: sid=session-1234; Path=/; HttpOnly")
    assert gave(data, LOGIN.model_copy(update={"take": {"it": take}})).values == {"it": value}


@pytest.mark.programs
@pytest.mark.parametrize(
    "data",
    [
        answer(gzip.compress(BODY), "200 OK", "Content-Encoding: gzip"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY),
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + BODY,
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + answer(BODY),
    ],
    ids=["gzip", "chunked", "until the connection ends", "after an interim answer"],
)
def test_an_answer_may_come_in_any_form(data: bytes) -> None:
    assert gave(data).values == {"token": TOKEN}


@pytest.mark.programs
@pytest.mark.parametrize(
    ("data", "take", "said"),
    [
        (answer(b'{"detail": "no\x00 such user"}', "401 Unauthorized"), None,
         'it was answered with status 401, 2xx was expected: {"detail": "no\\x00 such user"}'),
        (answer(b"", "302 Found", "Location: /home"), None,
         "it was answered with status 302 to /home; redirects are not followed, 2xx was expected, with an empty body"),
        (answer(b'{"detail": "wait"}'), None,
         "there is no {token}: nothing is at /access_token of its body: 'access_token' is missing (status 200): "
         '{"detail": "wait"}'),
        (answer(b"<p>hello</p>"), None, "there is no {token}: its body is not JSON"),
        (answer(b'{"access_token": null}'), None, "/access_token is null, which cannot be sent as a value"),
        (answer(b'{"access_token": "a\\r\\nX: y"}'), None, "has a line break or a NUL in it"),
        (answer(b'{"access_token": "{random:1-9}"}'), None, "has {seq}, {random:...} or {csv:...} in it"),
        (answer(b"hello"), Take(pattern="id=(x)"), "nothing in its body matches 'id=(x)' (status 200): hello"),
        (answer(b"hello"), Take(header="X-Token"), "it has no header X-Token"),
        (answer(b"hello"), Take(cookie="sid"), "it has set no cookie sid"),
        (answer(b"hi", "200 OK", "Set-Cookie: sid=1; Domain=shop.example"), Take(cookie="sid"),
         "the cookie sid is not kept, since it is for another host or has expired (Domain=shop.example)"),
        (answer(b"hi", "200 OK", "Set-Cookie: sid=1; Secure"), Take(cookie="sid"),
         "the cookie sid is for https only (Secure), and the server is reached by http"),
        (answer(b"hi", "200 OK", "Content-Encoding: br"), None, "its body is encoded as br"),
        (b"", None, "it gave no answer: it closed the connection"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", None, "it gave no answer: SSH-2.0-OpenSSH_9.2"),
        (answer(b"x", "200 OK", "X-Token: " + "t" * 70_000), None, "more than 65536 bytes"),
    ],
)  # fmt: skip
def test_a_set_up_that_fails_says_why(data: bytes, take: Take | None, said: str) -> None:
    text = refusal(data, take)
    assert text.startswith("the set-up failed at request 1, POST /login: ")
    assert said in text


@pytest.mark.programs
@pytest.mark.parametrize(
    "body",
    [
        {"error": "wrong password hunter2hunter2"},
        {"access_tokens": TOKEN},
        {"data": {"jwt": "a" * 200}},
    ],
    ids=["the password that was sent", "a token elsewhere", "a token in any field"],
)
def test_a_complaint_shows_no_secret(body: dict[str, object]) -> None:
    text = refusal(answer(json.dumps(body).encode(), "200 OK", "Set-Cookie: sid=session-1234"))
    assert not [secret for secret in ("hunter2hunter2", TOKEN, "a" * 20, "session-1234") if secret in text]


@pytest.mark.programs
def test_later_requests_have_what_earlier_answers_gave() -> None:
    seen: list[bytes] = []

    def each(number: int, request: bytes) -> Answer:
        seen.append(request)
        return Answer(answer(b'{"csrf": "c s/r+f"}' if number == 1 else BODY, "200 OK", f"Set-Cookie: n{number}=v"))

    form = SetUpRequest(path="/form", take={"csrf": Take(pointer="/csrf")})
    login = LOGIN.model_copy(update={"path": "/login/{csrf}", "body": "csrf={csrf}", "headers": {"X-Csrf": "{csrf}"}})
    with Server(each) as server:
        found = carry_out((form, login), "127.0.0.1", server.port, trust=None, timeout=5.0)
    top, _, body = seen[1].partition(b"\r\n\r\n")
    assert top.startswith(b"POST /login/c%20s%2Fr%2Bf HTTP/1.1\r\n")
    assert (b"\r\nX-Csrf: c s/r+f" in top, b"\r\nCookie: n1=v" in top, body) == (True, True, b"csrf=c s/r+f")
    assert {cookie.name for cookie in found.cookies} == {"n1", "n2"}


def test_a_place_without_a_value_is_sent_as_it_is() -> None:
    found = LoggedIn("http://127.0.0.1:80", {"a": "{b}", "b": "2"}, ())
    assert found.asked(Request(method="POST", body="{a}{b}{c}")).body == "{b}2{c}"


@pytest.mark.programs
def test_cookies_go_where_they_belong_beside_those_of_the_request() -> None:
    data = answer(
        b"", "200 OK", "Set-Cookie: all=1; Path=/", "Set-Cookie: api=2; Path=/api", "Set-Cookie: gone=3; Max-Age=0"
    )
    found = gave(data, SetUpRequest(path="/api/login"))
    assert found.asked(Request(path="/items")).headers == {"Cookie": "all=1"}
    assert found.asked(Request(path="/api/x", headers={"cookie": "lang=de"})).headers == {
        "cookie": "lang=de; api=2; all=1"
    }


@pytest.mark.programs
@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "socket"])
def test_cookies_are_kept_however_the_server_is_reached(host: str, tmp_path: Path) -> None:
    host = str(tmp_path / "s") if host == "socket" else host
    found = gave(answer(b"", "204 No Content", "Set-Cookie: sid=1; Path=/"), SetUpRequest(), host=host)
    assert found.asked(Request()).headers == {"Cookie": "sid=1"}


@pytest.mark.programs
def test_a_server_that_is_not_ready_is_asked_again_and_one_that_refuses_is_not() -> None:
    def busy(number: int, _: bytes) -> Answer:
        return Answer(answer(b"", "503 Service Unavailable") if number < 3 else answer(BODY))

    with Server(busy) as server:
        assert carry_out((LOGIN,), "127.0.0.1", server.port, trust=None, timeout=5.0).values == {"token": TOKEN}
        assert server.requests == 3


def _shop(log: list[bytes]) -> Callable[[int, bytes], Answer]:
    def shop(_: int, request: bytes) -> Answer:
        log.append(request)
        if request.startswith(b"POST /login"):
            return Answer(answer(BODY, "200 OK", "Set-Cookie: sid=session-1234"))
        good = f"Authorization: Bearer {TOKEN}".encode() in request and b"Cookie: sid=session-1234" in request
        return Answer(OK if good else answer(b"", "401 Unauthorized"))

    return shop


PLAN = LoadPlan(
    requests=20,
    connections=2,
    warmup=4,
    setup=(LOGIN,),
    request=(Route(name="me", path="/me", headers={"Authorization": "Bearer {token}"}),),
)


@pytest.mark.programs
def test_the_set_up_is_carried_out_once_for_all_loads_of_a_start(tmp_path: Path) -> None:
    log: list[bytes] = []
    start = SetUp()
    with Server(_shop(log)) as server:
        for name in ("warm-up", "load"):
            plan = start.ready(PLAN, "127.0.0.1", server.port)
            found = load.run("builtin", plan, "127.0.0.1", server.port, cpus=(), folder=tmp_path / name)
            assert (found.served, found.failed) == (20, 0)
    assert sum(request.startswith(b"POST /login") for request in log) == 1
    written = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert written
    assert not [secret for secret in (TOKEN.encode(), b"session-1234") if secret in written]
    assert set(start.secrets) == {TOKEN, "session-1234"}


def test_only_the_built_in_client_is_given_what_a_set_up_took() -> None:
    assert load.choose(PLAN.model_copy(update={"mode": "closed"})) == "builtin"
    for name in ("wrk", "h2load"):
        one = PLAN.model_copy(update={"generator": name, "mode": "closed", "request_": Request()})
        with pytest.raises(Refused, match="is told headers in its command, where everybody sees"):
            load.choose(one)
