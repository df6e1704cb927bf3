"""xhprof: both ways to write it give one profile; calls and times are those of the array."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profpipe.errors import ParseError, ProfpipeError
from profpipe.model.derive import function_table
from profpipe.parse import xhprof
from profpipe.parse.php_serialised import unserialised
from tests.support.parse_cases import capture, cuts, mutants, outcome, read, self_by_name

PHP = capture("xhprof/page.xhprof")
JSON = capture("xhprof/page.json")
ARRAY: dict[str, dict[str, int]] = json.loads(JSON)


def test_serialised_and_json_are_one_profile() -> None:
    one, other = read(xhprof.parse, PHP), read(xhprof.parse, JSON)
    assert self_by_name(one) == self_by_name(other)
    assert self_by_name(one, "cpu_ns") == self_by_name(other, "cpu_ns")


def test_calls_and_totals_are_those_of_the_array() -> None:
    profile = read(xhprof.parse, JSON)
    table = function_table(profile, "wall_ns").set_axis(pd.Index(profile.functions.name))
    calls: Counter[str] = Counter()
    for key, numbers in ARRAY.items():
        calls[key.rpartition("==>")[2].partition("@")[0]] += numbers["ct"]
    assert table["calls"].to_dict() == calls
    assert calls["fib"] == 465
    assert table["total"]["fib"] == ARRAY["fib"]["wt"] * 1000
    assert table["total"]["Page::render"] == ARRAY["Page::all==>Page::render"]["wt"] * 1000


def test_self_is_the_time_less_that_of_the_calls() -> None:
    found = self_by_name(read(xhprof.parse, JSON))
    inner = sum(v["wt"] for k, v in ARRAY.items() if k.startswith("Page::render==>"))
    assert found["Page::render"] == (ARRAY["Page::all==>Page::render"]["wt"] - inner) * 1000
    roots = sum(v["wt"] for k, v in ARRAY.items() if "==>" not in k)
    assert sum(found.values()) >= roots * 1000


def test_a_recording_of_time_only_has_one_metric() -> None:
    assert [m.key for m in read(xhprof.parse, capture("xhprof/time.xhprof")).metrics] == ["wall_ns"]


def test_calls_that_take_longer_than_their_caller_are_said() -> None:
    data = json.dumps({"main()": {"ct": 1, "wt": 10}, "main()==>f": {"ct": 1, "wt": 11}}).encode()
    profile = read(xhprof.parse, data)
    assert self_by_name(profile) == {"main()": 0, "f": 11_000}
    assert profile.meta.warnings == ("calls of wall time longer than their caller by 4.8 %",)


def test_every_cut_is_an_error_and_damage_is_never_a_traceback() -> None:
    for data in (PHP, JSON):
        for at in cuts(data.rstrip(), 200):
            assert isinstance(outcome(xhprof.parse, data[:at]), ProfpipeError), at
        for mutant in mutants(data, seed=5, many=100):
            outcome(xhprof.parse, mutant)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'O:8:"stdClass":0:{}', "expected an object|expected an array|not whole JSON"),
        (b'a:1:{s:1:"a";O:8:"stdClass":0:{}}', "expected an array, text or number of PHP"),
        (b'a:1:{s:4:"main";a:1:{s:2:"ct";i:1;}}', "no time in it"),
        (b'a:1:{s:9:"main==>f";a:2:{s:2:"ct";i:1;s:2:"wt";i:1;}}', "not as long as it says"),
        (b'a:1:{s:8:"main==>f";a:2:{s:2:"ct";i:1;s:2:"wt";i:1;}}', "'main' calls but is never called"),
        (b'a:1:{s:4:"main";a:2:{s:2:"ct";i:1;s:2:"wt";i:-5;}}', "expected a whole number"),
        (b'{"main": {"ct": 1, "wt": 9223372036854775807}}', "64 bits"),
    ],
)
def test_what_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ParseError, match=message):
        read(xhprof.parse, data)


def test_deep_arrays_are_refused() -> None:
    with pytest.raises(ParseError, match="expected an array"):
        unserialised(b"a:1:{i:0;" * 1000, "x")


def php(value: Any) -> bytes:
    if isinstance(value, int):
        return b"i:%d;" % value
    if isinstance(value, str):
        data = value.encode()
        return b's:%d:"%s";' % (len(data), data)
    return b"a:%d:{%s}" % (len(value), b"".join(php(k) + php(v) for k, v in value.items()))


VALUES = st.recursive(
    st.integers(-(10**15), 10**15) | st.text(max_size=9), lambda v: st.dictionaries(st.text(max_size=9), v, max_size=4)
)


@given(VALUES)
def test_what_php_writes_is_what_is_read(value: Any) -> None:
    assert unserialised(php(value), "x") == value
