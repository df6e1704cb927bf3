"""A connection for each request, whatever the server says of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from profpipe import load
from profpipe.errors import Refused
from profpipe.load.exchange import Exchange
from profpipe.load.plan import request_bytes
from profpipe.load.response import closes
from profpipe.load.slices.closed_loop import ClosedLoop
from profpipe.study.requests import Request
from profpipe.study.schema import LoadPlan
from tests.support.http_server import Answer, Server
from tests.support.study_file import SERVER, mistakes

ONCE = Request(path="/a", keep_alive=False)


def test_the_request_asks_for_it() -> None:
    sent = request_bytes(ONCE, "127.0.0.1", 80)
    assert sent == b"GET /a HTTP/1.1\r\nHost: 127.0.0.1:80\r\nConnection: close\r\n\r\n"
    assert closes(sent)
    assert not closes(request_bytes(Request(body="\r\nConnection: close\r\n\r\n"), "127.0.0.1", 80))


@pytest.mark.programs
@pytest.mark.parametrize("server_closes", [True, False], ids=["the server closes", "the server would keep it"])
def test_every_request_of_a_run_has_its_own(server_closes: bool, tmp_path: Path) -> None:
    plan = LoadPlan(requests=60, connections=4, request=ONCE)
    with Server(lambda *_: Answer(close=server_closes)) as server:
        found = load.run("builtin", plan, "127.0.0.1", server.port, cpus=(), folder=tmp_path)
    assert (found.served, found.failed, server.requests) == (60, 0, 60)
    # Connections that were free when the last request had gone to another one are opened and not used.
    assert 60 <= server.connections < 60 + plan.connections
    assert found.reconnects == server.connections - plan.connections


@pytest.mark.programs
@pytest.mark.parametrize("server_closes", [True, False], ids=["the server closes", "the server would keep it"])
def test_every_request_of_a_slice_has_its_own(server_closes: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    monkeypatch.setattr("profpipe.load.slices.closed_loop.STDIN", reading)
    with Server(lambda *_: Answer(close=server_closes)) as server:
        exchange = Exchange(request_bytes(ONCE, "127.0.0.1", server.port), [200])
        loop = ClosedLoop("127.0.0.1", server.port, exchanges=[exchange], connections=3, timeout=2.0)
        loop.run(30)
        loop.close()
    os.close(reading)
    os.close(writing)
    assert (loop.served, loop.lost, loop.reconnects, server.requests) == (30, 0, 30, 30)


def test_generators_that_do_not_count_connections_are_refused() -> None:
    with pytest.raises(Refused, match="wrk opens a connection for each request without counting it"):
        load.choose(LoadPlan(generator="wrk", mode="closed", request=ONCE))
    assert load.choose(LoadPlan(mode="closed", request=ONCE)) == "builtin"


def test_the_header_by_hand_is_refused_with_the_key_to_use(tmp_path: Path) -> None:
    (line,) = mistakes(tmp_path, SERVER + '[target.a.request]\nheaders = { Connection = "close" }\n')
    assert line.endswith("the load generator sets this header itself: set keep_alive = false to close connections")
