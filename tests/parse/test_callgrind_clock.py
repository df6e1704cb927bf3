"""Readings of the clock, which are system calls under valgrind only, are left out of a capture's system calls."""

from __future__ import annotations

import gzip
import io

import pytest

from profpipe.model.derive import edges, function_table
from profpipe.model.profile import Profile
from profpipe.parse import callgrind, parse_files
from profpipe.parse.callgrind.clock import LEFT_OUT, without_clock
from tests.support.paths import DATA

HEAD = "version: 1\ncreator: {creator}\npid: 7\nevents: Ir sysCount\n"
# main calls serve once and log once. Both send, and read the clock through now.
BODY = """
fn=main
0 10
cfn=serve
calls=1 0
0 60 5
cfn=log
calls=1 0
0 30 3
fn=serve
0 20
cfn=now
calls=2 0
0 20 2
cfn=send
calls=1 0
0 20 3
fn=log
0 10
cfn=now
calls=1 0
0 10 1
cfn=send
calls=1 0
0 10 2
fn=now
0 9
cfn=clock_gettime@@GLIBC_2.17
calls=3 0
0 21 3
fn=clock_gettime@@GLIBC_2.17
0 21 3
fn=send
0 30 5
"""


def read(body: str = BODY, creator: str = "callgrind-3.19.0", totals: str = "100 8") -> Profile:
    text = f"{HEAD.format(creator=creator)}{body}totals: {totals}\n"
    return callgrind.parse(io.BytesIO(text.encode()), "callgrind.out.7")


def by_name(profile: Profile, column: str) -> dict[str, float]:
    rows = function_table(profile, "syscalls").assign(name=profile.functions.name).set_index("name")
    return {name: value for name, value in rows[column].items() if value}


def test_a_reading_of_the_clock_is_no_system_call_for_itself_nor_for_its_callers() -> None:
    profile = read()
    assert by_name(profile, "self") == {"send": 5}
    assert by_name(profile, "total") == {"main": 5, "serve": 3, "log": 2, "send": 5}
    assert profile.self_sum("instructions") == profile.declared["instructions"] == 100
    assert profile.declared["syscalls"] == 5
    assert {m.key: m.about for m in profile.metrics}["syscalls"] == LEFT_OUT


def test_what_another_tool_counted_stays_as_it_is() -> None:
    assert by_name(read(creator="xdebug 3.3"), "self") == {"clock_gettime@@GLIBC_2.17": 3, "send": 5}


def test_a_capture_that_never_reads_the_clock_stays_as_it_is() -> None:
    profile = read("fn=send\n0 30 5\n", totals="30 5")
    assert without_clock(profile) is profile


@pytest.mark.parametrize("name", ["__clock_gettime", "time.now", "runtime.nanotime1.abi0", "clock_gettime@GLIBC_2.2.5"])
def test_readers_of_the_clock_are_known_by_their_names(name: str) -> None:
    assert by_name(read(f"fn={name}\n0 9 4\nfn=send\n0 1 1\n", totals="10 5"), "self") == {"send": 1}


def test_functions_that_call_each_other_in_a_circle_lose_the_clock_too() -> None:
    body = """
fn=main
0 1
cfn=even
calls=1 0
0 9 6
fn=even
0 4
cfn=odd
calls=2 0
0 5 4
cfn=time
calls=2 0
0 2 2
fn=odd
0 2
cfn=even
calls=1 0
0 5 3
cfn=send
calls=2 0
0 1 4
fn=time
0 2 2
fn=send
0 1 4
"""
    profile = read(body, totals="10 6")
    found = edges(profile, "syscalls")
    assert by_name(profile, "self") == {"send": 4}
    assert 0 <= found.value[found.callee == profile.functions.name.index("time")].sum() == 0


def test_a_real_server_keeps_all_its_other_system_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    path = DATA / "callgrind" / "hyper010-may-5000.out.gz"
    profile = callgrind.parse(io.BytesIO(gzip.decompress(path.read_bytes())), "callgrind.out")
    monkeypatch.setattr(callgrind, "without_clock", lambda profile: profile)
    whole = callgrind.parse(io.BytesIO(gzip.decompress(path.read_bytes())), "callgrind.out")
    found, before = by_name(profile, "self"), by_name(whole, "self")
    assert before == {**found, "clock_gettime@@GLIBC_2.17": 8846}


@pytest.mark.parametrize("version", ["3.12.1", "3.13.0"])
def test_the_python_view_makes_as_many_system_calls_as_the_view_of_c(version: str) -> None:
    paths = sorted((DATA / "callgrind" / "python" / version).iterdir())
    profile, native = parse_files(paths, "callgrind"), parse_files(paths[:1], "callgrind")
    assert profile.self_sum("syscalls") == native.self_sum("syscalls") == native.declared["syscalls"]
