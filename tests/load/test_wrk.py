"""Our hook's report, and wrk itself."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from profpipe import load
from profpipe.errors import LoadError, Refused
from profpipe.load import wrk
from profpipe.load.process import Ended
from profpipe.model.run import LoadResult
from profpipe.study.schema import LoadPlan
from tests.support.http_server import OK, Answer, Server, unused_port
from tests.support.paths import DATA
from tests.support.tools import require

CAPTURES = DATA / "load"


def test_the_hook_s_report_and_wrk_s_phantoms() -> None:
    """2 % of the requests took 80 ms. wrk says p75 = 38.9 ms, from 6,175 latencies for 3,592 responses."""
    figures = json.loads((CAPTURES / "wrk_report_slow.json").read_text())
    ended = Ended(("wrk",), 0, "", "", 1.1, 0.2, False)
    result = wrk.of_report(LoadPlan(mode="closed", duration=1, connections=8), figures, ended, 1)
    assert (result.served, result.failed, result.bytes_read) == (3592, 0, 143_680)
    assert result.latency is not None
    assert (result.latency.total, result.latency.percentile(75)) == (6175, 38_886)
    assert result.latency.values_us[-1] == figures["latency_us"]["max"]
    assert result.doubted == ("latency",)
    assert "6,175 latencies for 3,592 responses" in result.doubts[0]
    assert "8 connections gave 2,445 us a request" in result.doubts[1]


def test_a_report_without_histogram_has_no_latency_and_says_so() -> None:
    figures = json.loads((CAPTURES / "wrk_report_slow.json").read_text()) | {"histogram": None}
    found = wrk.of_report(LoadPlan(mode="closed"), figures, Ended(("wrk",), 0, "", "", 1.1, 0.2, False), 1)
    assert found.latency is None
    assert found.served == figures["requests"]
    assert found.doubts[0] == "wrk's latencies are too many and too long to be read out of it"
    assert "latency" in found.doubted


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        ({"mode": "count"}, "cannot send a fixed number of requests"),
        ({"mode": "rate", "rate": 10}, "cannot send at a fixed rate"),
        ({"mode": "closed", "duration": 1.5}, "whole seconds"),
        ({"mode": "closed", "connections": 1, "threads": 2}, "one connection per thread"),
        ({"mode": "closed", "request": {"method": "HEAD"}}, "body"),
        ({"mode": "closed", "request": {"status": 404}}, "404 is expected"),
    ],
)
def test_what_wrk_cannot_do_is_refused_with_the_reason(plan: dict[str, Any], reason: str, tmp_path: Path) -> None:
    require("wrk")
    asked = LoadPlan(generator="wrk", **plan)
    with pytest.raises(Refused, match=reason):
        load.choose(asked)
    with pytest.raises(Refused, match=reason):
        load.run("wrk", asked, "127.0.0.1", 9, cpus=(), folder=tmp_path)


def run(server: Server | int, folder: Path, **plan: Any) -> LoadResult:
    require("wrk")
    port = server if isinstance(server, int) else server.port
    settings = {"duration": 1, "connections": 4, "timeout": 20, **plan}
    asked = LoadPlan(generator="wrk", mode="closed", **settings)
    return load.run("wrk", asked, "127.0.0.1", port, cpus=(), folder=folder)


@pytest.mark.alone
@pytest.mark.real
def test_wrk_itself_sends_the_request_asked_for_and_is_counted(tmp_path: Path) -> None:
    seen = set()

    def answer(number: int, request: bytes) -> Answer:
        seen.add(request)
        return Answer(OK.replace(b"200 OK", b"503 No") if number % 10 == 0 else OK)

    with Server(answer) as server:
        result = run(
            server, tmp_path, request={"method": "PUT", "path": "/a?b", "headers": {"X-A": "b"}, "body": "h\0i"}
        )
    assert len(seen) == 1
    head, _, body = seen.pop().partition(b"\r\n\r\n")
    assert head.startswith(b"PUT /a?b HTTP/1.1\r\n")
    assert {b"X-A: b", b"Content-Length: 3", b"Host: 127.0.0.1:%d" % server.port} <= set(head.split(b"\r\n"))
    assert body == b"h\0i"
    assert result.served > 0
    assert result.failed == result.errors["status"]
    assert 0 <= server.requests - result.served - result.failed <= 2 * result.connections
    assert result.version.partition("/")[2].startswith("4.") or result.version.startswith("4.")
    assert result.client_cpu_s is not None
    assert (tmp_path / "wrk.json").exists()
    assert "requests in" in (tmp_path / "wrk.txt").read_text()


@pytest.mark.alone
@pytest.mark.real
@pytest.mark.parametrize("name", ["wrk", "h2load"])
def test_a_spread_load_has_its_threads_on_two_processors(name: str, tmp_path: Path) -> None:
    require(name)
    cpus = tuple(sorted(os.sched_getaffinity(0))[-2:])
    if len(cpus) < 2:
        pytest.skip("needs two processors")
    seen: list[list[set[int]]] = []

    def answer(number: int, _: bytes) -> Answer:
        if number % 200 == 0:  # the threads may not have been there at the first of them
            seen.extend(affinities(pid) for pid in children(name))
        return Answer()

    with Server(answer) as server:
        plan = LoadPlan(generator=name, mode="closed", duration=1, connections=4, threads=2, timeout=20)
        result = load.run(name, plan, "127.0.0.1", server.port, cpus=cpus, folder=tmp_path)
    assert [{cpus[0]}, {cpus[1]}] in seen
    assert not any("spread" in doubt for doubt in result.doubts)


def children(name: str) -> list[int]:
    """Our own children that run this program."""
    pids = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [int(pid) for pid in pids if Path(f"/proc/{pid}/comm").read_text().strip() == name]


def affinities(pid: int) -> list[set[int]]:
    """Of every thread but the first, in order of birth."""
    threads = sorted(int(task.name) for task in Path(f"/proc/{pid}/task").iterdir())
    return [os.sched_getaffinity(thread) for thread in threads if thread != pid]


@pytest.mark.alone
@pytest.mark.real
def test_wrk_against_nobody(tmp_path: Path) -> None:
    result = run(unused_port(), tmp_path)
    assert (result.served, dict(result.errors)) == (0, {"connect": 1})
    assert result.command[0] == "wrk"


@pytest.mark.alone
@pytest.mark.real
def test_wrk_is_not_kept_busy_by_a_histogram_of_long_latencies(tmp_path: Path) -> None:
    """One request of 1.5 s becomes thousands of wrk's own, and reading each counts from the smallest up."""
    with Server(lambda number, _: Answer(delay=1.5 if number == 100 else 0.0)) as server:
        result = run(server, tmp_path, duration=3)
    figures = json.loads((tmp_path / "wrk.json").read_text())
    assert figures["histogram"] is None
    assert (result.latency, result.served) == (None, figures["requests"])
    assert "latency" in result.doubted


@pytest.mark.alone
@pytest.mark.real
def test_wrk_without_an_answer_is_doubted(tmp_path: Path) -> None:
    with Server(lambda *_: Answer(delay=60)) as server:
        result = run(server, tmp_path)
    assert (result.served, result.doubted) == (0, ("rate", "latency"))
    assert result.doubts == ("wrk got no answer at all",)


@pytest.mark.alone
@pytest.mark.real
def test_a_wrk_that_writes_no_figures_is_a_load_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "bin" / "wrk"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho bad option >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:/usr/bin:/bin")
    plan = LoadPlan(mode="closed", duration=1)
    with pytest.raises(LoadError, match=r"wrk failed \(exit code 1\) and wrote no figures: bad option"):
        load.run("wrk", plan, "127.0.0.1", 9, cpus=(), folder=tmp_path)
