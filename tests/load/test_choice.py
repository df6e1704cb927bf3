"""Which generator a plan gets, why, and what is said when it cannot have the one it names."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from profpipe import load
from profpipe.errors import LoadError, Refused, ToolMissing, UsageError
from profpipe.load import builtin, plan
from profpipe.model.run import Histogram, LoadResult
from profpipe.study.requests import Request
from profpipe.study.schema import LoadPlan
from tests.support.distributions import install

EVERYTHING = {"wrk": "/usr/bin/wrk", "h2load": "/usr/bin/h2load"}


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The programs that are there, to be taken away by the test."""
    there = dict(EVERYTHING)
    monkeypatch.setattr("shutil.which", there.get)
    return there


@pytest.mark.parametrize(
    ("asked", "absent", "chosen"),
    [
        ({}, (), "builtin"),  # whatever is installed, a fixed number of requests costs the server the same
        ({"requests": 10}, (), "builtin"),
        ({"request": {"method": "HEAD"}}, (), "builtin"),
        ({"mode": "rate", "rate": 100}, (), "builtin"),
        ({"mode": "closed"}, (), "wrk"),
        ({"mode": "closed", "duration": 0.5}, (), "h2load"),
        ({"mode": "closed"}, ("wrk",), "h2load"),
        ({"mode": "closed"}, ("wrk", "h2load"), "builtin"),
        ({"mode": "closed", "request": {"method": "HEAD"}}, (), "builtin"),
    ],
    ids=str,
)
def test_auto_takes_the_best_that_can(
    installed: dict[str, str], asked: dict[str, Any], absent: tuple[str, ...], chosen: str
) -> None:
    for name in absent:
        del installed[name]
    choice = load.choice(LoadPlan(**asked))
    assert (choice.name, load.choose(LoadPlan(**asked))) == (chosen, chosen)
    assert all(f"{name} is not installed: apt install" in choice.reason for name in absent)


def test_the_reason_says_what_was_passed_over(installed: dict[str, str]) -> None:
    del installed["wrk"]
    reason = load.choice(LoadPlan(mode="closed", connections=1, threads=2)).reason
    assert reason == (
        "the best for mode closed after wrk (wrk is not installed: apt install wrk); "
        "h2load (h2load needs at least one connection per thread (1 for 2))"
    )


@pytest.mark.parametrize("name", ["wrk", "h2load"])
def test_a_named_generator_that_is_missing(installed: dict[str, str], name: str, tmp_path: Path) -> None:
    installed.clear()
    assert "apt install" in (load.missing(name) or "")
    with pytest.raises(ToolMissing, match="apt install"):
        load.choose(LoadPlan(generator=name, mode="closed"))
    with pytest.raises(ToolMissing, match="apt install"):
        load.run(name, LoadPlan(mode="closed"), "127.0.0.1", 9, cpus=(), folder=tmp_path)


def test_everything_that_is_there_can_be_named(installed: dict[str, str]) -> None:
    assert [load.missing(name) for name in load.GENERATORS.builtin] == [None, None, None, None]
    for name in set(load.GENERATORS.builtin) - {"command"}:
        assert load.choose(LoadPlan(generator=name, mode="closed")) == name


def test_a_rate_without_its_rate_is_refused() -> None:
    with pytest.raises(Refused, match="needs `rate`"):
        load.choose(LoadPlan(generator="builtin", mode="rate"))


def test_an_unknown_generator_is_a_mistake_of_the_command_line() -> None:
    with pytest.raises(UsageError, match="no load generator named 'ab'; there are: wrk, h2load, builtin, command"):
        load.choose(LoadPlan(generator="ab"))


OTHER = """
from profpipe.model.run import LoadResult
MODES, PROGRAM = frozenset({"count"}), None
def missing(): return None
def refuses(plan): return None
def run(plan, host, port, *, cpus, folder): return LoadResult("other", "1", (), "closed", "none", 1, 1, 7, 1.0)
"""


def test_a_generator_of_another_package_is_used_when_a_plan_names_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(tmp_path, "other-load", OTHER, group=load.GENERATORS.group, names=["other"])
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(load, "GENERATORS", dataclasses.replace(load.GENERATORS))
    assert load.choose(LoadPlan(generator="other")) == "other"
    assert load.run("other", LoadPlan(), "127.0.0.1", 9, cpus=(), folder=tmp_path).served == 7
    assert load.choose(LoadPlan()) != "other"


@pytest.mark.parametrize(
    "headers", [{"X\r\nEvil": "1"}, {"X": "1\r\nEvil: 2"}, {"": "1"}, {"X Y": "1"}, {"X": "1\n"}, {"X": "\0"}], ids=repr
)
def test_a_header_cannot_become_two(headers: dict[str, str]) -> None:
    with pytest.raises(LoadError, match="request header"):
        plan.headers(Request(headers=headers))


@pytest.mark.parametrize(
    ("request_", "sent"),
    [
        (Request(), "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
        (Request(headers={"hOST": "x"}), "GET / HTTP/1.1\r\nhOST: x\r\n\r\n"),
        (Request(method="POST"), "POST / HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 0\r\n\r\n"),
        (Request(body="ab"), "GET / HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 2\r\n\r\nab"),
    ],
    ids=["plain", "own host", "no body", "body"],
)
def test_the_built_in_request_byte_for_byte(request_: Request, sent: str) -> None:
    assert plan.request_bytes(request_, "::1", 80) == sent.encode()


def test_a_path_beyond_latin_1_is_refused_with_what_to_do() -> None:
    with pytest.raises(LoadError, match="percent-encode"):
        plan.request_bytes(Request(path="/日"), "127.0.0.1", 80)


ANSWER: dict[str, Any] = {
    "asked": 100, "served": 100, "sent": 100, "seconds": 1.0, "cpu_s": 0.1, "lateness_p99_us": None,
}  # fmt: skip
CALM = Histogram((500.0,), (100,))


@pytest.mark.parametrize(
    ("mode", "changes", "words"),
    [
        ("count", {}, None),
        ("count", {"cpu_s": 0.89}, None),
        ("count", {"cpu_s": 0.97}, "the load generator used 97 % of its processor: this is its own ceiling"),
        ("count", {"served": 88}, "12 of 100 requests were not served"),
        ("count", {"served": 0, "cpu_s": 1.0}, None),  # nothing to believe, so nothing to doubt
        ("rate", {"lateness_p99_us": 90.0}, None),  # a kernel's own time to wake up
        ("rate", {"lateness_p99_us": 110.0}, "sent 110 µs late or later by the load generator itself"),
        ("rate", {"lateness_p99_us": 1001.0}, "1,001 µs late"),
        ("rate", {"seconds": 1.005}, None),
        ("rate", {"seconds": 1.1}, "91 requests/s were sent of 100 offered"),
    ],
    ids=str,
)
def test_the_built_in_generator_doubts_itself(mode: str, changes: dict[str, Any], words: str | None) -> None:
    asked = LoadPlan.model_validate({"mode": mode, "rate": 100, "duration": 1})
    found = [doubt.text for doubt in builtin.doubts(asked, ANSWER | changes, CALM)]
    assert [words in text for text in found] == ([True] if words else []), found


def test_a_slow_server_makes_a_millisecond_of_lag_the_limit() -> None:
    slow = Histogram((80_000.0,), (100,))
    late = ANSWER | {"lateness_p99_us": 1100.0}
    assert builtin.doubts(LoadPlan(mode="rate", rate=100), late, slow)


def test_a_result_is_frozen_and_has_no_rate_without_time() -> None:
    result = LoadResult("mine", "1", (), "closed", "none", 1, 1, 7, 0.0)
    assert result.rate is None
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.served = 8  # type: ignore[misc]
