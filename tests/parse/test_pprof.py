"""pprof: every value of every type as `go tool pprof` has it; labels, inlined calls; damage is an error."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profpipe.errors import ParseError, ProfpipeError
from profpipe.model.profile import KERNEL, Profile
from profpipe.parse import parse_file, pprof
from profpipe.parse.pprof.wire import packed
from tests.support.parse_cases import DATA, capture, cuts, mutants, outcome, read, self_by_name, total_by_name

FOLDER = DATA / "pprof"
TOPS = sorted(FOLDER.glob("*.top.txt.gz"))
CAPTURES = sorted(FOLDER.glob("*.pb.gz"))
ROW = re.compile(
    r" *([\d.]+)(?:ns|B|count)? +\S+ +\S+ +([\d.]+)(?:ns|B|count)? +\S+ +(.*?)(?: \((?:partial-)?inline\))?$"
)
KEYS = {"cpu": "cpu_ns"}


@pytest.mark.parametrize("top", TOPS, ids=lambda p: p.name.removesuffix(".top.txt.gz"))
def test_self_of_every_function_is_that_of_go_tool_pprof(top: Path) -> None:
    name, kind = top.name.removesuffix(".top.txt.gz").split(".")
    profile = parse_file(FOLDER / f"{name}.pb.gz")
    theirs: Counter[str] = Counter()
    for line in gzip.decompress(top.read_bytes()).decode().splitlines()[1:]:
        row = ROW.fullmatch(line)
        assert row is not None, line
        theirs[row[3]] += int(row[1])
    ours = self_by_name(profile, KEYS.get(kind, kind))
    assert +ours == +theirs
    assert ours.total() > 0


@pytest.mark.parametrize("kind", ["go-cpu.cpu", "go-heap.inuse_space", "go-block.delay"])
def test_total_of_every_function_is_that_of_go_tool_pprof(kind: str) -> None:
    """The first metric is the type that `go tool pprof` shows without being asked."""
    profile = parse_file(FOLDER / f"{kind.split('.')[0]}.pb.gz")
    rows = gzip.decompress((FOLDER / f"{kind}.top.txt.gz").read_bytes()).decode().splitlines()[1:]
    theirs = {row[3]: int(row[2]) for row in map(ROW.fullmatch, rows) if row is not None}
    assert {name: value for name, value in total_by_name(profile).items() if value} == {
        k: v for k, v in theirs.items() if v
    }


def test_every_type_of_value_is_a_metric_of_its_own() -> None:
    found = {path.name: [(m.key, m.unit) for m in parse_file(path).metrics] for path in CAPTURES}
    assert found == {
        "go-cpu.pb.gz": [("cpu_ns", "ns"), ("samples", "1")],
        "go-heap.pb.gz": [("inuse_space", "B"), ("alloc_objects", "1"), ("alloc_space", "B"), ("inuse_objects", "1")],
        "go-mutex.pb.gz": [("delay", "ns"), ("contentions", "1")],
        "go-block.pb.gz": [("delay", "ns"), ("contentions", "1")],
    }


def test_labels_are_threads_and_lines_are_kept() -> None:
    profile = parse_file(FOLDER / "go-cpu.pb.gz")
    assert set(profile.meta.threads) == {"client=0", "client=1"}
    assert {"lines", "threads", "stacks"} <= profile.says
    functions = profile.functions
    at = functions.name.index("main.render")
    assert (functions.file[at], functions.object[at]) == ("example.com/hello/main.go", "/srv/app/hello")


def text(number: int, value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return packed([number << 3 | 2, len(data)]) + data


def number(field: int, value: int) -> bytes:
    return packed([field << 3, value % 2**64])


def written(samples: bytes, *, strings: tuple[str, ...] = (), object: str = "/srv/app", rest: bytes = b"") -> bytes:
    """A profile of one type of value; location 1 is `inner` inlined into `outer`, 2 is `main`, 3 has no symbol."""
    table = ("", "samples", "count", "inner", "outer", "main", "a.c", object, *strings)
    functions = b"".join(text(5, number(1, i) + number(2, 2 + i) + number(4, 6)) for i in (1, 2, 3))
    lines = text(4, number(1, 1) + number(2, 10)) + text(4, number(1, 2) + number(2, 20))
    places = text(4, number(1, 1) + number(2, 1) + lines)
    places += text(4, number(1, 2) + number(2, 1) + text(4, number(1, 3) + number(2, 30)))
    places += text(4, number(1, 3) + number(2, 1) + number(3, 0x1234))
    mapping = text(3, number(1, 1) + number(5, 7))
    head = text(1, number(1, 1) + number(2, 2))
    return head + samples + mapping + places + functions + b"".join(text(6, s) for s in table) + rest


def one(path: tuple[int, ...], value: int, *labels: bytes) -> bytes:
    body = text(1, packed(path)) + text(2, packed([value % 2**64]))
    return text(2, body + b"".join(text(3, label) for label in labels))


def stacks(profile: Profile) -> dict[tuple[str, ...], int]:
    """Names from the root -> value of the first metric."""
    assert profile.stacks is not None
    assert profile.samples is not None
    found: Counter[tuple[str, ...]] = Counter()
    values = profile.samples.values[profile.metrics[0].key].tolist()
    for row, value in zip(profile.samples.stack.tolist(), values, strict=True):
        names: list[str] = []
        while row >= 0:
            names.insert(0, profile.functions.name[profile.frames.function[profile.stacks.frame[row]]])
            row = int(profile.stacks.parent[row])
        found[tuple(names)] += value
    return dict(found)


def test_an_inlined_call_is_a_frame_under_its_caller() -> None:
    profile = read(pprof.parse, written(one((1, 2), 5) + one((2,), 1)))
    assert stacks(profile) == {("main", "outer", "inner"): 5, ("main",): 1}


def test_numbers_that_are_not_packed_are_read_too() -> None:
    loose = text(2, number(1, 1) + number(1, 2) + number(2, 5))
    assert stacks(read(pprof.parse, written(loose))) == {("main", "outer", "inner"): 5}


def test_code_without_a_symbol_is_its_object() -> None:
    assert stacks(read(pprof.parse, written(one((3, 2), 4)))) == {("main", "[app]"): 4}
    kernel = read(pprof.parse, written(one((3, 2), 4), object="[kernel.kallsyms]"))
    assert stacks(kernel) == {("main", "[kernel.kallsyms]"): 4}
    assert (kernel.functions.runtime == KERNEL).any()


def test_a_record_without_a_stack_is_kept_with_a_warning() -> None:
    profile = read(pprof.parse, written(one((), 3) + one((2,), 1)))
    assert stacks(profile) == {("[no stack]",): 3, ("main",): 1}
    assert profile.meta.warnings == ("50.0 % of the records have no stack",)


def test_a_thread_label_names_the_thread_whatever_other_labels_there_are() -> None:
    labels = (number(1, 8) + number(2, 9), number(1, 10) + number(2, 11))
    profile = read(pprof.parse, written(one((2,), 1, *labels), strings=("thread", "worker-1", "url", "/")))
    assert profile.meta.threads == ("worker-1",)


def test_more_sets_of_labels_than_a_page_can_show_are_counted_without_a_thread() -> None:
    many = pprof.Threads.MOST + 5
    samples = b"".join(one((2,), 1, number(1, 8) + number(2, 9 + i)) for i in range(many))
    profile = read(pprof.parse, written(samples, strings=("span", *(f"id{i}" for i in range(many)))))
    assert profile.self_sum("samples") == many
    assert len(profile.meta.threads) == pprof.Threads.MOST
    assert any("sets of labels" in warning for warning in profile.meta.warnings)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (written(b""), "no sample in it"),
        (written(one((9,), 1)), "location 9 is missing"),
        (written(one((2,), -1)), "a difference of two profiles"),
        (written(one((2,), 1, number(1, 8) + number(2, 9)), strings=("pprof::base", "true")), "-diff_base"),
        (written(text(2, text(1, b"\2") + text(2, b"\1\1"))), "a sample has 2 values, expected 1"),
        (written(text(2, text(1, b"\2") + text(2, b"\x81"))), "a number has no end"),
        (written(text(2, text(1, b"\2"))), "a sample has 0 values"),
        (written(one((2,), 2**62) + one((2,), 2**62)), "does not fit 64 bits"),
        (written(one((2,), 1))[:-3], "beyond the end"),
        (written(one((2,), 1)).replace(text(6, "/srv/app"), b""), "string 7 of 7 is missing"),
        (written(one((2,), 1), rest=b"\x0f\x01"), "wire type 7"),
        (written(one((2,), 1))[6:], "no type of value"),
    ],
)
def test_damage_is_an_error_that_says_what_is_wrong(data: bytes, message: str) -> None:
    with pytest.raises(ParseError, match=re.escape(message)):
        read(pprof.parse, data)


def test_every_cut_of_a_real_file_is_an_error_or_the_whole_profile() -> None:
    """Behind the strings Go writes only the time and the period: a file cut there has lost no value."""
    data = capture("pprof/go-block.pb.gz")
    whole = read(pprof.parse, data)
    for at in cuts(data, 120):
        found = outcome(pprof.parse, data[:at])
        assert isinstance(found, ProfpipeError) or stacks(found) == stacks(whole), at


def test_no_damage_raises_anything_but_a_clean_error() -> None:
    for data in mutants(capture("pprof/go-mutex.pb.gz"), seed=5, many=150):
        outcome(pprof.parse, data)


PATHS = st.lists(st.tuples(st.lists(st.integers(1, 3), max_size=6), st.integers(0, 2**40)), min_size=1, max_size=12)


@given(PATHS)
def test_no_value_is_lost_and_no_stack_is_changed(rows: list[tuple[list[int], int]]) -> None:
    names = {1: ["outer", "inner"], 2: ["main"], 3: ["[app]"]}
    expected: Counter[tuple[str, ...]] = Counter()
    for path, value in rows:
        stack = tuple(name for location in reversed(path) for name in names[location])
        expected[stack or ("[no stack]",)] += value
    profile = read(pprof.parse, written(b"".join(one(tuple(path), value) for path, value in rows)))
    assert stacks(profile) == dict(expected)


@pytest.mark.parametrize("depth", [4_100, 30_000])
def test_a_stack_deeper_than_a_lookup_may_be_is_the_same_stack(depth: int) -> None:
    profile = read(pprof.parse, written(one((2,) * depth, 1) + one((2,) * (depth - 1), 1)))
    assert profile.stacks is not None
    assert len(profile.stacks.parent) == depth


@given(st.binary(max_size=200))
def test_any_bytes_give_a_profile_or_a_clean_error(data: bytes) -> None:
    outcome(pprof.parse, data)
    pprof.sniff(data, "x")
