"""yappi in our own JSON, as the agent writes it. Oracle: yappi's own fields of a real recording."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yappi
from hypothesis import given
from hypothesis import strategies as st

from profpipe.errors import ParseError, ProfpipeError
from profpipe.model.profile import NATIVE, PYTHON
from profpipe.parse import yappi as reader
from tests.support.parse_cases import cuts, mutants, outcome, read, runtimes, self_by_name


def fact(n: int) -> int:
    return n * fact(n - 1) if n else len("x")


@pytest.fixture(scope="module")
def recording() -> tuple[dict[str, Any], list[Any]]:
    """A real recording of a recursive function, in the documented form, and yappi's rows."""
    yappi.set_clock_type("cpu")
    yappi.start(builtins=True)
    fact(4)
    yappi.stop()
    stats = list(yappi.get_func_stats())
    threads = [{"name": t.name, "id": t.id, "ttot": t.ttot, "sched": t.sched_count} for t in yappi.get_thread_stats()]
    yappi.clear_stats()
    rows = {stat.index: i for i, stat in enumerate(stats)}
    functions = [
        {
            "name": stat.name,
            "module": stat.module,
            "line": stat.lineno,
            "builtin": bool(stat.builtin),
            **numbers(stat),
            "children": [{"index": rows[c.index], **numbers(c)} for c in stat.children],
        }
        for stat in stats
    ]
    document = {"format": "profpipe.yappi/1", "clock": "cpu", "backend": "native_thread", "tool": "yappi 1.7.6"}
    return {**document, "python": "3.11.7", "functions": functions, "threads": threads}, stats


def numbers(stat: Any) -> dict[str, Any]:
    return {"calls": stat.ncall, "primitive_calls": stat.nactualcall, "self_s": stat.tsub, "total_s": stat.ttot}


def small(**changes: Any) -> dict[str, Any]:
    row = {"name": "f", "module": "a.py", "line": 3, "builtin": False, "calls": 2, "primitive_calls": 1}
    child = {"index": 0, "calls": 1, "primitive_calls": 0, "self_s": 0.1, "total_s": 0.1}
    document = {"format": "profpipe.yappi/1", "clock": "wall", "backend": "greenlet", "tool": "yappi 1.7.6"}
    functions = [{**row, "self_s": 0.25, "total_s": 0.25, "children": [child]}]
    return {**document, "functions": functions, "threads": [{"name": "MainThread", "id": 0}], **changes}


def parse(document: object) -> Any:
    return read(reader.parse, json.dumps(document).encode())


def test_a_real_recording_keeps_yappis_own_numbers(recording: tuple[dict[str, Any], list[Any]]) -> None:
    document, stats = recording
    profile = parse(document)
    assert [m.key for m in profile.metrics] == ["cpu_ns"]
    assert profile.self_sum("cpu_ns") == sum(round(s.tsub * 1e9) for s in stats)
    row = next(i for i, s in enumerate(stats) if s.name == "fact")
    frame = profile.measured.frame.tolist().index(row)
    assert (profile.measured.calls[frame], profile.measured.primitive_calls[frame]) == (5, 1)
    assert profile.measured.values["cpu_ns"][frame] == round(stats[row].ttot * 1e9)


def test_a_real_recording_knows_who_called_whom(recording: tuple[dict[str, Any], list[Any]]) -> None:
    profile = parse(recording[0])
    names = profile.functions.name
    calls = profile.calls
    edges = {
        (names[profile.frames.function[a]], names[profile.frames.function[b]]): int(n)
        for a, b, n in zip(calls.caller, calls.callee, calls.calls, strict=True)
    }
    assert edges["fact", "fact"] == 4
    assert edges["fact", "len"] == 1


def test_builtins_are_native_in_their_module(recording: tuple[dict[str, Any], list[Any]]) -> None:
    profile = parse(recording[0])
    assert runtimes(profile)["len"] == NATIVE
    assert runtimes(profile)["fact"] == PYTHON
    at = profile.functions.name.index("len")
    assert (profile.functions.file[at], profile.functions.object[at]) == ("", "builtins")


def test_clock_threads_and_backend_are_reported() -> None:
    profile = parse(small())
    assert [m.key for m in profile.metrics] == ["wall_ns"]
    assert profile.meta.threads == ("MainThread (0)",)
    assert profile.meta.notes == {"clock": "wall", "backend": "greenlet"}
    assert self_by_name(profile) == {"f": 250_000_000}


def test_a_thread_without_a_name_has_its_number() -> None:
    assert parse(small(threads=[{"name": None, "id": 7}])).meta.threads == ("(7)",)


ROW = small()["functions"][0]
BAD = {
    "another format": (small(format="profpipe.yappi/2"), "expected 'profpipe.yappi/1'"),
    "no clock": (small(clock=None), "expected 'cpu' or 'wall'"),
    "no functions": (small(functions=[]), "no function"),
    "functions that are no list": (small(functions={}), "expected a list"),
    "a function that is no object": (small(functions=[1]), "functions[0] is 1, expected an object"),
    "no name": (small(functions=[{**ROW, "name": None}]), "functions[0].name is None, expected text"),
    "negative time": (small(functions=[{**ROW, "self_s": -1}]), "self_s of 'f' is -1, expected seconds"),
    "calls as text": (small(functions=[{**ROW, "calls": "2"}]), "calls of 'f' is '2'"),
    "true as calls": (small(functions=[{**ROW, "calls": True}]), "calls of 'f' is True"),
    "calls over 64 bits": (small(functions=[{**ROW, "calls": 2**70}]), "over 64 bits"),
    "huge seconds": (small(functions=[{**ROW, "self_s": 10**30}]), "over 64 bits"),
    "a child that is not there": (small(functions=[{**ROW, "children": [{"index": 7}]}]), "function 7 of 1"),
    "a list": ([], "expected an object"),
}


@pytest.mark.parametrize(("document", "words"), BAD.values(), ids=BAD)
def test_bad_files_name_the_field(document: object, words: str) -> None:
    with pytest.raises(ParseError, match=re.escape(words)):
        parse(document)


JSON = {
    "NaN": (b'{"format": NaN}', "NaN instead of a number"),
    "5,000 digits": (b'{"a": ' + b"9" * 5000 + b"}", "a number that no profile holds"),
    "deep arrays": (b"[" * 100_000, "nested too deep"),
    "cut": (b'{"format": "profpipe.yappi/1", ', "was it cut short"),
    "latin-1": (b'{"a": "\xe9"}', "not text"),
}


@pytest.mark.parametrize(("data", "words"), JSON.values(), ids=JSON)
def test_what_is_no_json_is_a_clean_error(data: bytes, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        read(reader.parse, data)


def test_more_self_than_total_is_reported() -> None:
    profile = parse(small(functions=[{**ROW, "total_s": 0.1, "calls": 1, "primitive_calls": 2}]))
    assert len(profile.meta.warnings) == 2


def test_lone_surrogates_do_not_reach_the_profile() -> None:
    data = json.dumps(small(functions=[{**ROW, "name": "a\ud800</script>"}])).encode()
    assert read(reader.parse, data).functions.name == ("a\\ud800</script>",)


def test_every_cut_is_a_clean_error(recording: tuple[dict[str, Any], list[Any]]) -> None:
    data = json.dumps(recording[0]).encode()
    for size in cuts(data):
        assert isinstance(outcome(reader.parse, data[:size]), ProfpipeError), size


def test_damaged_captures_never_crash_the_reader() -> None:
    for data in mutants(json.dumps(small()).encode(), 5, 1500):
        outcome(reader.parse, data)


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4), lambda x: st.lists(x, max_size=3)
)


@given(st.sampled_from([*small(), *(f"functions.{key}" for key in ROW)]), JSONISH)
def test_any_value_in_any_field_gives_a_profile_or_a_clean_error(path: str, value: object) -> None:
    document = json.loads(json.dumps(small()))
    top, _, key = path.partition(".")
    if key:
        document[top][0][key] = value
    else:
        document[top] = value
    outcome(reader.parse, json.dumps(document).encode())
