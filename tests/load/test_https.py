"""Loads by https: both built-in clients, what they accept, and what the other generators are told."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from profpipe import load
from profpipe.capture.server.certificate import Certificate, make
from profpipe.errors import Refused
from profpipe.load.exchange import Exchange
from profpipe.load.plan import request_bytes, url
from profpipe.load.slices.closed_loop import ClosedLoop
from profpipe.load.slices.connection import SliceError
from profpipe.study.requests import Request
from profpipe.study.schema import LoadPlan
from profpipe.tls import Trust
from tests.support.http_server import OK, Answer, Server
from tests.support.tools import require

pytestmark = pytest.mark.programs

LARGE = b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + b"x" * 50_000  # four TLS records


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    require("openssl")
    return make(tmp_path_factory.mktemp("tls"))


@pytest.fixture(autouse=True)
def _parent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A stdin that stays open: the loop of slices ends with it."""
    reading, writing = os.pipe()
    monkeypatch.setattr("profpipe.load.slices.closed_loop.STDIN", reading)
    yield
    os.close(reading)
    os.close(writing)


def server_context(certificate: Certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert, certificate.key)
    return context


def sliced(port: int, trust: Trust | None, request: Request, requests: int) -> ClosedLoop:
    exchange = Exchange(request_bytes(request, "127.0.0.1", port), [200])
    loop = ClosedLoop("127.0.0.1", port, exchanges=[exchange], connections=3, timeout=2.0, trust=trust)
    loop.run(requests)
    loop.tidy()
    loop.run(requests)
    loop.close()
    return loop


@pytest.mark.parametrize("answer", [OK, LARGE], ids=["small", "of several records"])
@pytest.mark.parametrize("keep_alive", [True, False], ids=["kept alive", "a connection each"])
def test_every_request_is_answered(answer: bytes, keep_alive: bool, made: Certificate, tmp_path: Path) -> None:
    request, trust = Request(path="/a", keep_alive=keep_alive), Trust(made.ca, "localhost")
    with Server(lambda *_: Answer(answer, close=not keep_alive), server_context(made)) as server:
        plan = LoadPlan(requests=40, connections=4, request=request).reaching(trust)
        found = load.run("builtin", plan, "127.0.0.1", server.port, cpus=(), folder=tmp_path)
        assert (found.served, found.failed, server.requests) == (40, 0, 40)
        loop = sliced(server.port, trust, request, 30)
    assert (loop.served, loop.lost, server.requests) == (60, 0, 100)
    assert loop.reconnects == (0 if keep_alive else 60)
    assert loop.body_bytes == 60 * len(answer.partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda v: v.name)
def test_every_version_that_is_in_use_is_spoken(version: ssl.TLSVersion, made: Certificate) -> None:
    context = server_context(made)
    context.minimum_version = context.maximum_version = version
    with Server(lambda *_: Answer(), context) as server:
        assert sliced(server.port, Trust(made.ca, "localhost"), Request(), 20).served == 40


@pytest.mark.parametrize(
    ("days", "name", "told"),
    [
        ("-1", "localhost", "its certificate is not accepted for the name localhost: certificate has expired"),
        ("9", "shop.example", "not accepted for the name localhost: Hostname mismatch"),
    ],
    ids=["expired", "another name"],
)
def test_what_is_not_accepted_is_said_unless_nothing_is_verified(
    days: str, name: str, told: str, tmp_path: Path
) -> None:
    require("openssl")
    wrong = make(tmp_path, days, name)
    with Server(lambda *_: Answer(), server_context(wrong)) as server:
        with pytest.raises(SliceError, match=told):
            sliced(server.port, Trust(wrong.ca, "localhost"), Request(), 5)
        assert sliced(server.port, Trust(None, "localhost"), Request(), 5).served == 10


def test_another_authority_is_not_accepted(made: Certificate, tmp_path: Path) -> None:
    other = make(tmp_path)
    with (
        Server(lambda *_: Answer(), server_context(made)) as server,
        pytest.raises(SliceError, match="its certificate is not accepted"),
    ):
        sliced(server.port, Trust(other.ca, "localhost"), Request(), 5)


def test_a_server_without_tls_is_named() -> None:
    plain = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
    with (
        Server(lambda *_: Answer(plain)) as server,
        pytest.raises(SliceError, match=r"does not answer in TLS|in the TLS handshake|handshake was not complete"),
    ):
        sliced(server.port, Trust(None, "localhost"), Request(), 5)


def test_the_other_generators_are_told_https_or_refused() -> None:
    plan = LoadPlan(mode="closed", duration=1, request=Request(path="/a"))
    secure = plan.reaching(Trust(None, "localhost"))
    assert url(plan, "127.0.0.1", 80) == "http://127.0.0.1:80/a"
    assert url(secure, "127.0.0.1", 80) == "https://127.0.0.1:80/a"
    named = plan.model_copy(update={"generator": "wrk"}).reaching(Trust(None, "shop.example"))
    with pytest.raises(Refused, match=r"wrk cannot tell the server the name shop\.example \(https\.name\)"):
        load.choose(named)


@pytest.mark.parametrize("tool", ["wrk", "h2load"])
def test_they_load_a_server_by_https(tool: str, made: Certificate, tmp_path: Path) -> None:
    require(tool)
    plan = LoadPlan(generator=tool, mode="closed", duration=1, connections=2).reaching(Trust(made.ca, "localhost"))
    with Server(lambda *_: Answer(), server_context(made)) as server:
        found = load.run(tool, plan, "127.0.0.1", server.port, cpus=(), folder=tmp_path)
    assert 0 < found.served <= server.requests
