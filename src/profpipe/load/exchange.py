"""A request as its bytes, and what its answers must be: what both built-in clients send, and check.

The clients' own processes import it: it needs nothing but the standard library.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any

from profpipe.load.expected import Expected
from profpipe.load.feed import Feed, in_path
from profpipe.load.response import closes
from profpipe.study.templates import Row, Template

# Requests of a load are dealt from decks of so many, each with every request as often as its weight says.
DECK = 1000
# Where the length of a body differs, the client writes it.
LENGTH = b"Content-Length: {length}"


class Exchange:
    """One request of a load. `verified` = a whole answer that was checked: one with the same bytes needs no parser.

    `name` is empty where the load has one request. `closing` = the request asks for the end of its connection.
    """

    __slots__ = (
        "accepted", "closing", "expected", "head", "name", "request", "verified", "verified_body", "verified_status",
    )  # fmt: skip

    def __init__(self, request: bytes, accepted: Sequence[int], *, head: bool = False, name: str = "") -> None:
        self.request, self.accepted, self.head, self.name = request, frozenset(accepted), head, name
        self.closing = closes(request)
        self.expected: Expected | None = None
        self.verified: bytes | None = None
        self.verified_body = self.verified_status = 0

    @property
    def whose(self) -> str:
        """`route order: `, to begin a complaint with; empty where the load has one request."""
        return f"route {self.name}: " if self.name else ""

    @property
    def wanted(self) -> str:
        """`200`, `200 to 299`, `200 or 404`."""
        codes = sorted(self.accepted)
        if len(codes) > 2 and codes[-1] - codes[0] == len(codes) - 1:
            return f"{codes[0]} to {codes[-1]}"
        return " or ".join(map(str, codes))

    def verify(self, data: bytes, status: int, body_bytes: int) -> None:
        """`data` is a whole answer of an accepted status."""
        self.verified, self.verified_status, self.verified_body = data, status, body_bytes


class Varying(Exchange):
    """A request with values that differ; each that is sent is an exchange of its own. `fed` = it takes a row."""

    __slots__ = ("_body", "_fields", "_line", "fed")

    def __init__(self, request: bytes, accepted: Sequence[int], *, head: bool = False, name: str = "") -> None:
        super().__init__(request, accepted, head=head, name=name)
        top, _, body = request.partition(b"\r\n\r\n")
        line, _, fields = top.partition(b"\r\n")
        self._line, self._fields, self._body = Template(line, in_path), Template(fields), Template(body)
        self.fed = self._line.fed or self._fields.fed or self._body.fed

    def made(self, number: int, rng: random.Random, row: Row) -> Exchange:
        """The request with these values, and the length that its body has with them."""
        body = self._body.filled(number, rng, row)
        fields = self._fields.filled(number, rng, row).replace(LENGTH, b"Content-Length: %d" % len(body))
        found = Exchange.__new__(Exchange)
        found.request = b"%b\r\n%b\r\n\r\n%b" % (self._line.filled(number, rng, row), fields, body)
        found.accepted, found.head, found.name, found.closing = self.accepted, self.head, self.name, self.closing
        found.expected = self.expected
        found.verified, found.verified_body, found.verified_status = None, 0, 0
        return found


def of_spec(spec: Mapping[str, Any]) -> Exchange:
    """An exchange from JSON: {request, accepted, head, name, varying, expects}; bytes are written as latin-1."""
    request = spec["request"].encode("latin-1")
    kind = Varying if spec.get("varying") else Exchange
    found = kind(request, spec["accepted"], head=spec["head"], name=spec["name"])
    found.expected = Expected(spec["expects"]) if spec.get("expects") else None
    return found


def filled(
    exchanges: Sequence[Exchange], sequence: Iterator[Exchange], seed: str, numbers: Iterator[int], rows: Feed
) -> Iterator[Exchange]:
    """The sequence with values where requests have places for them: of `numbers`, of `rows`, and drawn from `seed`.

    A sequence of constant requests is given back as it is, and costs nothing more. Raises FeedEnded.
    """
    if not any(isinstance(each, Varying) for each in exchanges):
        return sequence
    rng = random.Random(f"values {seed}")
    return _Filled(sequence, rng, numbers, rows)


class _Filled:
    """No generator, which would be over after the first FeedEnded."""

    def __init__(self, sequence: Iterator[Exchange], rng: random.Random, numbers: Iterator[int], rows: Feed) -> None:
        self.sequence, self.rng, self.numbers, self.rows = sequence, rng, numbers, rows

    def __iter__(self) -> Iterator[Exchange]:
        return self

    def __next__(self) -> Exchange:
        each = next(self.sequence)
        if not isinstance(each, Varying):
            return each
        return each.made(next(self.numbers), self.rng, next(self.rows) if each.fed else {})


def deck(weights: Sequence[float], size: int, seed: str) -> list[int]:
    """`size` places of requests in a random order, each as often as its weight says, rounded up or down.

    Rounding is by systematic sampling: over many decks the shares are those of the weights exactly.
    """
    rng = random.Random(seed)
    step, at = sum(weights) / size, rng.random()
    found: list[int] = []
    bound = 0.0
    for place, weight in enumerate(weights):
        bound += weight
        while len(found) < size and (len(found) + at) * step < bound:
            found.append(place)
    found += [len(weights) - 1] * (size - len(found))  # of the last, where a sum of floats fell short of the whole
    rng.shuffle(found)
    return found


def dealt(exchanges: Sequence[Exchange], weights: Sequence[float], seed: str, total: int | None) -> Iterator[Exchange]:
    """The exchanges in the order in which they are sent, at least `total`; without end for None."""
    if len(exchanges) == 1:
        yield from repeat(exchanges[0])
    number, left = 0, total
    while left is None or left > 0:
        size = DECK if left is None else min(left, DECK)
        yield from (exchanges[place] for place in deck(weights, size, f"{seed} {number}"))
        number += 1
        left = None if left is None else left - size
