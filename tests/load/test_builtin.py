"""The built-in generator against real loopback servers that misbehave in every way we could think of."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from profpipe import load
from profpipe.errors import LoadError
from profpipe.load import builtin, process
from profpipe.load.doubts import Doubt
from profpipe.model.run import Histogram, LoadResult
from profpipe.study.schema import LoadPlan
from tests.support.http_server import OK, Answer, Server, unused_port

pytestmark = [pytest.mark.real, pytest.mark.alone]


@pytest.fixture
def go(tmp_path: Path) -> Callable[..., LoadResult]:
    def run(server: Server | int, **plan: Any) -> LoadResult:
        port = server if isinstance(server, int) else server.port
        asked = LoadPlan(generator="builtin", **{"timeout": 20, "connections": 8, **plan})
        result = load.run("builtin", asked, "127.0.0.1", port, cpus=(), folder=tmp_path)
        adds_up(result)
        return result

    return run


def adds_up(result: LoadResult) -> None:
    """Every request that was asked for was served or has its kind of failure; one latency per served request."""
    assert result.latency is not None
    assert result.latency.total == result.served
    assert (
        sum(many for kind, many in result.errors.items() if kind not in {"connect", "unasked bytes"}) == result.failed
    )


def answering(data: bytes, **rest: Any) -> Server:
    return Server(lambda *_: Answer(data, **rest))


def test_a_fixed_number_is_exact_on_both_sides(go: Callable[..., LoadResult], tmp_path: Path) -> None:
    with answering(OK) as server:
        result = go(server, requests=1003)
    assert (result.sent, result.served, result.failed, dict(result.errors)) == (1003, 1003, 0, {})
    assert server.requests == 1003
    assert server.connections == 8
    assert result.bytes_read == 1003 * len(OK)
    assert (result.loop, result.correction, result.reconnects) == ("closed", "none", 0)
    assert result.client_cpu_s is not None
    assert result.client_cpu_s > 0
    assert (tmp_path / "builtin.txt").stat().st_size > 0


def test_fewer_requests_than_connections_open_no_idle_ones(go: Callable[..., LoadResult]) -> None:
    with answering(OK) as server:
        result = go(server, requests=3)
    assert (result.served, result.connections, server.connections) == (3, 3, 3)


def every_50th_slow(number: int, _: bytes) -> Answer:
    return Answer(delay=0.08 if number % 50 == 0 else 0.0)


def slower_than(latency: Histogram | None, us: float) -> int:
    assert latency is not None
    return sum(many for value, many in zip(latency.values_us, latency.counts, strict=True) if value >= us)


def test_closed_loop_sees_two_per_cent_slow_requests(go: Callable[..., LoadResult]) -> None:
    with Server(every_50th_slow) as server:
        result = go(server, requests=1000)
    assert slower_than(result.latency, 79_500) >= 20
    assert result.latency is not None
    assert result.latency.percentile(50) < 40_000
    assert result.latency.percentile(98.5) >= 79_500


def test_open_loop_sees_two_per_cent_slow_requests(go: Callable[..., LoadResult]) -> None:
    with Server(every_50th_slow) as server:
        result = go(server, mode="rate", rate=500, duration=1, connections=40)
    assert (result.sent, result.served, result.offered_rate) == (500, 500, 500)
    assert result.latency is not None
    assert slower_than(result.latency, 79_500) >= 10
    assert result.latency.percentile(50) < 40_000
    assert (result.loop, result.correction) == ("open", "intended-start")


def test_open_loop_counts_the_wait_for_a_connection(go: Callable[..., LoadResult]) -> None:
    """One connection, one stall of 300 ms: the 40 requests meant to begin in its first 200 ms waited 100 ms or more.

    A loop that measures from the actual start would show a single slow request (coordinated omission).
    """
    with Server(lambda number, _: Answer(delay=0.3 if number == 50 else 0.0)) as server:
        result = go(server, mode="rate", rate=200, duration=1, connections=1)
    assert result.served == 200
    assert slower_than(result.latency, 99_500) >= 40


def test_a_rate_beyond_the_server_is_doubted(go: Callable[..., LoadResult]) -> None:
    with answering(OK, delay=0.02) as server:  # at most 50 requests/s on one connection
        result = go(server, mode="rate", rate=200, duration=0.25, connections=1)
    assert result.served == 50
    assert result.rate is not None
    assert result.rate <= 51
    assert "latency" in result.doubted
    assert any("of 200 offered" in words for words in result.doubts)


def test_closed_loop_lasts_and_finishes_what_it_began(go: Callable[..., LoadResult]) -> None:
    with answering(OK, delay=0.03) as server:
        result = go(server, mode="closed", duration=0.5)
    assert result.sent == result.served == server.requests
    assert result.seconds >= 0.5
    assert result.served <= 8 * 18


@pytest.mark.parametrize("say_so", [True, False], ids=["Connection: close", "HTTP/1.0"])
def test_a_server_that_closes_each_connection(go: Callable[..., LoadResult], say_so: bool) -> None:
    data = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") if say_so else OK.replace(b"1.1", b"1.0")
    with answering(data, close=True) as server:
        result = go(server, requests=200)
    assert (result.sent, result.served, server.requests) == (200, 200, 200)
    assert result.reconnects is not None
    assert result.reconnects >= 192


def test_a_body_that_ends_with_the_connection(go: Callable[..., LoadResult]) -> None:
    with answering(b"HTTP/1.1 200 OK\r\n\r\nas long as it lasts", close=True) as server:
        result = go(server, requests=50)
    assert (result.served, server.requests) == (50, 50)


def test_closing_without_a_word_loses_requests_and_says_how_many(go: Callable[..., LoadResult]) -> None:
    with answering(OK, close=True) as server:
        result = go(server, requests=200)
    assert result.sent == 200
    assert result.failed == result.errors.get("reset", 0)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n5;x=y\r\nthere\r\n0\r\nTrailer: t\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK,
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["chunked", "interim", "empty"],
)
def test_ways_to_say_200(go: Callable[..., LoadResult], data: bytes) -> None:
    with answering(data) as server:
        result = go(server, requests=100)
    assert (result.served, server.requests, result.reconnects) == (100, 100, 0)


@pytest.mark.parametrize("status", [204, 304, 404])
def test_the_expected_status_is_what_counts(go: Callable[..., LoadResult], status: int) -> None:
    tail = b"Content-Length: 0\r\n" if status == 404 else b""
    with answering(b"HTTP/1.1 %d X\r\n%s\r\n" % (status, tail)) as server:
        assert go(server, requests=60, request={"status": status}).served == 60
        other = go(server, requests=60)
    assert (other.served, other.failed, dict(other.errors)) == (0, 60, {f"status {status}": 60})


@pytest.mark.parametrize("tail", [b"Content-Length: 1000\r\n", b""], ids=["length", "no length"])
def test_head_has_no_body_whatever_its_length_says(go: Callable[..., LoadResult], tail: bytes) -> None:
    with Server(lambda n, _: Answer(b"HTTP/1.1 200 OK\r\nX-N: %d\r\n%s\r\n" % (n % 3, tail))) as server:
        result = go(server, requests=100, request={"method": "HEAD"})
    assert (result.served, server.requests, result.reconnects) == (100, 100, 0)


def test_the_request_arrives_as_asked(go: Callable[..., LoadResult]) -> None:
    seen = set()

    def answer(_: int, request: bytes) -> Answer:
        seen.add(request)
        return Answer()

    with Server(answer) as server:
        go(server, requests=5, request={"method": "POST", "path": "/a?b=c", "headers": {"X-A": "b c"}, "body": "grüß"})
    head = f"POST /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nX-A: b c\r\nContent-Length: 6\r\n\r\n"
    assert seen == {head.encode() + "grüß".encode()}


def test_503s_are_no_served_requests(go: Callable[..., LoadResult]) -> None:
    failing = OK.replace(b"200 OK", b"503 No")
    with Server(lambda number, _: Answer(failing if number % 10 == 0 else OK)) as server:
        result = go(server, requests=500)
    assert (result.sent, result.served, result.failed, dict(result.errors)) == (500, 450, 50, {"status 503": 50})
    assert "latency" in result.doubted
    assert any("50 of 500 requests were not served" in words for words in result.doubts)


@pytest.mark.parametrize("plan", [{"requests": 100}, {"mode": "rate", "rate": 50, "duration": 2}], ids=str)
def test_a_server_that_never_answers_is_given_up_in_time(go: Callable[..., LoadResult], plan: dict[str, Any]) -> None:
    with answering(OK, delay=60) as server:
        result = go(server, timeout=0.5, **plan)
    assert (result.served, result.sent, result.failed) == (0, 8, 100)
    assert dict(result.errors) == {"timeout": 8, "not sent": 92}


def test_nobody_listens(go: Callable[..., LoadResult]) -> None:
    result = go(unused_port(), requests=100)
    assert (result.served, result.sent, result.failed) == (0, 0, 100)
    assert result.errors["not sent"] == 100
    assert result.errors["connect"] > 0
    assert result.rate in {0, None}


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"\x00" * 64,
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        OK + b"HTTP/1.1 200 OK\r\n",
        OK + OK,
    ],
    ids=["text", "zeroes", "bad length", "more than asked", "two answers"],
)
def test_garbage_is_a_bad_response(go: Callable[..., LoadResult], data: bytes) -> None:
    with answering(data) as server:
        result = go(server, requests=40)
    assert (result.served, dict(result.errors)) == (0, {"bad response": 40})


def test_a_response_cut_short_is_no_response(go: Callable[..., LoadResult]) -> None:
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhi", close=True) as server:
        result = go(server, requests=40)
    assert (result.served, dict(result.errors)) == (0, {"reset": 40})


def test_a_server_that_dies_under_load_ends_the_load(go: Callable[..., LoadResult]) -> None:
    with Server(lambda number, _: Answer(die=number == 300)) as server:
        result = go(server, requests=5000)
    assert 0 < result.served <= server.requests
    assert result.failed == 5000 - result.served
    assert result.errors["connect"] > 0
    # How many it serves before its last thread is gone depends on its speed: 700 to 1,100 were seen.
    assert result.errors["not sent"] == 5000 - result.served - result.errors["reset"] > 2000


def test_huge_bodies_are_read_whole(go: Callable[..., LoadResult]) -> None:
    size = 3_000_000
    data = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size)
    with answering(data) as server:
        result = go(server, requests=12, connections=2)
    assert result.served == 12
    assert result.bytes_read == 12 * len(data)


def test_a_body_that_changes_each_time_is_parsed_each_time(go: Callable[..., LoadResult]) -> None:
    """Same length, same head, another byte in the body, and a failure among them: the fast path must not hide it."""

    def answer(number: int, _: bytes) -> Answer:
        status = b"500" if number == 77 else b"200"
        return Answer(b"HTTP/1.1 %s OK\r\nContent-Length: 4\r\n\r\n%04d" % (status, number))

    with Server(answer) as server:
        result = go(server, requests=300)
    assert (result.served, dict(result.errors)) == (299, {"status 500": 1})


def test_warm_up_is_counted_and_zero_sends_nothing(tmp_path: Path) -> None:
    with answering(OK) as server:
        warmed = load.warm_up(
            LoadPlan(warmup=30, generator="wrk", mode="closed"), "127.0.0.1", server.port, cpus=(), folder=tmp_path
        )
        nothing = load.warm_up(LoadPlan(warmup=0), "127.0.0.1", server.port, cpus=(), folder=tmp_path)
    assert (warmed.served, server.requests) == (30, 30)
    assert (nothing.served, nothing.sent, nothing.rate) == (0, 0, None)


def test_the_client_dies_with_its_parent() -> None:
    """Its stdin stays open as long as profpipe lives; the end of it ends the client in the middle of a load."""
    asked = threading.Event()

    def answer(*_: Any) -> Answer:
        asked.set()
        return Answer(delay=60)

    with Server(answer) as server:
        order = builtin.order(LoadPlan(timeout=50, connections=1), "127.0.0.1", server.port)
        command = [sys.executable, "-P", "-m", "profpipe.load.client"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
            assert client.stdin is not None
            client.stdin.write(json.dumps(order).encode() + b"\n")
            client.stdin.flush()
            assert asked.wait(10)
            client.stdin.close()
            assert client.wait(10) == 3


def test_a_broken_client_is_a_load_error_with_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "httptools.py").write_text("raise RuntimeError('this is not httptools')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(LoadError, match=r"exit code 1.*this is not httptools"):
        load.run("builtin", LoadPlan(), "127.0.0.1", 9, cpus=(), folder=tmp_path / "raw")


def test_the_client_loads_nothing_heavy() -> None:
    code = "import sys, profpipe.load.client.__main__; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"asyncio", "httptools", "profpipe.model.run"} <= set(loaded)
    assert not {"pydantic", "numpy", "pandas", "scipy", "rich", "click"} & set(loaded)


def test_the_generator_is_put_on_its_processor_and_we_stay_where_we_are(tmp_path: Path) -> None:
    mine = os.sched_getaffinity(0)
    command = [sys.executable, "-c", "import os; print(*os.sched_getaffinity(0))"]
    ended = process.run_child(command, cpus=(max(mine),), timeout=20, folder=tmp_path, name="where")
    assert ended.stdout.split() == [str(max(mine))]
    assert os.sched_getaffinity(0) == mine


def two_processors() -> tuple[int, int]:
    mine = sorted(os.sched_getaffinity(0))
    if len(mine) < 2:
        pytest.skip("needs two processors")
    return mine[-1], mine[-2]


PLACES = """
import os, threading, time
def where():
    time.sleep(0.3)
    seen.append(sorted(os.sched_getaffinity(threading.get_native_id())))
seen = []
many = [threading.Thread(target=where) for _ in range(THREADS)]
for one in many: one.start(); one.join(0.01)
for one in many: one.join()
print(seen)
"""


def test_threads_of_a_load_take_the_processors_in_turn(tmp_path: Path) -> None:
    first, second = two_processors()
    before = os.sched_getaffinity(0)
    command = [sys.executable, "-c", PLACES.replace("THREADS", "3")]
    ended = process.run_child(command, cpus=(first, second), threads=3, timeout=20, folder=tmp_path, name="where")
    assert sorted(json.loads(ended.stdout)) == sorted([[first], [second], [first]])
    assert ended.doubts == ()
    assert os.sched_getaffinity(0) == before


def test_threads_that_are_missing_are_doubted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cpus = two_processors()
    monkeypatch.setattr(process, "PLACING_S", 0.2)
    command = [sys.executable, "-c", PLACES.replace("THREADS", "1")]
    ended = process.run_child(command, cpus=cpus, threads=2, timeout=20, folder=tmp_path, name="where")
    said = f"1 of the load's 2 threads were found: it was not spread over processors {cpus[0]} and {cpus[1]}"
    assert ended.doubts == (Doubt(said),)


def test_a_load_that_is_over_at_once_is_not_doubted_for_its_place(tmp_path: Path) -> None:
    ended = process.run_child(["true"], cpus=two_processors(), threads=2, timeout=5, folder=tmp_path, name="none")
    assert (ended.code, ended.doubts) == (0, ())


def test_a_load_of_one_thread_is_not_spread_and_says_so(tmp_path: Path) -> None:
    first, second = two_processors()
    with answering(OK, delay=0.02) as server:  # a client that never waits is doubted for its own ceiling as well
        plan = LoadPlan(requests=20, connections=2)
        found = load.run("builtin", plan, "127.0.0.1", server.port, cpus=(first, second), folder=tmp_path)
    said = f"the load has one thread: it ran on processor {first} only, not on processors {first} and {second}"
    assert (found.served, found.doubts, found.doubted) == (20, (said,), ())


def test_a_processor_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="processor 1000"):
        process.run_child(["true"], cpus=(1000,), timeout=5, folder=tmp_path, name="none")


@pytest.mark.parametrize("pidfd", [True, False])
def test_a_child_that_hangs_is_killed_by_its_pid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pidfd: bool) -> None:
    if not pidfd:

        def forbidden(_: int) -> int:
            raise PermissionError

        monkeypatch.setattr(os, "pidfd_open", forbidden)
    command = [sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(60)"]
    ended = process.run_child(command, cpus=(), timeout=0.5, folder=tmp_path, name="hangs")
    assert (ended.timed_out, ended.code) == (True, -9)
    with pytest.raises(ProcessLookupError):
        os.kill(int(ended.stdout), 0)


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="no-such-generator cannot be started: No such file"):
        process.run_child(["no-such-generator"], cpus=(), timeout=5, folder=tmp_path, name="none")
