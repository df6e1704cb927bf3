"""The client of slices against servers whose every answer the test decides: it counts right and names what is wrong."""

from __future__ import annotations

import json
import os
import signal
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest

from profpipe.errors import LoadError
from profpipe.load.exchange import Exchange
from profpipe.load.slices import client
from profpipe.load.slices.closed_loop import ClosedLoop
from profpipe.load.slices.connection import SliceError
from profpipe.load.slices.session import Session
from profpipe.study.requests import Request
from tests.support.http_server import OK, Answer, Server, unused_port
from tests.support.processes import wait_until

pytestmark = pytest.mark.programs

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"


@contextmanager
def loop(port: int, connections: int = 4, **changes: Any) -> Iterator[ClosedLoop]:
    asked = {"request": GET, "accepted": [200], "head": False}
    exchange = Exchange(**asked | {key: changes[key] for key in asked if key in changes})
    settings = {"timeout": 2.0} | {key: changes[key] for key in changes if key not in asked}
    opened = ClosedLoop("127.0.0.1", port, exchanges=[exchange], connections=connections, **settings)
    try:
        yield opened
    finally:
        opened.close()


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (OK, 2),
        (CHUNKED, 5),
        (EARLY + OK, 2),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n" + b"x" * 90_000, 90_000),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0),
    ],
    ids=["length", "chunked", "interim", "larger than one read", "empty"],
)
def test_every_kind_of_answer_is_one_request_with_its_body(answer: bytes, body: int) -> None:
    with Server(lambda *_: Answer(answer)) as server, loop(server.port) as client:
        client.run(50)
        client.run(3)
        assert (server.requests, client.served, client.body_bytes) == (53, 53, 53 * body)
        assert client.reconnects == client.lost == 0


def test_answers_that_differ_are_counted_with_their_own_bodies() -> None:
    def numbered(n: int, _: bytes) -> Answer:
        text = str(n).encode()
        return Answer(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))

    with Server(numbered) as server, loop(server.port) as client:
        client.run(120)
        assert client.body_bytes == 9 + 90 * 2 + 21 * 3


def test_a_latency_for_each_request_and_none_shorter_than_the_server_took() -> None:
    with Server(lambda *_: Answer(delay=0.02)) as server, loop(server.port, 5) as client:
        client.run(10)
        assert len(client.latencies_ns) == 10
        assert min(client.latencies_ns) >= 19e6


def test_no_more_connections_are_used_than_requests_are_sent() -> None:
    with Server(lambda *_: Answer()) as server, loop(server.port, 8) as client:
        client.run(3)
        assert server.requests == 3


def test_the_body_of_a_post_arrives() -> None:
    request = b"POST /in HTTP/1.1\r\nHost: x\r\nX-Mine: 1\r\nContent-Length: 100000\r\n\r\n" + b"p" * 100_000
    seen: list[bytes] = []

    def keep(_: int, received: bytes) -> Answer:
        seen.append(received)
        return Answer()

    with Server(keep) as server, loop(server.port, request=request) as client:
        client.run(6)
    assert seen == [request] * 6


def test_head_has_no_body_whatever_its_length_says() -> None:
    answer = Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    with Server(lambda *_: answer) as server, loop(server.port, head=True) as client:
        client.run(20)
        assert (client.served, client.body_bytes) == (20, 0)


def test_a_body_that_ends_with_its_connection_is_whole_only_then() -> None:
    answer = Answer(b"HTTP/1.0 200 OK\r\n\r\nbye", close=True)
    with Server(lambda *_: answer) as server, loop(server.port) as client:
        client.run(9)
        assert (client.served, client.body_bytes, client.reconnects, client.lost) == (9, 27, 9, 0)


def test_a_server_that_closes_after_its_answer_is_connected_to_again() -> None:
    closing = Answer(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", close=True)
    with Server(lambda n, _: closing if n % 10 == 0 else Answer()) as server, loop(server.port) as client:
        client.run(100)
        assert (client.served, client.reconnects, client.lost) == (100, 10, 0)


@contextmanager
def one_at_a_time() -> Iterator[int]:
    """The port of a server that serves one connection at a time and closes each, as gunicorn's sync worker does."""

    class Once(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline() not in (b"\r\n", b""):
                pass
            self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi")

    class Listening(socketserver.TCPServer):
        request_queue_size = 64

    with Listening(("127.0.0.1", 0), Once) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_a_server_of_one_connection_at_a_time_does_not_wait_for_one_that_rests() -> None:
    """Slices of fewer requests than connections, one after another: none may hang."""
    with one_at_a_time() as port, loop(port, 8) as client:
        for requests in (20, 3, 1, 9, 2):
            client.run(requests)
            client.tidy()
        assert (client.served, client.reconnects, client.lost) == (35, 35, 0)


def test_a_connection_that_is_closed_while_it_rests_is_opened_again() -> None:
    with Server(lambda n, _: Answer(close=True)) as server, loop(server.port, 3) as client:
        client.run(3)
        for _ in range(100):
            client.tidy()
            if client.reconnects == 3:
                break
            server.thread.join(0.01)
        client.run(3)
        assert (client.served, client.lost) == (6, 0)


def test_a_connection_lost_with_its_request_is_tried_again_but_not_for_ever() -> None:
    lost = Answer(b"", close=True)
    with Server(lambda n, _: lost if n == 7 else Answer()) as server, loop(server.port) as client:
        client.run(20)
        assert (client.served, client.lost, client.reconnects) == (20, 1, 1)
    with (
        Server(lambda *_: lost) as server,
        loop(server.port) as client,
        pytest.raises(SliceError, match="closed 6 connections without"),
    ):
        client.run(20)


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (Answer(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"), "status 500, 200 was expected"),
        (Answer(b"220 mail.example ESMTP\r\n\r\n"), "not HTTP"),
        (Answer(OK + OK), "more than one answer"),
        (Answer(delay=9), r"no answer for 0.3 s \(4 requests outstanding\)"),
        (Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf"), "no answer for 0.3 s"),
        (Answer(die=True), "refuses connections|without an answer"),
    ],
    ids=["status", "not HTTP", "two answers", "hangs", "half an answer", "dies"],
)
def test_what_is_wrong_with_a_server_is_named(answer: Answer, complaint: str) -> None:
    def load(client: ClosedLoop) -> None:
        for _ in range(3):
            client.run(10)
            client.tidy()

    with (
        Server(lambda n, _: answer if n > 10 else Answer()) as server,
        loop(server.port, timeout=0.3) as client,
        pytest.raises(SliceError, match=complaint),
    ):
        load(client)


def test_bytes_that_nobody_asked_for_are_an_error_between_slices() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, loop(listening.getsockname()[1], 1) as client:
        accepted, _ = listening.accept()
        with accepted:
            accepted.sendall(b"psst")
            with pytest.raises(SliceError, match="no request asked for"):
                client.tidy()


def test_a_refused_connection_is_named() -> None:
    with pytest.raises(SliceError, match="refuses connections"), loop(unused_port()):
        pass


def variant(port: int, **changes: Any) -> dict[str, Any]:
    asked = [{"request": GET.decode(), "accepted": [200], "head": False, "name": "", "weight": 1.0}]
    usual = {"root": os.getpid(), "host": "127.0.0.1", "port": port, "asked": asked, "connections": 4}
    return usual | changes


def slices(orders: list[list[int]], extra: list[list[int]], parts: list[int], seconds: float) -> dict[str, Any]:
    blocks = [{"route": None, "parts": parts}] * len(orders)
    return {"do": "slices", "orders": orders, "extra": extra, "blocks": blocks, "seconds": seconds, "seed": 0}


def test_slices_come_in_the_order_asked_for_with_a_figure_for_each_part() -> None:
    with Server(lambda *_: Answer()) as one, Server(lambda *_: Answer()) as two:
        session = Session()
        assert session.answer({"do": "open", "variants": [variant(one.port), variant(two.port)], "timeout": 2}) == {}
        answer = session.answer(slices([[0, 1], [1, 0]], [[0, 3], [0, 0]], [5, 20], 10))
        session.close()
    assert [found["variant"] for found in answer["slices"]] == [0, 1, 1, 0]
    assert [found["requests"] for found in answer["slices"]] == [[5, 20], [8, 20], [5, 20], [5, 20]]
    assert all(len(found["cpu_ns"]) == len(found["wall_ns"]) == 2 for found in answer["slices"])
    assert [total["served"] for total in answer["after"]] == [50, 53]
    assert (one.requests, two.requests) == (50, 53)


def test_a_failing_server_is_named_by_its_number_and_slices_before_it_are_kept() -> None:
    wrong = Answer(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
    with Server(lambda *_: Answer()) as one, Server(lambda n, _: wrong if n > 10 else Answer()) as two:
        session = Session()
        session.answer({"do": "open", "variants": [variant(one.port), variant(two.port)], "timeout": 2})
        answer = session.answer(slices([[0, 1]] * 3, [[0, 0]] * 3, [10], 10))
        session.close()
    assert answer["failed"]["variant"] == 1
    assert "404" in answer["failed"]["reason"]
    assert [found["variant"] for found in answer["slices"]] == [0, 1, 0]


def test_a_pass_does_not_begin_after_the_time_is_up() -> None:
    with Server(lambda *_: Answer(delay=0.05)) as server:
        session = Session()
        session.answer({"do": "open", "variants": [variant(server.port)], "timeout": 2})
        answer = session.answer(slices([[0]] * 1000, [[0]] * 1000, [4], 0.2))
        session.close()
    assert 1 <= len(answer["slices"]) <= 4


COMMAND = (sys.executable, "-P", "-m", "profpipe.load.slices")


def test_the_process_answers_line_by_line_and_ends_with_its_stdin() -> None:
    with (
        Server(lambda *_: Answer()) as server,
        subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        for command in (
            {"do": "open", "variants": [variant(server.port)], "timeout": 2},
            slices([[0]], [[0]], [10], 5),
        ):
            process.stdin.write(json.dumps(command).encode() + b"\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
        assert answer["after"][0]["served"] == 10
        process.stdin.close()
        assert process.wait(5) == 0


def test_the_process_ends_with_its_parent_also_while_it_waits_for_a_server() -> None:
    with Server(lambda *_: Answer(delay=30)) as server:
        process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps({"do": "open", "variants": [variant(server.port)], "timeout": 60}).encode())
            process.stdin.write(b"\n")
            process.stdin.flush()
            assert process.stdout.readline() == b"{}\n"
            process.stdin.write(json.dumps(slices([[0]], [[0]], [10], 60)).encode() + b"\n")
            process.stdin.flush()
            wait_until(lambda: server.requests, 10)
            process.stdin.close()
            assert process.wait(5) == 3
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()


@pytest.mark.parametrize(
    ("number", "complaint"),
    [(signal.SIGKILL, r"the load client failed \(exit code -9\)"), (signal.SIGSTOP, r"no answer within 0\.\d s")],
    ids=["killed", "stopped"],
)
def test_a_client_that_is_killed_or_stopped_is_an_error_and_sends_nothing_afterwards(
    monkeypatch: pytest.MonkeyPatch, number: int, complaint: str
) -> None:
    monkeypatch.setattr(client, "END_S", 0.5)
    with Server(lambda *_: Answer()) as server:
        with client.Client((), timeout=0.1) as opened:
            opened.open([client.Address("127.0.0.1", server.port, os.getpid(), Request())], 2)
            (process,) = (one for one in psutil.Process().children() if "profpipe.load.slices" in one.cmdline())
            os.kill(process.pid, number)
            monkeypatch.setattr(client, "GRACE_S", 0.1)
            with pytest.raises(LoadError, match=complaint):
                opened.slices([[0]] * 50, [20], 0.2)
        assert not process.is_running(), "it would go on when it is continued"
        assert server.requests == 0
