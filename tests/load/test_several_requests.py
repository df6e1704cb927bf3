"""A load of several requests: each as often as its weight says, in one order, each answer judged by its own rule."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profpipe import load
from profpipe.errors import Refused
from profpipe.load.exchange import Exchange, dealt, deck
from profpipe.load.slices.client import Address, Block, Client, VariantFailed
from profpipe.study.requests import Route
from profpipe.study.schema import LoadPlan
from tests.support.http_server import OK, Answer, Server

NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
CREATED = b"HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\nmade"
ROUTES = (
    Route(name="item", path="/items/7", weight=7),
    Route(name="gone", path="/gone", weight=2, status=(404, 410)),
    Route(name="order", method="POST", path="/orders", body="{}", status="2xx"),
)
shares = st.lists(st.floats(0.01, 100), min_size=1, max_size=8)


@given(shares, st.integers(1, 300), st.text(max_size=5))
def test_a_deck_has_every_request_as_often_as_its_weight_says(weights: list[float], size: int, seed: str) -> None:
    found = deck(weights, size, seed)
    assert len(found) == size
    for place, weight in enumerate(weights):
        assert abs(found.count(place) - size * weight / sum(weights)) < 1 + 1e-6
    assert found == deck(weights, size, seed)


def test_rare_requests_are_neither_lost_nor_sent_too_often_over_many_decks() -> None:
    many = Counter(place for number in range(2000) for place in deck([99, 0.5, 0.5], 20, str(number)))
    assert many[1] / 40_000 == pytest.approx(0.005, rel=0.2)
    assert many[2] / 40_000 == pytest.approx(0.005, rel=0.2)


def test_a_load_is_dealt_to_its_end_and_no_further() -> None:
    exchanges = [Exchange(b"", [200], name=name) for name in ("a", "b")]
    order = [each.name for each in dealt(exchanges, [3, 1], "s", 2500)]
    assert (len(order), order.count("b")) == (2500, 625)
    assert order[:20] != sorted(order[:20])


def answer(_: int, request: bytes) -> Answer:
    path = request.split(b" ")[1]
    return Answer({b"/items/7": OK, b"/gone": NOT_FOUND, b"/orders": CREATED}[path])


def plan(**changes: Any) -> LoadPlan:
    settings: dict[str, Any] = {"requests": 400, "connections": 5, "timeout": 20.0, "request": ROUTES}
    return LoadPlan(**settings | changes)


@pytest.mark.real
@pytest.mark.alone
def test_the_built_in_generator_sends_the_mix_and_takes_each_status_by_its_route(tmp_path: Path) -> None:
    asked: Counter[bytes] = Counter()

    def counting(number: int, request: bytes) -> Answer:
        asked[request.split(b" ")[1]] += 1
        return answer(number, request)

    with Server(counting) as server:
        found = load.run("builtin", plan(), "127.0.0.1", server.port, cpus=(), folder=tmp_path)
    assert (found.served, found.failed, dict(found.errors)) == (400, 0, {})
    assert asked == {b"/items/7": 280, b"/gone": 80, b"/orders": 40}


@pytest.mark.real
@pytest.mark.alone
def test_the_status_of_a_failing_route_is_counted_under_its_name(tmp_path: Path) -> None:
    routes = (ROUTES[0], ROUTES[1].model_copy(update={"status": 200}))
    with Server(answer) as server:
        found = load.run("builtin", plan(request=routes), "127.0.0.1", server.port, cpus=(), folder=tmp_path)
    assert (found.served, dict(found.errors)) == (311, {"route gone: status 404": 89})


def test_only_the_built_in_generator_sends_several() -> None:
    assert load.choose(plan(mode="closed")) == "builtin"
    with pytest.raises(Refused, match="wrk: wrk sends one request, and this load has 3"):
        load.choose(plan(mode="closed", generator="wrk"))


@pytest.mark.real
@pytest.mark.alone
def test_a_slice_is_of_one_route_or_of_all_of_them() -> None:
    log: list[bytes] = []

    def logging(number: int, request: bytes) -> Answer:
        log.append(request.split(b" ")[1])
        return answer(number, request)

    blocks = [Block(2, (4, 6)), Block(None, (0, 40))]
    with Server(logging) as server, Client((), timeout=5.0) as client:
        client.open([Address("127.0.0.1", server.port, os.getpid(), ROUTES[0].alone, ROUTES)], 3)
        found = client.slices([[0]] * 4, [], 10.0, blocks=[*blocks, *blocks[::-1]], seed=3)["slices"]
    assert [(each["route"], each["requests"]) for each in found] == [
        (2, [4, 6]),
        (None, [0, 40]),
        (None, [0, 40]),
        (2, [4, 6]),
    ]
    assert [each["sent"] for each in found] == [[0, 0, 6], [28, 8, 4], [28, 8, 4], [0, 0, 6]]
    assert log[:10] == [b"/orders"] * 10
    assert Counter(log[10:50]) == {b"/items/7": 28, b"/gone": 8, b"/orders": 4}


@pytest.mark.real
@pytest.mark.alone
def test_a_route_that_answers_wrongly_in_a_slice_is_named() -> None:
    routes = (ROUTES[0], ROUTES[1].model_copy(update={"status": "2xx"}))
    with Server(answer) as server, Client((), timeout=5.0) as client:
        client.open([Address("127.0.0.1", server.port, os.getpid(), ROUTES[0].alone, routes)], 3)
        with pytest.raises(VariantFailed, match="route gone: it answered with status 404, 200 to 299 was expected"):
            client.slices([[0]], [10], 10.0)
