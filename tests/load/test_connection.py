"""One connection fed by hand: however the network cuts the bytes, the same answers are counted."""

from __future__ import annotations

import asyncio
import asyncio.selector_events
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profpipe.load.client.connection import Connection
from profpipe.load.client.modes import Count
from profpipe.load.client.order import Order

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
DATED = b"HTTP/1.1 200 OK\r\nDate: %d\r\nContent-Length: 2\r\n\r\nhi"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
INTERIM = b"HTTP/1.1 103 Early\r\n\r\n"
ANSWERS = {OK: 200, DATED % 1: 200, DATED % 2: 200, CHUNKED: 200, INTERIM + OK: 200, NO_CONTENT: 204, BUSY: 503}


class Wire(asyncio.Transport):
    """A transport that remembers what was written and whether it was let go."""

    def __init__(self) -> None:
        super().__init__()
        self.written = 0
        self.aborted = False

    def write(self, data: Any) -> None:
        assert bytes(data) == b"request"
        self.written += 1

    def abort(self) -> None:
        self.aborted = True


def opened(requests: int, *, head: bool = False) -> tuple[Connection, Wire, Count]:
    """A running load on one connection, whose first request is on its wire."""
    asked = {"request": "request", "accepted": [200], "head": head, "name": "", "weight": 1.0}
    load = Count(Order(mode="count", host="", port=1, asked=[asked], connections=1, timeout=5.0, requests=requests))
    connection, wire = Connection(load), Wire()
    connection.connection_made(wire)
    load.connections, load.live, load.running = [connection], 1, True
    load.begin()
    return connection, wire, load


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % len(data) for cut in cuts} - {0})
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(ANSWERS)), st.lists(st.integers(0, 200), max_size=4)), min_size=1, max_size=30
    )
)
def test_any_cut_of_the_bytes_counts_the_same(answers: list[tuple[bytes, list[int]]]) -> None:
    """The fast path (whole reads that repeat) and the parser (all others) agree with what was sent."""

    async def feed() -> Count:
        connection, wire, load = opened(len(answers))
        for number, (data, cuts) in enumerate(answers, start=1):
            assert (wire.written, load.outstanding) == (number, 1)
            for piece in pieces(data, cuts):
                connection.data_received(piece)
        assert not wire.aborted
        return load

    load = asyncio.run(feed())
    statuses = [ANSWERS[data] for data, _ in answers]
    assert (load.served, load.sent, load.outstanding) == (statuses.count(200), len(answers), 0)
    assert dict(load.errors) == {f"status {s}": statuses.count(s) for s in {204, 503} & set(statuses)}
    assert len(load.latencies) == load.served
    assert load.bytes_read == sum(len(data) for data, _ in answers)
    assert load.over


@pytest.mark.programs
@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n"])
def test_the_fast_path_waits_for_a_message_boundary(start: bytes) -> None:
    """Bytes equal to a whole response, in the middle of another one, are that one's: never an answer of their own."""

    async def feed() -> Count:
        connection, _, load = opened(3)
        connection.data_received(OK)
        assert load.exchanges[0].verified == OK
        connection.data_received(start)
        connection.data_received(OK)
        return load

    assert asyncio.run(feed()).served == 1


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
    ],
    ids=["failure", "close", "HTTP/1.0", "no length"],
)
def test_only_a_served_response_on_a_lasting_connection_opens_the_fast_path(data: bytes) -> None:
    async def feed() -> Count:
        connection, _, load = opened(1)
        connection.data_received(data)
        return load

    assert asyncio.run(feed()).exchanges[0].verified is None


def test_bytes_nobody_asked_for_end_the_connection() -> None:
    async def feed() -> tuple[Count, Wire]:
        connection, wire, load = opened(1)
        connection.data_received(OK)
        connection.data_received(OK)
        return load, wire

    load, wire = asyncio.run(feed())
    assert (load.served, dict(load.errors), wire.aborted) == (1, {"unasked bytes": 1}, True)


@pytest.mark.parametrize("data", [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"HTTP/1.1 200 OK\r\n\r\nhi"])
def test_a_body_after_head_is_a_bad_response(data: bytes) -> None:
    async def feed() -> Count:
        connection, _, load = opened(1, head=True)
        connection.data_received(data)
        return load

    load = asyncio.run(feed())
    assert (load.served, dict(load.errors)) == (0, {"bad response": 1})


def test_a_mistake_in_a_callback_ends_the_load_with_its_error() -> None:
    async def fail() -> None:
        _, _, load = opened(1)
        load.broke({"message": "a callback failed", "exception": ValueError("ours")})
        await load.ended

    with pytest.raises(ValueError, match="ours"):
        asyncio.run(fail())


def test_asyncio_still_reads_as_much_as_its_transport_says() -> None:
    """The client sets this attribute; under another name it would read into 256 KiB again, at 10 us a request."""
    transport: Any = asyncio.selector_events._SelectorSocketTransport  # type: ignore[attr-defined]
    assert transport.max_size == 256 * 1024
