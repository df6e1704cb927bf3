"""The audit of loads: an honest load passes, and each planted lie is refused by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from profpipe.analyse.tables.load_audit import Seen, audit
from profpipe.model.audit import Audit
from profpipe.model.run import Histogram, LoadResult

CLOSED = LoadResult(
    tool="builtin",
    version="1",
    command=(),
    loop="closed",
    correction="none",
    connections=20,
    threads=1,
    served=10_000,
    seconds=2.0,
    sent=10_000,
    bytes_read=6_500_000,
    latency=Histogram((3_900.0,), (10_000,)),  # 5,000 a second x 3.9 ms = 19.5 outstanding
    client_cpu_s=1.0,
    reconnects=0,
    interim=0,
)
RATED = replace(
    CLOSED,
    loop="open",
    correction="intended-start",
    offered_rate=5_000.0,
    latency=Histogram((500.0,), (10_000,)),
    lateness_p99_us=40.0,
)
SLOWER = replace(CLOSED, served=8_000, sent=8_000, bytes_read=5_200_000)
HONEST = [Seen("a", CLOSED, 1.0), Seen("b", SLOWER, 1.1), Seen("a", RATED)]
NAMES = ["answered", "outstanding", "busy", "held", "own-cpu", "on-time", "interim", "sizes", "ceiling", "omission"]


def with_load(load: LoadResult = CLOSED, **changes: Any) -> list[Seen]:
    return [*HONEST, Seen("liar", replace(load, **changes), 1.0)]


def failed(found: Audit) -> dict[str, str]:
    return {check.key: check.words for check in found.checks if check.passed is False}


def test_an_honest_load_passes_every_check() -> None:
    found = audit(HONEST)
    assert (found.words, failed(found)) == ("10 of 10 checks", {})
    assert [check.key for check in found.checks] == NAMES


# Five variants whose rate is one and whose cost is not: what held them back is what they share.
CEILING = [
    Seen(f"v{i}", replace(CLOSED, served=49_800 + 20 * i, seconds=2.0, latency=None, mean_us=803.0), 0.5 + i / 10)
    for i in range(5)
]
STATUS = {"failed": 400, "errors": {"status 503": 400}, "served": 9_600}
LIES: dict[str, tuple[str, Sequence[Seen], str]] = {
    "every 25th answer is a 503": ("answered", with_load(**STATUS), "400 of 10,000 requests on liar failed"),
    "nothing was answered": ("answered", with_load(served=0, latency=None), "no answer was counted"),
    "two requests at once on each connection": (
        "outstanding", with_load(latency=Histogram((7_800.0,), (10_000,))), "39 requests outstanding on average",
    ),
    "twice the count": (
        "outstanding", with_load(served=20_000, latency=Histogram((3_900.0,), (20_000,))), "(Little's law)",
    ),
    "it holds two of its connections": (
        "busy", with_load(latency=Histogram((400.0,), (10_000,))), "2 of 20 connections waited for an answer",
    ),
    "one variant closes after each answer": ("held", with_load(reconnects=9_980), "liar closed 9,980 connections"),
    "the client used up its processor": ("own-cpu", with_load(client_cpu_s=1.96), "98 % of its processors (on liar)"),
    "the client was late itself": ("on-time", with_load(RATED, lateness_p99_us=4_100.0), "at most 4.10 ms after"),
    "interim answers are counted": ("interim", with_load(tool="mine", interim=10_000), "10,000 interim answers (1xx)"),
    "a short page in place of the real one": ("sizes", with_load(bytes_read=1_200_000), "120 bytes an answer"),
    "all five stop at 24,900": ("ceiling", CEILING, "all 5 variants stop at about 24,920 requests/s"),
    "latency counts from the send": ("omission", with_load(RATED, correction="none"), "from the actual start"),
    "it fell behind its rate": ("omission", with_load(RATED, sent=7_000), "fewer requests were sent to liar"),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_planted_lie_is_refused_by_name(lie: str) -> None:
    key, loads, words = LIES[lie]
    found = failed(audit(loads))
    assert key in found, found
    assert words in found[key]


def test_what_every_variant_does_alike_is_no_lie() -> None:
    loads = [Seen(name, replace(CLOSED, reconnects=10_000), cost) for name, cost in (("a", 1.0), ("b", 1.05))]
    assert "held" not in failed(audit(loads))


def test_what_a_load_does_not_say_is_not_checked_and_says_why() -> None:
    bare = LoadResult("mine", "1", (), None, None, None, None, 100, 1.0)
    found = audit([Seen("a", bare)])
    assert found.words == "1 of 1 checks"
    unknown = {check.key: check.words for check in found.checks if check.passed is None}
    assert list(unknown) == NAMES[1:]
    assert all(unknown.values())
