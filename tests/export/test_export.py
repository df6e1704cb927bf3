"""Exports: what comes back is what went in, and what a source cannot say is refused with the reason."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from profpipe.errors import ParseError, Refused, UsageError
from profpipe.export import EXPORTERS, export
from profpipe.model.build import Builder
from profpipe.model.codec import dump_json, load_json
from profpipe.model.profile import KERNEL, PYTHON, Meta, Profile
from profpipe.parse import folded, parse_file, speedscope
from profpipe.units import SAMPLES, WALL_NS
from tests.support.parse_cases import DATA, outcome, read, self_by_name, total_by_name

FOLDED = sorted(p for p in (DATA / "folded").glob("*.txt*") if p.stat().st_size and "stdout" not in p.name)
STACKS = (
    "folded/pyspy-threads-threads.raw.txt",
    "austin/uvloop.compressed.txt",
    "perf/perf-c-relative.script.txt.gz",
    "pyinstrument/pyinstrument-gevent.pyisession.gz",
    "speedscope/pyspy-uvloop.speedscope.json",
)
# The documented file format, as far as we write it.
SPEEDSCOPE = {
    "type": "object",
    "required": ["$schema", "shared", "profiles"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"const": "https://www.speedscope.app/file-format-schema.json"},
        "name": {"type": "string"},
        "exporter": {"type": "string"},
        "activeProfileIndex": {"type": "integer", "minimum": 0},
        "shared": {
            "type": "object",
            "required": ["frames"],
            "properties": {
                "frames": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "additionalProperties": False,
                        "properties": {
                            "name": {"type": "string"},
                            "file": {"type": "string"},
                            "line": {"type": "number"},
                            "col": {"type": "number"},
                        },
                    },
                }
            },
        },
        "profiles": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["type", "name", "unit", "startValue", "endValue", "samples", "weights"],
                "properties": {
                    "type": {"const": "sampled"},
                    "name": {"type": "string"},
                    "unit": {"enum": ["none", "nanoseconds", "microseconds", "milliseconds", "seconds", "bytes"]},
                    "startValue": {"type": "number"},
                    "endValue": {"type": "number"},
                    "samples": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
                    "weights": {"type": "array", "items": {"type": "number"}},
                },
            },
        },
    },
}


def again(profile: Profile) -> Profile:
    return read(folded.parse, export(profile, "folded"))


def tables(profile: Profile) -> dict[str, object]:
    """Everything of a profile but where it came from."""
    body = json.loads(dump_json(profile))
    return {key: body[key] for key in body if key != "meta"} | {"threads": list(profile.meta.threads)}


@pytest.mark.parametrize("path", FOLDED, ids=lambda p: p.name)
def test_folded_read_back_is_the_same_profile(path: Path) -> None:
    """The whole model, the unit included: a comment names a metric that is not samples."""
    first = parse_file(path)
    assert tables(first) == tables(again(first))


@pytest.mark.parametrize("name", STACKS)
def test_folded_of_any_sampled_source_keeps_self_and_total_per_function(name: str) -> None:
    first = parse_file(DATA / name)
    second = again(first)
    assert self_by_name(first, first.metrics[0].key) == self_by_name(second)
    assert total_by_name(first) == total_by_name(second)
    assert len(second.meta.threads) == len(first.meta.threads)


FRAME = st.text("ab;:()_[]kji. 19-#\té\n\x1b", min_size=1, max_size=10)
LINES = st.lists(st.tuples(st.lists(FRAME, min_size=1, max_size=4), st.integers(1, 2**40)), min_size=1, max_size=8)


@given(LINES)
def test_what_was_read_once_is_the_same_after_writing_and_reading(rows: list[tuple[list[str], int]]) -> None:
    text = "".join(f"x;{';'.join(frames)} {count}\n" for frames, count in rows)
    first = outcome(folded.parse, text.encode())
    if isinstance(first, Profile) and first.meta.partial is None and first.metrics == (SAMPLES,):
        # Where every line ends in a name with a number of its own, two counts stand there: a difference, refused.
        assume(not all(re.search(r"\s\d+ \d+$", line) for line in export(first, "folded").decode().splitlines()))
        assert again(first).self_sum("samples") == first.self_sum("samples")
        assert tables(again(again(first))) == tables(again(first))


@given(LINES)
def test_no_name_can_add_a_line_or_lose_a_sample(rows: list[tuple[list[str], int]]) -> None:
    builder = Builder("sampled", (SAMPLES,))
    for frames, count in rows:
        node = builder.stack(-1, builder.frame(builder.function("root")))
        for name in frames:
            node = builder.stack(node, builder.frame(builder.function(name, file="a b.py"), line=3))
        builder.sample(node, (count,))
    profile = builder.freeze(Meta("x"))
    assert again(profile).self_sum("samples") == profile.self_sum("samples")


@pytest.mark.parametrize("name", STACKS)
def test_speedscope_is_valid_and_read_back(name: str) -> None:
    first = parse_file(DATA / name)
    data = export(first, "speedscope")
    jsonschema.validate(json.loads(data), SPEEDSCOPE)
    second = read(speedscope.parse, data)
    assert {m.unit for m in second.metrics} == {m.unit for m in first.metrics}
    for ours, theirs in zip(first.metrics, second.metrics, strict=True):
        assert self_by_name(first, ours.key) == self_by_name(second, theirs.key)
    assert total_by_name(first) == total_by_name(second)
    assert len(second.meta.threads) == len(first.meta.threads)


def test_speedscope_names_threads_and_end_values() -> None:
    document = json.loads(export(parse_file(DATA / STACKS[0]), "speedscope"))
    assert len(document["profiles"]) == 21
    for profile in document["profiles"]:
        assert profile["endValue"] == sum(profile["weights"])
        assert profile["name"].startswith("thread (")


def test_csv_has_a_row_per_function(golden: Callable[[str, str], None]) -> None:
    golden("export/pyspy-uvloop.csv", export(parse_file(DATA / STACKS[4]), "csv").decode().replace("\r\n", "\n"))


def test_csv_sums_and_calls_are_those_of_the_profile() -> None:
    profile = parse_file(DATA / "pstats/cprofile-gevent.pstats")
    rows = list(csv.DictReader(io.StringIO(export(profile, "csv").decode())))
    assert sum(int(row["self_wall_ns"]) for row in rows) == profile.self_sum("wall_ns")
    assert profile.measured is not None
    assert sum(int(row["calls"]) for row in rows) == int(profile.measured.calls.sum())
    own = [int(row["self_wall_ns"]) for row in rows]
    assert own == sorted(own, reverse=True)


def test_csv_leaves_unknown_cells_empty() -> None:
    profile = parse_file(DATA / "pstats/pyinstrument-gevent.pstats")
    for row in csv.DictReader(io.StringIO(export(profile, "csv").decode())):
        assert row["calls"] == row["total_wall_ns"] == ""


@pytest.mark.parametrize("name", ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_cell_is_a_formula(name: str) -> None:
    builder = Builder("sampled", (WALL_NS,))
    function = builder.function(name, file=name, object=name, runtime=PYTHON)
    builder.sample(builder.stack(-1, builder.frame(function)), (5,))
    rows = list(csv.reader(io.StringIO(export(builder.freeze(Meta("x")), "csv").decode(), newline="")))
    assert rows[1][:3] == [f"'{name}"] * 3


@pytest.mark.parametrize("name", [*STACKS, "pstats/cprofile-gevent.pstats"])
def test_json_is_the_whole_profile(name: str) -> None:
    profile = parse_file(DATA / name)
    assert dump_json(load_json(export(profile, "json"))) == dump_json(profile)


@pytest.mark.parametrize("name", STACKS[:2])
def test_json_that_was_written_is_read_as_a_capture(name: str, tmp_path: Path) -> None:
    profile = parse_file(DATA / name)
    (tmp_path / "x").write_bytes(export(profile, "json"))
    again = parse_file(tmp_path / "x")
    assert again.meta.source == str(tmp_path / "x")
    assert dump_json(replace(again, meta=profile.meta)) == dump_json(profile)


def test_json_that_was_cut_is_refused(tmp_path: Path) -> None:
    data = export(parse_file(DATA / STACKS[0]), "json")
    (tmp_path / "x").write_bytes(data[: len(data) // 2])
    with pytest.raises(ParseError, match="not a profile as"):
        parse_file(tmp_path / "x")


@pytest.mark.parametrize("format", ["folded", "speedscope"])
def test_a_flame_graph_of_a_function_list_is_refused_with_the_reason(format: str) -> None:
    with pytest.raises(Refused, match=f"no {format} export of a pstats profile.*context is lost"):
        export(parse_file(DATA / "pstats/cprofile-gevent.pstats"), format)


def test_a_flame_graph_of_callgrind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(b"# callgrind format\nversion: 1\nevents: Ir\n\nfl=a.c\nfn=main\n3 10\n\ntotals: 10\n")
    profile = parse_file(tmp_path / "c")
    with pytest.raises(Refused, match=r"of a callgrind profile.*context is lost"):
        export(profile, "folded")
    assert b"main" in export(profile, "csv")


def test_an_unknown_format_lists_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"no exporter named 'svg'.*folded, speedscope, pprof, .*, json"):
        export(parse_file(DATA / STACKS[0]), "svg")


@pytest.mark.slow
def test_deep_stacks_are_written() -> None:
    profile = read(folded.parse, (";".join(f"f{i}" for i in range(30_000)) + " 1\n").encode())
    assert again(profile).functions.name == profile.functions.name
    assert len(json.loads(export(profile, "speedscope"))["profiles"][0]["samples"][0]) == 30_000


def test_kernel_frames_stay_kernel_frames() -> None:
    profile = parse_file(DATA / STACKS[2])
    assert (again(profile).functions.runtime == KERNEL).sum() == (profile.functions.runtime == KERNEL).sum()


def test_the_same_profile_gives_the_same_bytes() -> None:
    for name in EXPORTERS.builtin:
        assert export(parse_file(DATA / STACKS[0]), name) == export(parse_file(DATA / STACKS[0]), name)
