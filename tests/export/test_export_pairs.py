"""Every format that is written, from every format that is read: sums stay, other tools accept it, notes go along."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from pathlib import Path

import pytest

from profpipe.errors import Refused
from profpipe.export import EXPORTERS, export
from profpipe.model.build import Builder
from profpipe.model.codec import load_json
from profpipe.model.profile import Meta, Profile
from profpipe.parse import PARSERS, callgrind, cpuprofile, folded, parse_file, pprof, speedscope
from profpipe.units import SAMPLES, WALL_NS
from tests.support.parse_cases import DATA, read, self_by_name
from tests.support.tools import require

CAPTURES = {
    "callgrind": "callgrind/c.out.gz",
    "pprof": "pprof/go-heap.pb.gz",
    "pstats": "pstats/cprofile-gevent.pstats",
    "pyinstrument": "pyinstrument/pyinstrument-gevent.pyisession.gz",
    "speedscope": "speedscope/pyspy-uvloop.speedscope.json",
    "cpuprofile": "cpuprofile/node20.cpuprofile",
    "heapprofile": "heapprofile/node20.heapprofile",
    "chrome-trace": "chrome-trace/node20.json.gz",
    "jfr-json": "jfr-json/hello.json.gz",
    "jfr-text": "jfr-text/regexp.txt.gz",
    "perf": "perf/perf-c-relative.script.txt.gz",
    "austin": "austin/uvloop.compressed.txt",
    "folded": "folded/pyspy-threads-threads.raw.txt",
    "firefox": "firefox/samply-python312.json.gz",
    "dhat": "dhat/alloc.dhat.json",
    "massif": "massif/alloc.massif.gz",
    "xhprof": "xhprof/page.json",
    "profpipe": "profpipe/dhat.json",
}
READERS = {
    "folded": folded.parse,
    "speedscope": speedscope.parse,
    "pprof": pprof.parse,
    "cpuprofile": cpuprofile.parse,
    "callgrind": callgrind.parse,
}


def again(profile: Profile, to: str) -> Profile:
    data = export(profile, to)
    if to == "json":
        return load_json(data)
    return read(READERS[to], gzip.decompress(data) if to == "pprof" else data)


def test_every_format_but_those_without_a_small_capture_is_crossed() -> None:
    """mojo's captures are austin's; those of yappi and V8's calls are made by an agent in a server."""
    assert set(CAPTURES) | {"mojo", "yappi", "v8-calls"} == set(PARSERS.builtin)
    assert set(READERS) | {"json", "csv"} == set(EXPORTERS.builtin)


@pytest.mark.parametrize("to", [*READERS, "json"])
@pytest.mark.parametrize("source", CAPTURES)
def test_the_sum_of_the_first_metric_is_the_same_in_every_format(source: str, to: str) -> None:
    profile = parse_file(DATA / CAPTURES[source])
    if not profile.says >= EXPORTERS.get(to).NEEDS:
        with pytest.raises(Refused):
            export(profile, to)
        return
    second = again(profile, to)
    sums = profile.self_sum(profile.metrics[0].key), second.self_sum(second.metrics[0].key)
    if to != "cpuprofile":
        assert sums[0] == sums[1]
        return
    # The format counts microseconds, and counts that are no time are written as such.
    scale = 1 if profile.metrics[0].unit == "ns" else 1_000
    assert 0 <= sums[0] * scale - sums[1] < 1_000


@pytest.mark.parametrize("to", ["pprof", "callgrind", "speedscope", "json"])
@pytest.mark.parametrize("source", ["pprof", "cpuprofile", "perf", "callgrind"])
def test_every_metric_keeps_its_sum_where_the_format_has_room(source: str, to: str) -> None:
    profile = parse_file(DATA / CAPTURES[source])
    if not profile.says >= EXPORTERS.get(to).NEEDS:
        return
    second = again(profile, to)
    assert [second.self_sum(m.key) for m in second.metrics][: len(profile.metrics)] == [
        profile.self_sum(m.key) for m in profile.metrics
    ] or {second.self_sum(m.key) for m in second.metrics} == {profile.self_sum(m.key) for m in profile.metrics}


@pytest.mark.parametrize("to", ["pprof", "callgrind"])
@pytest.mark.parametrize("source", ["pprof", "folded", "heapprofile"])
def test_every_function_keeps_its_self(source: str, to: str) -> None:
    profile = parse_file(DATA / CAPTURES[source])
    second = again(profile, to)
    assert +self_by_name(second, second.metrics[0].key) == +self_by_name(profile)


def test_pprof_comes_back_as_it_was() -> None:
    first = parse_file(DATA / "pprof/go-cpu.pb.gz")
    second = again(first, "pprof")
    assert second.metrics == first.metrics
    assert second.meta.threads == first.meta.threads
    assert second.functions.name == first.functions.name
    assert second.functions.object == first.functions.object
    assert second.frames.line is not None
    assert first.frames.line is not None
    assert second.frames.line.tolist() == first.frames.line.tolist()


def partial() -> Profile:
    builder = Builder("sampled", (WALL_NS, SAMPLES))
    main = builder.stack(-1, builder.frame(builder.function("main", file="a.c", line=3), line=4))
    builder.sample(builder.stack(main, builder.frame(builder.function("work\nfl=x", file="a.c"))), (7_000, 2))
    return builder.freeze(Meta("x", "cap", partial="the last\nrecord was cut", warnings=("3 lines were lost",)))


@pytest.mark.parametrize("to", ["pprof", "callgrind", "cpuprofile", "json"])
def test_partial_and_warnings_go_along(to: str) -> None:
    data = export(partial(), to)
    text = (gzip.decompress(data) if to == "pprof" else data).decode(errors="replace")
    assert re.search(r"the last(?:\n|\\n| )record was cut", text)
    assert "3 lines were lost" in text


def test_a_name_with_a_line_break_adds_no_line_to_callgrind() -> None:
    assert b"work fl=x" in export(partial(), "callgrind")
    assert self_by_name(again(partial(), "callgrind")) == {"work fl=x": 7_000}


def test_calls_that_nobody_counted_are_said_to_be_unknown() -> None:
    assert b"desc: calls: not counted by the profiler" in export(partial(), "callgrind")
    counted = parse_file(DATA / CAPTURES["callgrind"])
    assert b"not counted" not in export(counted, "callgrind")


def test_callgrind_edges_of_stacks_are_the_totals_below() -> None:
    text = export(partial(), "callgrind").decode()
    assert "calls=1 0\n3 7000 2\n" in text
    assert text.endswith("totals: 7000 2\n")


@pytest.mark.real  # the first call compiles pprof: a minute of CPU time
@pytest.mark.parametrize("source", ["pprof", "folded", "perf", "cpuprofile"])
def test_go_tool_pprof_reads_the_export(source: str, tmp_path: Path) -> None:
    require("go")
    profile = parse_file(DATA / CAPTURES[source])
    (tmp_path / "x.pb.gz").write_bytes(export(profile, "pprof"))
    unit = {"ns": "nanoseconds", "B": "bytes"}.get(profile.metrics[0].unit, "count")
    command = ["go", "tool", "pprof", "-top", "-nodecount=0", "-nodefraction=0", "-edgefraction=0", f"-unit={unit}"]
    done = subprocess.run(
        [*command, str(tmp_path / "x.pb.gz")], capture_output=True, text=True, timeout=600, check=True
    )
    rows = [line.split()[0] for line in done.stdout.split("cum%")[1].splitlines() if line.strip()]
    assert sum(int(re.match(r"\d+", row)[0]) for row in rows) == profile.self_sum(profile.metrics[0].key)  # type: ignore[index]


@pytest.mark.programs
@pytest.mark.parametrize("source", ["pprof", "folded", "callgrind", "pstats"])
def test_callgrind_annotate_reads_the_export(source: str, tmp_path: Path) -> None:
    require("callgrind_annotate")
    profile = parse_file(DATA / CAPTURES[source])
    (tmp_path / "callgrind.out.1").write_bytes(export(profile, "callgrind"))
    command = ["callgrind_annotate", "--threshold=100", str(tmp_path / "callgrind.out.1")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
    total = next(line for line in done.stdout.splitlines() if "PROGRAM TOTALS" in line)
    assert int(total.split()[0].replace(",", "")) == profile.self_sum(profile.metrics[0].key)


def test_cpuprofile_nodes_name_their_children_and_times_add_up() -> None:
    document = json.loads(export(parse_file(DATA / CAPTURES["folded"]), "cpuprofile"))
    children = [child for node in document["nodes"] for child in node["children"]]
    assert sorted(children) == [node["id"] for node in document["nodes"]][1:]
    assert sum(document["timeDeltas"]) <= document["endTime"]
