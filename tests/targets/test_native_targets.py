"""The server variants in targets/rust and targets/c: one command line, exact responses, clean ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.builds import run_build
from tests.support.paths import TARGETS
from tests.support.tools import require

RUST = {
    "hyper010-may": 88,
    "hyper010-threads": 88,
    "hyper011-future": 129,
    "hyper011-fixed": 129,
    "tokio-proto-mini": 106,
    "may-http": 93,
    "smol-mini": 93,
    "monoio-mini": 93,
    "hyper1-tokio": 129,
    "may-minihttp": 100,
}
C = {"epoll-snprintf": 88, "epoll-prebuilt": 88}
SEED_BYTES = RUST | C
EQUAL_BYTES = 126
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

pytestmark = pytest.mark.real


@pytest.fixture(scope="module", params=SEED_BYTES)
def server(request: pytest.FixtureRequest) -> Path:
    """The path of one server, built."""
    if request.param in C:
        require("gcc", "make")
        run_build("make", "-C", str(TARGETS / "c"), cwd=TARGETS)
        return TARGETS / "c/build" / request.param
    require("cargo")
    for workspace in (TARGETS / "rust", TARGETS / "rust/fixed"):
        run_build("cargo", "build", "--release", "--locked", cwd=workspace)
    return TARGETS / "rust/target/release" / request.param


@contextmanager
def running(path: Path, *options: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    process = subprocess.Popen([path, *options], env=os.environ | environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        ready = re.fullmatch(r"ready port=(\d+)\n", process.stdout.readline())
        assert ready, "no ready line"
        yield process, int(ready[1])
    finally:
        process.kill()
        process.communicate(timeout=5)


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=5)


def receive(connection: socket.socket, length: int) -> bytes:
    """Exactly `length` bytes: fewer time out, more are found by the request after them."""
    received = b""
    while len(received) < length:
        chunk = connection.recv(length - len(received))
        assert chunk, f"closed after {received!r}"
        received += chunk
    return received


def assert_nothing_left(connection: socket.socket) -> None:
    connection.settimeout(0.05)
    with pytest.raises(TimeoutError):
        connection.recv(1)
    connection.settimeout(5)


@pytest.mark.parametrize("body", ["seed", "equal"])
def test_responses_have_the_exact_length_on_connections_that_stay(server: Path, body: str) -> None:
    length = EQUAL_BYTES if body == "equal" else SEED_BYTES[server.name]
    with running(server, "--body", body) as (_, port), connect(port) as first, connect(port) as second:
        for connection in (first, second, first, second, first):
            connection.sendall(REQUEST)
            response = receive(connection, length)
            assert response.upper().startswith(b"HTTP/1.1 200 OK\r\n")
            head, text = response.split(b"\r\n\r\n", 1)
            assert re.search(rb"(?i)^content-length: %d\r?$" % len(text), head, re.M)
        assert_nothing_left(first)


def test_pipelined_requests_are_all_answered(server: Path) -> None:
    with running(server) as (_, port), connect(port) as connection:
        connection.sendall(REQUEST * 5 + REQUEST[:10])
        responses = receive(connection, 5 * SEED_BYTES[server.name])
        assert responses.upper().count(b"HTTP/1.1 200 OK\r\n") == 5
        connection.sendall(REQUEST[10:])
        receive(connection, SEED_BYTES[server.name])
        assert_nothing_left(connection)


def test_the_equal_response_is_the_same_in_every_server(server: Path) -> None:
    with running(server, "--body", "equal") as (_, port), connect(port) as connection:
        connection.sendall(REQUEST)
        head, text = receive(connection, EQUAL_BYTES).decode().split("\r\n\r\n", 1)
    status, *lines = head.split("\r\n")
    assert status.replace("Ok", "OK") == "HTTP/1.1 200 OK"  # may_minihttp writes "Ok"
    date = next(line for line in lines if line.startswith("Date: "))
    assert re.fullmatch(r"Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", date)
    assert sorted(set(lines) - {date}) == ["Content-Length: 13", "Content-Type: text/plain", "Server: M"]
    assert text == "Hello, World!"


def test_many_connections_are_served_by_two_threads(server: Path) -> None:
    with running(server, "--threads", "2") as (_, port):
        connections = [connect(port) for _ in range(20)]
        for connection in connections:
            connection.sendall(REQUEST)
        for connection in connections:
            receive(connection, SEED_BYTES[server.name])
            connection.close()


def test_exit_after_exits_with_0_and_the_environment_can_say_so(server: Path) -> None:
    with running(server, "--exit-after", "0.2") as (process, _):
        assert process.wait(timeout=3) == 0
    with running(server, EXIT_AFTER="0.2", BODY="equal", PORT="0", THREADS="1") as (process, port):
        with connect(port) as connection:
            connection.sendall(REQUEST)
            receive(connection, EQUAL_BYTES)
        assert process.wait(timeout=3) == 0


def test_sigterm_ends_a_server_within_two_seconds(server: Path) -> None:
    with running(server) as (process, port), connect(port) as connection:
        connection.sendall(REQUEST)
        receive(connection, SEED_BYTES[server.name])
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=2) == -signal.SIGTERM


def test_a_taken_port_fails_even_if_its_owner_would_share_it(server: Path) -> None:
    with running(server, "--threads", "2") as (_, port):
        for threads in ("1", "2"):
            command = [server, "--port", str(port), "--threads", threads, "--exit-after", "1"]
            second = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
            assert (second.returncode, second.stdout) == (1, "")
            assert "cannot listen" in second.stderr


@pytest.mark.parametrize(
    "options", [["--port", "70000"], ["--threads", "0"], ["--body", "x"], ["--no", "1"], ["--port"]]
)
def test_a_mistake_in_the_options_exits_with_2(server: Path, options: list[str]) -> None:
    done = subprocess.run([server, *options], capture_output=True, text=True, timeout=5, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(options[0])


def test_rust_names_are_mangled_so_that_they_can_be_read_whole(server: Path) -> None:
    if server.name in RUST:
        # Built from another directory, cargo would not have read .cargo/config.toml.
        assert b"_ZN10target_cli" not in server.read_bytes()
