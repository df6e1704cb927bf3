"""pstats: cProfile, yappi, pyinstrument. Oracles: the standard library's own print of the same file."""

from __future__ import annotations

import cProfile
import marshal
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profpipe.errors import ParseError, ProfpipeError
from profpipe.model.codec import dump_text
from profpipe.model.profile import NATIVE, PYTHON, SYNTHETIC, Profile
from profpipe.parse import pstats as reader
from tests.support.parse_cases import capture, cuts, mutants, outcome, read, runtimes, self_by_name

GOOD = ("cprofile-threads.pstats", "cprofile-gevent.pstats", "yappi_cpu-threads.pstats", "pyinstrument-gevent.pstats")
Table = dict[tuple[str, int, str], tuple[Any, ...]]


def dumped(table: Table) -> bytes:
    return marshal.dumps(table)


def rows_of(profile: Profile) -> dict[tuple[str, int, str], tuple[int, int, int, int | None]]:
    """(file or object, line, name) -> calls, primitive calls, self ns, measured total ns."""
    assert profile.costs is not None
    assert profile.measured is not None
    assert profile.measured.primitive_calls is not None
    key = profile.metrics[0].key
    own = dict(zip(profile.costs.frame.tolist(), profile.costs.values[key].tolist(), strict=True))
    found = {}
    m = profile.measured
    for i, frame in enumerate(m.frame.tolist()):
        f = int(profile.frames.function[frame])
        name = (profile.functions.file[f] or profile.functions.object[f], int(profile.functions.line[f]))
        found[*name, profile.functions.name[f]] = (
            int(m.calls[i]), int(m.primitive_calls[i]), own[frame], int(m.values[key][i]),
        )  # fmt: skip
    return found


@pytest.mark.parametrize("name", GOOD)
def test_real_captures_read_as_their_goldens(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"parse/pstats-{name}.txt", dump_text(read(reader.parse, capture(f"pstats/{name}"))))


@pytest.mark.parametrize("name", ["cprofile-threads", "cprofile-gevent"])
def test_rows_equal_what_the_standard_library_printed(name: str) -> None:
    text = capture(f"pstats/{name}.txt").decode()
    ours = rows_of(read(reader.parse, capture(f"pstats/{name}.pstats")))
    seen = 0
    for line in text.splitlines():
        row = re.fullmatch(r"\s*(\d+)(?:/(\d+))?\s+(\S+)\s+\S+\s+(\S+)\s+\S+ (?:(.+):(\d+)\((.+)\)|\{(.+)\})", line)
        if row is None:
            continue
        calls, primitive, own, total, file, at, function, builtin = row.groups()
        match = [
            values
            for (where, number, label), values in ours.items()
            if (label.strip("<>") == builtin if builtin else (where, number, label) == (file, int(at), function))
        ]
        assert len(match) == 1, line
        assert match[0][:2] == (int(calls), int(primitive or calls)), line
        assert match[0][2] / 1e9 == pytest.approx(float(own), abs=0.00051)
        assert (match[0][3] or 0) / 1e9 == pytest.approx(float(total), abs=0.00051)
        seen += 1
    assert seen >= 35


@pytest.mark.parametrize("name", ["cprofile-threads", "cprofile-gevent"])
def test_the_sums_are_those_of_the_headline(name: str) -> None:
    text = capture(f"pstats/{name}.txt").decode()
    said = re.search(r"(\d+) function calls (?:\((\d+) primitive calls\) )?in ([\d.]+) seconds", text)
    assert said is not None
    profile = read(reader.parse, capture(f"pstats/{name}.pstats"))
    rows = rows_of(profile).values()
    assert sum(row[0] for row in rows) == int(said[1])
    assert sum(row[1] for row in rows) == int(said[2] or said[1])
    assert profile.self_sum("wall_ns") / 1e9 == pytest.approx(float(said[3]), abs=0.00051)


def test_every_value_equals_what_marshal_reads_from_the_same_file() -> None:
    """Our own small writer of the truth: the file is ours, so marshal may read it here."""
    data = capture("pstats/cprofile-gevent.pstats")
    ours = rows_of(read(reader.parse, data))
    for (file, line, name), (cc, nc, tt, ct, _) in marshal.loads(data).items():
        key = ("" if file == "~" else file, line, name)
        assert ours[key] == (nc, cc, round(tt * 1e9), round(ct * 1e9))


def test_caller_rows_have_the_two_counts_the_other_way_round(tmp_path: Path) -> None:
    """cProfile of a recursive function: (1, 5) as a row, (4, 1)-like as a caller; written by this interpreter."""

    def fact(n: int) -> int:
        return n * fact(n - 1) if n else 1

    profiler = cProfile.Profile()
    profiler.enable()
    fact(4)
    profiler.disable()
    profiler.dump_stats(tmp_path / "f.pstats")
    profile = read(reader.parse, (tmp_path / "f.pstats").read_bytes())
    row = next(values for (_, _, name), values in rows_of(profile).items() if name == "fact")
    assert row[:2] == (5, 1)
    assert profile.calls is not None
    assert profile.calls.primitive_calls is not None
    assert (profile.calls.primitive_calls <= profile.calls.calls).all()
    assert "fact" in self_by_name(profile)
    assert profile.meta.partial is None


def test_yappi_swaps_the_counts_of_its_function_rows() -> None:
    profile = read(reader.parse, capture("pstats/yappi_cpu-threads.pstats"))
    printed = capture("pstats/yappi_cpu-threads.txt").decode()
    ours = rows_of(profile)
    seen = 0
    for line in printed.splitlines():
        row = re.match(r"(/\S+):(\d+) (\S+) +(\d+)(?:/(\d+))? +(\S+) +(\S+) +\S+ *$", line)
        if row is None:
            continue
        file, at, name, calls, primitive, own, total = row.groups()
        values = ours[file, int(at), name]
        # yappi prints one number for a function it never saw return; the file then has 0 primitive calls.
        assert values[:2] in ((int(calls), int(primitive or calls)), (int(calls), 0)), line
        assert values[2] / 1e9 == pytest.approx(float(own), abs=0.0000011)
        assert (values[3] or 0) / 1e9 == pytest.approx(float(total), abs=0.0000011)
        seen += 1
    assert seen >= 20
    assert profile.meta.tool == "yappi"


def test_yappi_does_not_name_its_clock_so_neither_do_we() -> None:
    profile = read(reader.parse, capture("pstats/yappi_cpu-threads.pstats"))
    assert [m.key for m in profile.metrics] == ["time_ns"]
    assert any("CPU or wall" in w for w in profile.meta.warnings)


def test_builtins_are_native_and_the_rest_python() -> None:
    cprofile = runtimes(read(reader.parse, capture("pstats/cprofile-threads.pstats")))
    yappi = runtimes(read(reader.parse, capture("pstats/yappi_cpu-threads.pstats")))
    for found, python in ((cprofile, "accept"), (yappi, "socket.accept")):
        assert found["<method '_accept' of '_socket.socket' objects>"] == NATIVE
        assert found[python] == PYTHON


def test_pyinstrument_keeps_self_only_and_says_why() -> None:
    profile = read(reader.parse, capture("pstats/pyinstrument-gevent.pstats"))
    assert profile.says == {"self"}
    assert profile.self_sum("wall_ns") == pytest.approx(4.1615e9, rel=1e-4)
    assert "MainThread" not in profile.functions.name
    assert any(".pyisession" in w for w in profile.meta.warnings)


def test_threads_mixed_in_one_stack_are_refused() -> None:
    with pytest.raises(ParseError, match=r"threads mixed in one stack.*sendall.*use yappi"):
        read(reader.parse, capture("pstats/cprofile-threads313.pstats"))


A, B = ("a.py", 1, "a"), ("a.py", 5, "b")


def test_a_total_above_the_whole_profile_is_unknown() -> None:
    profile = read(reader.parse, dumped({A: (1, 1, 0.5, 3.0, {}), B: (1, 1, 0.5, 0.5, {A: (1, 1, 0.5, 0.5)})}))
    assert profile.measured is not None
    assert len(profile.measured.frame) == 1
    assert any("above the whole profile" in w for w in profile.meta.warnings)


def test_callers_without_time_are_left_out_and_counted() -> None:
    profile = read(reader.parse, dumped({A: (1, 1, 0.5, 1.0, {}), B: (2, 2, 0.5, 0.5, {A: 2})}))
    assert profile.calls is None
    assert any("written by `profile`" in w for w in profile.meta.warnings)


@pytest.mark.parametrize("version", range(5))
def test_all_versions_of_marshal(version: int) -> None:
    table: Table = {A: (1, 1, 0.25, 1.0, {}), B: (2**40, 2**40, 0.75, 0.75, {A: (2**40, 2**40, 0.75, 0.75)})}
    profile = read(reader.parse, marshal.dumps(table, version))
    assert self_by_name(profile) == {"a": 250_000_000, "b": 750_000_000}


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = (value,)
    return value


KEY = b"(\x03\0\0\0s\1\0\0\0ai\1\0\0\0s\1\0\0\0b"
TEXT_FLOAT = b"{" + KEY + b"(\5\0\0\0i\1\0\0\0i\1\0\0\0f\0051e309g" + bytes(8) + b"{00"

BAD: dict[str, tuple[bytes, str]] = {
    "a code object": (b"{" + marshal.dumps(compile("1", "x", "eval")), "code object"),
    "a set": (marshal.dumps({A: {1}}), "type code"),
    "not a dictionary": (marshal.dumps((1, 2, 3)), "expected a dictionary"),
    "no functions": (marshal.dumps({}), "no function"),
    "a key that is a number": (marshal.dumps({1: 2}), r"not named by \(file, line, name\)"),
    "a row of four": (marshal.dumps({A: (1, 1, 0.1, 0.1)}), "expected .*callers"),
    "a tuple of six": (marshal.dumps({A: (1, 2, 3, 4, 5, 6)}), "a tuple of 6"),
    "a deep tuple": (marshal.dumps({nested(900): 1}), "nested deeper"),
    "NaN": (marshal.dumps({A: (1, 1, float("nan"), 0.1, {})}), "expected seconds"),
    "infinity": (marshal.dumps({A: (1, 1, 0.1, float("inf"), {})}), "expected seconds"),
    "negative time": (marshal.dumps({A: (1, 1, -0.1, 0.1, {})}), "expected seconds"),
    "1e309 as text": (TEXT_FLOAT, "expected seconds"),
    "calls over 64 bits": (marshal.dumps({A: (2**80, 1, 0.1, 0.1, {})}), "over 64 bits"),
    "negative calls": (marshal.dumps({A: (-5, 1, 0.1, 0.1, {})}), "whole number"),
    "bytes after the end": (marshal.dumps({A: (1, 1, 0.1, 0.1, {})}) + b"x", "after the end"),
    "an empty file": (b"", "empty file"),
    "contradicting rows": (marshal.dumps({A: (1, 2, 0.1, 0.1, {}), B: (2, 1, 0.1, 0.1, {})}), "not one tool's file"),
    "a reference to nothing": (b"{r\x05\0\0\0", "reference 5"),
    "a reference to itself": (b"{\xa9\x03r\0\0\0\0", "reference to a dictionary"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "words"), BAD.values(), ids=BAD)
def test_bad_files_are_refused_with_the_reason(data: bytes, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        read(reader.parse, data)


def test_a_refused_code_object_has_its_offset() -> None:
    with pytest.raises(ParseError) as caught:
        read(reader.parse, BAD["a code object"][0])
    assert caught.value.offset == 1


def test_a_small_file_cannot_name_one_dictionary_a_thousand_times() -> None:
    shared = {A: (1, 1, 0.0, 0.0)}
    table = {("f.py", i, "f"): (1, 1, 0.0, 0.0, shared) for i in range(50)}
    with pytest.raises(ParseError, match="reference to a dictionary"):
        read(reader.parse, marshal.dumps(table))


def test_names_with_surrogates_and_control_characters_stay_text() -> None:
    name = "a\udc80\x00</script>"
    profile = read(reader.parse, dumped({("x.py", 1, name): (1, 1, 0.1, 0.1, {})}))
    assert profile.functions.name[0].encode().startswith(b"a\\")
    assert profile.functions.name[0].endswith("\x00</script>")


@pytest.mark.parametrize("name", GOOD)
def test_every_cut_is_a_clean_error(name: str) -> None:
    data = capture(f"pstats/{name}")
    for size in cuts(data, 250):
        assert isinstance(outcome(reader.parse, data[:size]), ProfpipeError), size


def test_damaged_captures_never_crash_the_reader() -> None:
    small = dumped({A: (1, 1, 0.25, 1.0, {}), B: (3, 4, 0.75, 0.75, {A: (2, 1, 0.7, 0.7), B: (2, 1, 0.5, 0.5)})})
    for data in mutants(small, 3, 4000):
        outcome(reader.parse, data)
    for data in mutants(capture("pstats/cprofile-threads.pstats"), 4, 200):
        outcome(reader.parse, data)


@given(st.binary(max_size=120))
def test_any_bytes_give_a_profile_or_a_clean_error(data: bytes) -> None:
    outcome(reader.parse, b"{" + data)


NUMBERS = st.tuples(st.integers(0, 1000), st.floats(0, 100), st.floats(0, 100))


@given(st.dictionaries(st.text("ab<>é\ud800", max_size=4), NUMBERS, min_size=1, max_size=8))
def test_self_is_conserved(rows: dict[str, tuple[int, float, float]]) -> None:
    table = {
        ("f.py", 1 + i, name): (n, n, own, own + rest, {}) for i, (name, (n, own, rest)) in enumerate(rows.items())
    }
    profile = read(reader.parse, dumped(table))
    assert profile.self_sum("wall_ns") == sum(round(own * 1e9) for _, own, _ in rows.values())


def test_marshal_is_not_even_imported() -> None:
    source = Path(reader.__file__).read_text()
    assert not re.search(r"^\s*(import|from) (marshal|pickle|pstats)\b", source, re.MULTILINE)


PURE = ("2.7.18", "3.8.18", "3.10.13", "3.11.7", "3.12.1", "3.13.0")


@pytest.mark.parametrize("version", PURE)
def test_the_standard_librarys_profile_has_its_calls_the_right_way_round(version: str) -> None:
    """`python -m profile -o`: its first row is named by a code object, its callers have counts alone."""
    profile = read(reader.parse, capture(f"pstats/profile-{version}.pstats"))
    calls = {name: row[:2] for (_, _, name), row in rows_of(profile).items()}
    assert profile.meta.tool == "profile"
    assert [m.key for m in profile.metrics] == ["cpu_ns"]
    assert calls["rec"] == (35, 5)
    assert calls["main"] == (1, 1)
    assert calls["<code object <module>>"] == (1, 1)


def test_a_recording_of_python_2() -> None:
    """Python 2 refers to interned texts by a type code of its own."""
    calls = {
        n: row[:2] for (_, _, n), row in rows_of(read(reader.parse, capture("pstats/cprofile-2.7.18.pstats"))).items()
    }
    assert calls["rec"] == (35, 5)


def test_what_profile_itself_runs_is_no_function_of_the_program() -> None:
    found = runtimes(read(reader.parse, capture("pstats/profile-3.11.7.pstats")))
    assert found["profiler"] == found["<code object <module>>"] == SYNTHETIC
    assert found["exec"] == NATIVE
    assert found["rec"] == PYTHON


def test_addresses_do_not_make_another_name_in_every_run() -> None:
    key = ("profile", 0, "<function main at 0x7f84a6d4de40>")
    profile = read(reader.parse, dumped({key: (1, 0, 0.5, 0.5, {}), ("a.py", 1, "f"): (1, 1, 0.5, 0.5, {key: 1})}))
    assert profile.functions.name == ("<function main>", "f")


@pytest.mark.parametrize("own", [0.004, 0.2])
def test_generators_of_early_3_12_have_an_unknown_total_and_are_no_mixed_threads(own: float) -> None:
    gen, main = ("app.py", 10, "gen"), ("app.py", 1, "main")
    table: Table = {gen: (0, 118, own, 0.0, {main: (118, 0, own, 0.0)}), main: (1, 1, 0.8, 0.8 + own, {})}
    profile = read(reader.parse, dumped(table))
    assert self_by_name(profile) == {"gen": round(own * 1e9), "main": 800_000_000}
    assert set(rows_of(profile)) == {("app.py", 1, "main")}
    assert any("1 functions have time but no total" in w for w in profile.meta.warnings)


def test_a_code_object_is_passed_over_whatever_is_in_it() -> None:
    code = compile("def f(x, *, y=(1, 2.5, 3j, b'x', None, ...)):\n    return {x for _ in 'ab'}\n", "a.py", "exec")
    table: Any = {("profile", 0, code): (1, 0, 0.5, 0.5, {}), ("a.py", 1, "f"): (1, 1, 0.5, 0.5, {("a.py", 1, "f"): 1})}
    assert read(reader.parse, dumped(table)).functions.name == ("<code object <module>>", "f")


def test_damaged_code_objects_never_crash_the_reader() -> None:
    for version in PURE:
        for data in mutants(capture(f"pstats/profile-{version}.pstats"), 5, 100):
            outcome(reader.parse, data)
