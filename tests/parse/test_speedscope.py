"""speedscope JSON as py-spy and pyinstrument write it. Oracle: the session of the same recording, the weights."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profpipe.errors import ParseError, ProfpipeError
from profpipe.model.codec import dump_text
from profpipe.model.profile import Profile
from profpipe.parse import pyinstrument
from profpipe.parse import speedscope as reader
from tests.support.parse_cases import capture, cuts, mutants, outcome, read, self_by_name

PYSPY, EVENTED = "pyspy-uvloop.speedscope.json", "pyinstrument-threads.speedscope.json"
GOOD = (PYSPY, EVENTED, "pyinstrument-gevent.speedscope.json.gz")


def load(name: str) -> Profile:
    return read(reader.parse, capture(f"speedscope/{name}"))


def parse(document: object) -> Profile:
    return read(reader.parse, json.dumps(document).encode())


def document(*profiles: dict[str, Any]) -> dict[str, Any]:
    return {"$schema": reader.SCHEMA, "shared": {"frames": [{"name": "a"}, {"name": "b"}]}, "profiles": list(profiles)}


def sampled(**changes: Any) -> dict[str, Any]:
    return {"type": "sampled", "name": "t", "unit": "none", "samples": [[0], [0, 1]], "weights": [2, 3], **changes}


def evented(*events: tuple[str, float, int]) -> dict[str, Any]:
    listed = [{"type": kind, "at": at, "frame": frame} for kind, at, frame in events]
    return {"type": "evented", "name": "t", "unit": "seconds", "events": listed}


@pytest.mark.parametrize("name", GOOD)
def test_real_captures_read_as_their_goldens(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"parse/speedscope-{name}.txt", dump_text(load(name)))


def test_weights_are_conserved() -> None:
    weights = json.loads(capture(f"speedscope/{PYSPY}"))["profiles"][0]["weights"]
    assert load(PYSPY).self_sum("wall_ns") == round(sum(weights) * 1e9)


def test_events_give_the_self_times_of_the_session() -> None:
    """pyinstrument's [self] leaves are folded into their parent, its <thread> root is no function."""
    session = read(pyinstrument.parse, capture("pyinstrument/pyinstrument-gevent.pyisession.gz"))
    ours = {k.rsplit(".", 1)[-1]: v for k, v in self_by_name(load(GOOD[2])).items()}
    theirs = {k.rsplit(".", 1)[-1]: v for k, v in self_by_name(session).items()}
    for name in ("handle", "parse", "render", "__send_chunk"):
        assert ours[name] == pytest.approx(theirs[name], abs=3000)
    assert sum(ours.values()) == pytest.approx(sum(theirs.values()), abs=3000)


def test_several_profiles_are_threads() -> None:
    profile = parse(document(sampled(name="one"), sampled(name="two")))
    assert profile.meta.threads == ("one", "two")
    assert self_by_name(profile) == {"a": 4, "b": 6}


def test_time_between_events_belongs_to_the_innermost_frame() -> None:
    profile = parse(document(evented(("O", 0, 0), ("O", 1.5, 1), ("C", 2, 1), ("C", 4, 0))))
    assert self_by_name(profile) == {"a": 3_500_000_000, "b": 500_000_000}


BAD = {
    "an unknown unit": (document(sampled(unit="parsecs")), "unit 'parsecs'"),
    "an unknown type": (document(sampled(type="pie")), "profile type 'pie'"),
    "a frame not listed": (document(sampled(samples=[[7], [0]])), "not among the 2 listed"),
    "a negative frame": (document(sampled(samples=[[-1], [0]])), "not among the 2 listed"),
    "weights missing": (document(sampled(weights=[1])), "2 samples but 1 weights"),
    "a negative weight": (document(sampled(weights=[1, -1])), "a weight is -1"),
    "half a sample": (document(sampled(weights=[1, 0.5])), "a weight is 0.5"),
    "events out of order": (document(evented(("O", 2, 0), ("C", 1, 0))), "earlier than the one before"),
    "events that do not nest": (document(evented(("O", 0, 0), ("O", 1, 1), ("C", 2, 0))), "not the innermost"),
    "events never closed": (document(evented(("O", 0, 0))), "never closed"),
    "no profiles": (document(), "no profile in it"),
    "profiles that are no list": ({**document(), "profiles": {}}, "expected a list"),
}


@pytest.mark.parametrize(("data", "words"), BAD.values(), ids=BAD)
def test_bad_files_name_the_field(data: object, words: str) -> None:
    with pytest.raises(ParseError, match=re.escape(words)):
        parse(data)


@pytest.mark.parametrize("name", [PYSPY, EVENTED])
def test_every_cut_is_a_clean_error(name: str) -> None:
    data = capture(f"speedscope/{name}").rstrip()
    for size in cuts(data):
        assert isinstance(outcome(reader.parse, data[:size]), ProfpipeError), size


@pytest.mark.slow
def test_stacks_of_30_000_frames() -> None:
    deep = [0] * 30_000
    assert self_by_name(parse(document(sampled(samples=[deep, [1]])))) == {"a": 2, "b": 3}
    events = [("O", 0, 0)] * 30_000 + [("C", 1, 0)] * 30_000
    assert self_by_name(parse(document(evented(*events)))) == {"a": 10**9}


def test_damaged_captures_never_crash_the_reader() -> None:
    for data in mutants(capture(f"speedscope/{EVENTED}"), 9, 700):
        outcome(reader.parse, data)


@given(st.lists(st.tuples(st.lists(st.integers(0, 1), max_size=5), st.integers(0, 2**50)), min_size=1, max_size=8))
def test_weights_are_conserved_whatever_the_stacks(rows: list[tuple[list[int], int]]) -> None:
    result = parse(document(sampled(samples=[s for s, _ in rows], weights=[w for _, w in rows])))
    assert result.self_sum("samples") == sum(weight for _, weight in rows)


def test_types_of_value_are_never_added_up() -> None:
    """A heap profile through a converter: two profiles of one unit, told apart by their names alone."""
    profile = parse(document(sampled(name="alloc_space", unit="bytes"), sampled(name="inuse_space", unit="bytes")))
    assert [(m.key, m.unit, profile.self_sum(m.key)) for m in profile.metrics] == [
        ("alloc_space", "B", 5),
        ("inuse_space", "B", 5),
    ]
    assert "threads" not in profile.says


def test_profiles_of_several_units_are_metrics_of_their_own() -> None:
    profile = parse(document(sampled(name="main"), sampled(name="main", unit="seconds")))
    assert [(m.key, profile.self_sum(m.key)) for m in profile.metrics] == [("samples", 5), ("wall_ns", 5_000_000_000)]


def test_profiles_of_one_unit_are_threads() -> None:
    profile = parse(document(sampled(name="a"), sampled(name="b")))
    assert profile.meta.threads == ("a", "b")
    assert profile.self_sum("samples") == 10


def test_our_own_export_names_its_metrics() -> None:
    written = document(sampled(name="MainThread: CPU time", unit="nanoseconds"), sampled(name="MainThread: samples"))
    profile = parse({**written, "exporter": "profpipe"})
    assert [m.key for m in profile.metrics] == ["cpu_ns", "samples"]
    assert profile.meta.threads == ("MainThread",)


def test_nanoseconds_since_1970_lose_nothing() -> None:
    start = 1_764_444_444_000_000_001
    events = [{"type": "O", "at": start, "frame": 0}, {"type": "C", "at": start + 1, "frame": 0}]
    one = {"type": "evented", "name": "t", "unit": "nanoseconds", "events": events}
    assert parse(document(one)).self_sum("wall_ns") == 1


def test_a_file_without_its_schema_is_known_by_its_keys() -> None:
    plain = {key: value for key, value in document(sampled()).items() if key != "$schema"}
    assert reader.sniff(json.dumps(plain).encode(), "") is True
    assert reader.sniff(b'{"profiles": 3}', "") is None
