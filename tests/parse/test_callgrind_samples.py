"""Real captures: the fast reader against a plain one, against callgrind_annotate, and against the file's own totals."""

from __future__ import annotations

import gzip
import io
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from profpipe.errors import ParseError
from profpipe.model.profile import NATIVE, PYTHON, Profile
from profpipe.parse import callgrind
from profpipe.units import count
from tests.support import callgrind_spec as spec
from tests.support.paths import DATA

CAPTURES = DATA / "callgrind"
SAMPLES = sorted(p.name for p in CAPTURES.glob("*.gz") if "annotate" not in p.name)
WHOLE = [n for n in SAMPLES if n != "c-cut.out.gz"]
ANNOTATED = sorted(p.name.replace(".annotate.txt", ".out") for p in CAPTURES.glob("*.annotate.txt.gz"))


def sample(name: str) -> bytes:
    return gzip.decompress((CAPTURES / name).read_bytes())


def parsed(name: str) -> Profile:
    return callgrind.parse(io.BytesIO(sample(name)), name.removesuffix(".gz"))


def yappi_names(reading: spec.Reading) -> spec.Reading:
    """The plain reader's function names split as yappi joined them: `name file:line`."""

    def split(who: spec.Function) -> spec.Function:
        name, place, line = who[0].rpartition(f" {who[1]}:")
        assert place, "yappi names the file of fl= again"
        return f"{name}:{line}", *who[1:]

    reading.self_costs = {(split(f), place): v for (f, place), v in reading.self_costs.items()}
    reading.calls = {(split(a), split(b)): v for (a, b), v in reading.calls.items()}
    return reading


@pytest.mark.parametrize("name", SAMPLES)
def test_columns_and_lines_read_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callgrind, "without_clock", lambda profile: profile)
    expected = spec.read(sample(name).decode())
    profile = parsed(name)
    found = spec.flat(profile)
    if name.startswith("yappi"):
        expected = yappi_names(expected)
    assert found.self_costs == expected.self_costs
    assert found.calls == expected.calls
    assert found.totals == expected.totals


@pytest.mark.parametrize(
    "name", [n for n in WHOLE if not n.startswith(("yappi", "recursion-cachegrind", "alloc.cachegrind"))]
)
def test_self_adds_up_to_the_totals_of_the_file(name: str) -> None:
    profile = parsed(name)
    assert profile.meta.partial is None
    assert {m.key: profile.self_sum(m.key) for m in profile.metrics} == profile.declared


def annotated(name: str) -> dict[str, int]:
    """callgrind_annotate's first event per `file:function`. It leaves out the folder it runs in."""
    rows: dict[str, int] = {}
    text = gzip.decompress((CAPTURES / name.replace(".out", ".annotate.txt")).read_bytes()).decode()
    for line in text.split("file:function\n", 1)[1].splitlines()[1:]:
        match = re.match(r"\s*([\d,]+)\s+\([\s\d.]+%\)", line)
        if match:
            rest = re.sub(r"^(\s*[\d,.]+(\s+\([\s\d.]+%\))?)+\s+", "", line)
            place = re.sub(r" \[[^\[]*\]$", "", rest)
            place = re.sub(r"^srv/|^(?=recursion\.c|inlined\.h)", "/srv/app/", place)
            assert place not in rows
            rows[place] = int(match[1].replace(",", ""))
    return rows


def per_file_and_function(profile: Profile) -> dict[str, int]:
    rows: dict[str, int] = defaultdict(int)
    for ((name, _, _, level), file), values in spec.flat(profile).self_costs.items():
        mark = f"'{level}" if level > 1 else ""
        rows[f"{file or '???'}:{name}{mark}"] += values[0]
    return {place: value for place, value in rows.items() if value}


@pytest.mark.parametrize("name", [n for n in ANNOTATED if n != "recursion-zero.out.gz"])
def test_callgrind_annotate_says_the_same(name: str) -> None:
    theirs = {place: value for place, value in annotated(name).items() if value}
    assert theirs
    assert per_file_and_function(parsed(name)) == theirs


def test_callgrind_annotate_books_calls_0_as_self_and_we_do_not() -> None:
    """After `calls=0` the manual says inclusive cost; annotate 3.19 adds it to self, in these rows and no others."""
    ours, theirs = per_file_and_function(parsed("recursion-zero.out.gz")), annotated("recursion-zero.out.gz")
    wrong = {place for place in theirs if theirs[place] != ours.get(place, 0)}
    assert wrong == {
        "./csu/../csu/libc-start.c:__libc_start_main@@GLIBC_2.34",
        "./csu/../sysdeps/nptl/libc_start_call_main.h:(below main)",
        "???:(below main)",
        "???:0x000000000001ab70",
        "/srv/app/recursion.c:main",
    }
    assert all(theirs[place] > ours.get(place, 0) for place in wrong)
    assert sum(ours.values()) == 5983 < sum(theirs.values())
    calls = spec.flat(parsed("recursion-zero.out.gz")).calls
    (edge,) = (v for (a, b), v in calls.items() if (a[0], b[0]) == ("main", "outer"))
    assert edge[0] == 0
    assert edge[1] > 0


def test_recursion_clones_are_levels_of_one_function() -> None:
    profile = parsed("recursion-zero.out.gz")
    (fact,) = (i for i, name in enumerate(profile.functions.name) if name == "fact")
    levels = {int(v) for f, v in zip(profile.frames.function, profile.frames.level, strict=True) if f == fact}
    assert levels == {1, 2}
    assert not any("'" in name for name in profile.functions.name)


def test_inlined_code_keeps_its_file_and_its_function_keeps_its_own() -> None:
    profile = parsed("recursion-zero.out.gz")
    (work,) = (i for i, name in enumerate(profile.functions.name) if name == "work")
    assert profile.functions.file[work].endswith("recursion.c")
    assert profile.frames.file is not None
    files = {profile.frames.file[i] for i, f in enumerate(profile.frames.function) if f == work}
    assert {Path(f).name for f in files} == {"recursion.c", "inlined.h"}


def test_parts_in_one_file_or_in_three_are_the_same_run() -> None:
    combined = parsed("recursion-combined.out.gz")
    names = ["recursion-parts.out.1.gz", "recursion-parts.out.2.gz", "recursion-parts.out.gz"]
    split = callgrind.parse_parts([(io.BytesIO(sample(n)), n) for n in names])
    a, b = spec.flat(combined), spec.flat(split)
    assert {k[0][0] for k in a.self_costs} == {k[0][0] for k in b.self_costs}
    assert combined.declared == {"instructions": 44173 + 63201 + 5983}
    assert split.declared == combined.declared
    assert combined.meta.notes["parts"] == split.meta.notes["parts"] == "3"


def test_several_files_are_the_sum_of_each() -> None:
    names = ["c-fork2.part0.out.gz", "c-fork2.part1.out.gz", "c-fork2.part2.out.gz", "c-atstart.out.gz"]
    found = spec.flat(callgrind.parse_parts([(io.BytesIO(sample(n)), n) for n in names]))
    costs: dict[object, list[int]] = {}
    calls: dict[object, list[int]] = {}
    for name in names:
        one = spec.read(sample(name).decode())
        for table, rows in ((costs, one.self_costs), (calls, one.calls)):
            for key, values in rows.items():
                table[key] = [a + b for a, b in zip(table.get(key, [0] * len(values)), values, strict=True)]
    assert found.self_costs == costs
    assert found.calls == calls


def test_parts_that_count_different_events_are_not_added() -> None:
    names = ["c.out.gz", "c-cachesim.out.gz"]
    with pytest.raises(ParseError, match=r"c-cachesim\.out\.gz:17: this part counts Ir Dr .* cannot be added"):
        callgrind.parse_parts([(io.BytesIO(sample(n)), n) for n in names])


def test_time_in_system_calls_keeps_its_unit() -> None:
    nsec = {m.key: (m.unit, m.exact) for m in parsed("recursion-systime.out.gz").metrics}
    assert nsec == {
        "instructions": ("1", True),
        "syscalls": ("1", False),
        "sys_time_ns": ("ns", False),
        "sys_cpu_ns": ("ns", False),
    }
    usec = {m.key: (m.unit, m.label) for m in parsed("recursion-usec.out.gz").metrics}
    assert usec["systime"] == ("us", "sysTime (elapsed us)")


def test_totals_0_says_where_the_data_are() -> None:
    profile = parsed("c-dumped.out.gz")
    assert profile.meta.partial is None
    assert profile.declared == {"instructions": 0}
    assert "`.1`" in profile.meta.warnings[0]
    assert parsed("c-dumped.out.1.gz").self_sum("instructions") == 211_264_252


def test_a_cut_file_is_partial_with_both_numbers() -> None:
    partial = parsed("c-cut.out.gz").meta.partial
    assert partial is not None
    assert "no `totals:` line" in partial
    assert "1,660,051 Ir" in partial


def test_cachegrind_files_are_whole_by_their_summary() -> None:
    profile = parsed("recursion-cachegrind.out.gz")
    assert profile.meta.partial is None
    assert profile.self_sum("instructions") == 130_880
    assert profile.calls is None
    assert "edges" not in profile.says


def test_yappi_names_are_taken_apart() -> None:
    """yappi_cpu-gevent.txt, yappi's own print: handle 32/3 calls, tsub 0.255769; len 185981 calls, tsub 0.085034."""
    profile = parsed("yappi_cpu-gevent.callgrind.gz")
    f = profile.functions
    (handle,) = (i for i, name in enumerate(f.name) if name == "handle")
    assert (f.file[handle], f.line[handle], f.runtime[handle]) == ("/srv/app/srv_threads.py", 21, PYTHON)
    (length,) = (i for i, name in enumerate(f.name) if name == "len")
    assert (f.file[length], f.line[length], f.runtime[length]) == ("builtins", 0, NATIVE)
    ticks = {k[0][0]: v[0] for k, v in spec.flat(profile).self_costs.items()}
    assert (ticks["handle:21"], ticks["len:0"]) == (255_769, 85_034)
    assert profile.kind == "traced"
    assert profile.metric("ticks").unit == "us"
    assert "cut" in profile.meta.warnings[0]


def test_what_the_file_says_of_itself() -> None:
    meta = parsed("c.out.gz").meta
    assert (meta.format, meta.tool, meta.command) == ("callgrind", "callgrind-3.19.0", "/srv/app/srv_c 0")
    assert meta.notes["pid"] == "11199"
    assert meta.notes["trigger"] == "Program termination"


def test_unknown_files_are_blank() -> None:
    static = parsed("c-static.out.gz")
    assert "???" not in static.functions.file
    assert "" in static.functions.file
    assert all(static.functions.object)


@pytest.mark.parametrize("name", ["c.out.gz", "recursion-zero.out.gz", "yappi_cpu-asyncio.callgrind.gz"])
def test_top_rows(name: str, golden: Callable[[str, str], None]) -> None:
    profile = parsed(name)
    reading = spec.flat(profile)
    lines = [f"{profile.meta.tool}, {profile.metrics[0].label}: {count(profile.self_sum(profile.metrics[0].key))}", ""]
    top = sorted(reading.self_costs.items(), key=lambda row: (-row[1][0], row[0]))[:20]
    lines += [f"{count(v[0]):>12}  {who[0]} level {who[3]}  {place}  [{who[2]}]" for (who, place), v in top]
    edges = sorted(reading.calls.items(), key=lambda row: (-row[1][1], row[0]))[:15]
    lines += ["", *(f"{count(v[1]):>12} in {count(v[0])} calls  {a[0]} -> {b[0]}" for (a, b), v in edges)]
    golden(f"callgrind/{name.removesuffix('.gz')}.txt", "\n".join(lines) + "\n")
