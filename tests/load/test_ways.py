"""Servers at a unix socket and by IPv6: both built-in clients, when they are ready, and who else may load them."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from profpipe import load
from profpipe.capture.server.command import data_folder, fill, host_of, reached_in_words
from profpipe.capture.server.ports import answers, choose_port
from profpipe.capture.server.ready import Waiting
from profpipe.errors import Refused
from profpipe.load.exchange import Exchange
from profpipe.load.plan import request_bytes, url
from profpipe.load.slices.closed_loop import ClosedLoop
from profpipe.load.slices.connection import SliceError
from profpipe.study.requests import Request
from profpipe.study.schema import LoadPlan, Target
from tests.support.http_server import Answer, Server
from tests.support.study_file import SERVER, mistakes

pytestmark = pytest.mark.programs

AT_SOCKET = Target(command=("srv", "unix:{socket}"))


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.fixture(params=["::1", "socket"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "::1" and not has_ipv6():
        pytest.skip("this machine has no IPv6 loopback")
    return "::1" if request.param == "::1" else str(tmp_path / "socket")


@pytest.fixture(autouse=True)
def _parent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A stdin that stays open: the loop of slices ends with it."""
    reading, writing = os.pipe()
    monkeypatch.setattr("profpipe.load.slices.closed_loop.STDIN", reading)
    yield
    os.close(reading)
    os.close(writing)


def test_both_clients_load_it(host: str, tmp_path: Path) -> None:
    seen: set[bytes] = set()

    def answer(_number: int, request: bytes) -> Answer:
        seen.add(request.partition(b"Host: ")[2].partition(b"\r\n")[0])
        return Answer()

    with Server(answer, host=host) as server:
        plan = LoadPlan(requests=40, connections=4)
        found = load.run("builtin", plan, host, server.port, cpus=(), folder=tmp_path)
        exchange = Exchange(request_bytes(Request(), host, server.port), [200])
        loop = ClosedLoop(host, server.port, exchanges=[exchange], connections=3, timeout=2.0)
        loop.run(30)
        loop.close()
    assert (found.served, loop.served, server.requests) == (40, 30, 70)
    assert seen == {b"localhost" if host.startswith("/") else f"[::1]:{server.port}".encode()}


@pytest.mark.parametrize("ready", [{}, {"tcp": True}], ids=["by its answer", "by a connection"])
def test_it_is_ready_when_it_serves_there(host: str, ready: dict[str, Any]) -> None:
    silent = cast("Any", SimpleNamespace(log=SimpleNamespace(watch=lambda _: None)))
    at_socket = host.startswith("/")
    target = Target.model_validate(
        {"command": ("x", "{socket}")} if at_socket else {"command": ("x", "{port}"), "host": host}
    ).model_copy(update={"ready": Target.model_validate({"command": ("x",), "ready": ready}).ready})
    data = Path(host).parent if at_socket else None
    with Server(lambda *_: Answer(close=True), host=host) as server:
        waiting = Waiting(silent, target, server.port, Request(), 5, data)
        assert waiting.host == host
        assert waiting._connects() if ready else waiting._serves()
        if at_socket:
            assert waiting._listens()
    if at_socket:
        Path(host).unlink()
        assert not waiting._listens()
        assert waiting.last == f"there is no unix socket {host}"


def test_a_socket_that_nobody_serves_is_named(tmp_path: Path) -> None:
    exchange = Exchange(b"request", [200])
    with pytest.raises(SliceError, match="it refuses connections: No such file or directory"):
        ClosedLoop(str(tmp_path / "none"), 0, exchanges=[exchange], connections=1, timeout=1.0)


def test_every_start_has_a_socket_of_its_own() -> None:
    with data_folder(AT_SOCKET) as one, data_folder(AT_SOCKET) as two:
        assert one is not None
        assert fill(AT_SOCKET.command, 0, one) == ("srv", f"unix:{one}/socket")
        assert host_of(AT_SOCKET, one) == f"{one}/socket" != host_of(AT_SOCKET, two)
        assert list(one.iterdir()) == []
    assert not one.exists()


def test_addresses_of_the_kernel_that_a_host_reaches() -> None:
    any4, any6, loop6 = "00000000", "0" * 32, "00000000000000000000000001000000"
    assert [answers(each, "127.0.0.1") for each in (any4, any6, loop6)] == [True, True, False]
    assert [answers(each, "::1") for each in (any4, any6, loop6)] == [False, True, True]


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
def test_a_port_that_is_free_by_ipv6_is_chosen() -> None:
    assert 0 < choose_port(Target(command=("x", "{port}"), host="::1")) < 65536


def test_other_generators_are_refused_at_a_socket_and_told_ipv6() -> None:
    plan = LoadPlan(generator="wrk", mode="closed", duration=1)
    with pytest.raises(Refused, match="wrk loads no server at a unix socket"):
        load.choose(plan.reaching(None, at_socket=True))
    assert url(plan, "::1", 80) == "http://[::1]:80/"


@pytest.mark.parametrize(
    ("argument", "at_socket", "told"),
    [
        ("{port}", True, "the server listens at a unix socket: tell the command {socket}"),
        ("{socket}", False, "the server has no unix socket: use {port} in place of {socket}"),
    ],
)
def test_a_program_must_be_told_where_the_server_is(argument: str, at_socket: bool, told: str) -> None:
    plan = LoadPlan.model_validate({"command": ("sh", argument), "count": {"exit": True}, "unit": "SET"})
    with pytest.raises(Refused, match=told):
        load.choose(plan.reaching(None, at_socket=at_socket))
    assert load.choose(plan.reaching(None, at_socket=not at_socket)) == "command"


def test_the_report_says_how_a_server_is_reached() -> None:
    assert reached_in_words(AT_SOCKET) == "HTTP at a unix socket"
    assert reached_in_words(Target(command=("x", "{port}"), host="::1")) == "HTTP over IPv6"
    assert reached_in_words(Target(command=("x", "{port}"))) == "HTTP"


def test_two_addresses_are_refused(tmp_path: Path) -> None:
    (line,) = mistakes(tmp_path, SERVER.replace('"{port}"', '"{port}", "{socket}"'))
    assert line.endswith("it has a port and {socket}: a load goes to one of them, keep that")
    assert mistakes(tmp_path, SERVER.replace("{port}", "{socket}")) == []
