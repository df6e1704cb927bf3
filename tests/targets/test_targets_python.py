"""The Python targets: all answer alike, end cleanly, and cost what the study says they cost, in that order."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.capture_driving import TARGETS, Drive, ours, run
from tests.support.tools import require

NEEDS = {"gevent_server": "gevent", "uvloop_protocol": "uvloop", "uvloop_streams": "uvloop"}
PLAIN = ("threads", "gevent_server", "asyncio_protocol", "uvloop_protocol", "asyncio_streams", "uvloop_streams")
HEADS = ("head_formatted", "head_cached")
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\nHello World"
REQUEST = b"GET /some/path?q=1 HTTP/1.1\r\nHost: a\r\nX-Empty:\r\nAccept: */*\r\n\r\n"

pytestmark = [pytest.mark.real, pytest.mark.alone]


@contextmanager
def served(name: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A target that listens, and its port."""
    if name in NEEDS:
        require(NEEDS[name])
    process = subprocess.Popen(
        [sys.executable, f"{name}.py", "--port", "0"], cwd=TARGETS, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    try:
        with process.stdout:
            ready = re.fullmatch(rb"ready port=(\d+)\n", process.stdout.readline())
            assert ready
            yield process, int(ready[1])
    finally:
        process.kill()
        process.wait()


def talk(port: int, *parts: bytes, answers: int = 1) -> bytes:
    """Send the parts, each in a segment of its own, and read to the end of `answers` bodies."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            sock.sendall(part)
        data = b""
        while data.count(b"Hello World") < answers:
            more = sock.recv(65536)
            assert more, f"closed after {data!r}"
            data += more
        return data


@pytest.mark.parametrize("name", PLAIN)
def test_every_target_gives_the_same_bytes_and_ends_cleanly(name: str) -> None:
    with served(name) as (process, port):
        assert talk(port, REQUEST) == RESPONSE
        assert talk(port, REQUEST, REQUEST, answers=2) == RESPONSE * 2
        assert talk(port, REQUEST * 3, answers=3) == RESPONSE * 3
        assert talk(port, REQUEST[:20], REQUEST[20:]) == RESPONSE
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@pytest.mark.parametrize("name", PLAIN)
def test_connection_close_is_kept(name: str) -> None:
    with served(name) as (_, port), socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(REQUEST.replace(b"Host: a", b"Host: a\r\nConnection: close"))
        data = b""
        while more := sock.recv(65536):
            data += more
        assert data == RESPONSE


@pytest.mark.parametrize("name", PLAIN)
def test_a_client_that_breaks_off_does_not_end_the_server(name: str) -> None:
    with served(name) as (process, port):
        for part in (b"", REQUEST[:10], b"x" * 100_000, b"\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
                try:
                    sock.sendall(part)
                except ConnectionError:
                    continue
        assert talk(port, REQUEST) == RESPONSE
        assert process.poll() is None


@pytest.mark.parametrize("name", HEADS)
def test_the_head_pair_differs_in_nothing_a_client_sees(name: str) -> None:
    with served(name) as (process, port):
        answer = talk(port, REQUEST)
        date = rb"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"
        shape = (
            rb"HTTP/1\.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n"
            rb"Date: " + date + rb"\r\nServer: hello\r\n\r\nHello World"
        )
        assert re.fullmatch(shape, answer)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_the_date_is_what_the_standard_asks_for() -> None:
    """Against the standard library's own formatter, over a leap day and both ends of a year."""
    code = (
        "import email.utils, response_head as r\n"
        "for s in (0, 951782400, 1709164799, 1735689599, 1735689600):\n"
        "    assert email.utils.formatdate(s, usegmt=True).encode() in r.render(s), s\n"
        "c = r.Cached(); assert c() is c() or c() is c()\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=TARGETS, check=True, timeout=20)


def test_instructions_per_request_come_in_the_order_of_the_study(tmp_path: Path) -> None:
    """The order that was measured with equivalent programs; neighbours are 7 % apart and more."""
    require("valgrind", "gevent", "uvloop")
    requests, cost = 300, {}
    for name in ("uvloop_protocol", "threads", "asyncio_protocol", "gevent_server", "asyncio_streams"):
        captured = run(ours(name), tmp_path / name, "callgrind", load=Drive(requests, 4))
        assert captured.reason is None
        cost[name] = int(captured.profiler_facts["instructions in the window"].replace(",", "")) / requests
    assert list(cost) == sorted(cost, key=lambda name: cost[name]), cost
    assert cost["asyncio_streams"] > 2 * cost["uvloop_protocol"]


def test_formatting_the_head_costs_more_than_keeping_it(tmp_path: Path) -> None:
    require("valgrind")
    cost = {}
    for name in HEADS:
        captured = run(ours(name), tmp_path / name, "callgrind", load=Drive(300, 1))
        cost[name] = int(captured.profiler_facts["instructions in the window"].replace(",", ""))
    assert cost["head_formatted"] > 1.3 * cost["head_cached"]
