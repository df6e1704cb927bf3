"""{seq} and {random:1-1000} in paths and bodies: seeded, counted, and free of cost for constant requests."""

from __future__ import annotations

import os
import re
from itertools import count, repeat
from pathlib import Path
from random import Random

import pytest

from profpipe import load
from profpipe.errors import Refused
from profpipe.load.exchange import filled, of_spec
from profpipe.load.feed import Feed
from profpipe.load.plan import asked_of
from profpipe.load.slices.session import Session
from profpipe.study.requests import Request
from profpipe.study.schema import LoadPlan
from profpipe.study.templates import Template, first
from tests.support.http_server import Answer, Server
from tests.support.study_file import SERVER, mistakes

ORDER = Request(method="POST", path="/orders/{seq}?q=100%25", body='{"item": {random:5-900}, "of": "{sequel}"}')


def test_values_are_filled_and_everything_else_stays() -> None:
    template = Template(b"/a/{seq}/{random:3-3}?p=100%25&{random:x}")
    assert template.filled(7, Random(1), {}) == b"/a/7/3?p=100%25&{random:x}"
    assert first("/a/{seq}/{random:3-9}") == "/a/0/3"


def test_a_body_has_the_length_that_it_has_with_its_values() -> None:
    (spec,) = asked_of(ORDER, (), "127.0.0.1", 80)
    exchange = of_spec(spec)
    sequence = filled([exchange], repeat(exchange), "seed", count(9), Feed(None))
    for number in (9, 10, 11):
        top, _, body = next(sequence).request.partition(b"\r\n\r\n")
        assert top.startswith(b"POST /orders/%d?q=100%%25 HTTP/1.1\r\n" % number)
        assert top.endswith(b"\r\nContent-Length: %d" % len(body))
        assert re.fullmatch(rb'\{"item": \d{1,3}, "of": "\{sequel\}"\}', body)


def test_a_constant_request_is_sent_from_the_same_sequence() -> None:
    exchange = of_spec(asked_of(Request(), (), "127.0.0.1", 80)[0])
    sequence = repeat(exchange)
    assert filled([exchange], sequence, "seed", count(), Feed(None)) is sequence


@pytest.mark.programs
def test_every_run_sends_the_same_values_after_those_of_the_warm_up(tmp_path: Path) -> None:
    runs = []
    for _ in range(2):
        lines: list[bytes] = []

        def answer(_number: int, request: bytes, lines: list[bytes] = lines) -> Answer:
            lines.append(request.partition(b"\r\n")[0])
            return Answer()

        plan = LoadPlan(requests=30, connections=1, warmup=10, request=Request(path="/{seq}/{random:1-1000}"))
        with Server(answer) as server:
            load.warm_up(plan, "127.0.0.1", server.port, cpus=(), folder=tmp_path)
            found = load.run("builtin", plan, "127.0.0.1", server.port, cpus=(), folder=tmp_path)
        assert found.served == 30
        runs.append(lines)
    assert runs[0] == runs[1]
    assert [int(line.split(b"/")[1]) for line in runs[0]] == list(range(1, 41))
    assert len({line.split(b"/")[2] for line in runs[0]}) > 20


@pytest.mark.programs
def test_slices_go_on_counting_when_connections_are_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    monkeypatch.setattr("profpipe.load.slices.closed_loop.STDIN", reading)
    numbers: list[int] = []

    def answer(_number: int, request: bytes) -> Answer:
        numbers.append(int(request.split(b" ")[1][1:]))
        return Answer()

    with Server(answer) as server:
        asked = asked_of(Request(path="/{seq}"), (), "127.0.0.1", server.port)
        spec = {"host": "127.0.0.1", "port": server.port, "root": os.getpid(), "asked": asked, "connections": 1}
        session = Session()
        for _ in range(2):
            assert session.answer({"do": "open", "variants": [spec], "timeout": 2.0}) == {}
            session.servers[0].slice([3, 4])
        session.close()
    os.close(reading)
    os.close(writing)
    assert numbers == list(range(1, 15))


def test_other_generators_and_empty_ranges_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="wrk sends one constant request, and this one has values that differ"):
        load.choose(LoadPlan(generator="wrk", mode="closed", request=Request(path="/{seq}")))
    (line,) = mistakes(tmp_path, SERVER + '[target.a.request]\npath = "/{random:9-1}"\n')
    assert line.endswith("target.a.request.path: {random:9-1}: the first number is the smaller one")
