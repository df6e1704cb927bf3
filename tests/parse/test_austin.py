"""Text of austin, versions 1 to 3. Oracles: the microseconds in the file, and its twin through austin-compress."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profpipe.errors import ParseError, ProfpipeError
from profpipe.model.codec import dump_text
from profpipe.model.profile import PYTHON, SYNTHETIC, Profile
from profpipe.parse import austin
from profpipe.parse.stack_rows import INVALID_FRAME, NO_STACK
from tests.support.parse_cases import capture, cuts, mutants, outcome, read, runtimes, self_by_name, total_by_name

TWINS = ("uvloop.txt.gz", "uvloop.compressed.txt")
IDLE_FIRST = """\
# austin: 3.7.0
# interval: 1000
# mode: wall

P4100;T0:4100 1004
P4100;T0:4100;/srv/app.py:main:3;/srv/app.py:reply:9 2006
P4100;T0:4100;/srv/app.py:main:3;/srv/app.py:parse:14 1003

# duration: 4013
"""


def parse(text: str | bytes) -> Profile:
    return read(austin.parse, text.encode() if isinstance(text, str) else text)


@pytest.mark.parametrize("name", TWINS)
def test_real_captures_read_as_their_goldens(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"parse/austin-{name}.txt", dump_text(read(austin.parse, capture(f"austin/{name}"))))


def test_raw_and_compressed_are_the_same_profile() -> None:
    """austin's own `-compress` twin of the recording holds the same microseconds per stack."""
    raw, compressed = (read(austin.parse, capture(f"austin/{name}")) for name in TWINS)
    assert self_by_name(raw) == self_by_name(compressed)
    assert total_by_name(raw) == total_by_name(compressed)
    assert [m.key for m in raw.metrics] == ["wall_ns"]
    assert raw.meta.notes["mode"] == "cpu"
    assert raw.meta.partial is None


def test_microseconds_add_up_to_nanoseconds() -> None:
    text = capture("austin/uvloop.txt.gz").decode()
    micros = sum(int(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith("P"))
    assert parse(text).self_sum("wall_ns") == micros * 1000


def test_a_first_sample_without_a_stack_does_not_make_it_another_format() -> None:
    profile = parse(IDLE_FIRST)
    assert austin.sniff(IDLE_FIRST.encode(), "")
    assert self_by_name(profile) == {NO_STACK: 1_004_000, "reply": 2_006_000, "parse": 1_003_000}
    assert profile.meta.threads == ("thread (P4100 T0:4100)",)
    assert profile.meta.tool == "austin 3.7.0"


def test_austin_1_gives_the_line_a_field_of_its_own() -> None:
    text = "Process 1;Thread 2;f (/a.py);L3;g (/b.py);L7 200\nProcess 1;Thread 2;f (/a.py);L3 100\n"
    assert austin.sniff(text.encode(), "")
    profile = parse(text)
    assert self_by_name(profile) == {"f": 100_000, "g": 200_000}
    assert profile.functions.file == ("/a.py", "/b.py")
    assert profile.frames.line is not None
    assert profile.frames.line.tolist() == [3, 7]


def test_invalid_frames_are_synthetic_and_their_share_is_a_warning() -> None:
    profile = read(austin.parse, capture("austin/uvloop.txt.gz"))
    assert runtimes(profile)[INVALID_FRAME] == SYNTHETIC
    assert {r for name, r in runtimes(profile).items() if not name.startswith("[")} == {PYTHON}
    assert any("marked invalid" in w for w in profile.meta.warnings)


def test_a_killed_austin_is_partial() -> None:
    profile = read(austin.parse, b"# austin: 3.7.0\n" + capture("austin/threads-killed9.txt"))
    assert profile.meta.partial is not None
    assert len(profile.meta.threads) == 20


def test_full_mode_separates_idle_from_busy() -> None:
    """A real recording: idle time is wall time without CPU time, per line and in the sums."""
    text = capture("austin/full.txt").decode()
    rows = [line.rsplit(" ", 1)[1].split(",") for line in text.splitlines() if line.startswith("P")]
    profile = parse(text)
    assert profile.self_sum("wall_ns") == sum(int(r[0]) for r in rows) * 1000
    assert profile.self_sum("cpu_ns") == sum(int(r[0]) for r in rows if r[1] == "0") * 1000
    assert 0 < profile.self_sum("cpu_ns") < profile.self_sum("wall_ns")


BAD = {
    "memory": (b"# austin: 3.7.0\n# mode: memory\nP1;T1;a.py:f:1 5\n", None, "recorded memory"),
    "another writer's line": (b"P1;T1;a.py:f:1 5\na;b 3\n", 2, "P<pid>;T<thread>"),
    "three values": (b"P1;T1;a.py:f:1 5,0,1\n", 1, "not the value of this austin mode"),
    "one value in mode full": (b"# austin: 3.7.0\n# mode: full\nP1;T1;a.py:f:1 5\n", 3, "not the value"),
    "negative microseconds": (b"P1;T1;a.py:f:1 -5\n", 1, "expected microseconds"),
    "too many digits": (b"P1;T1;a.py:f:1 99999999999999999999\n", 1, "do not fit 64 bits"),
    "headers only": (b"# austin: 3.7.0\n# mode: cpu\n", None, "no stack"),
    "nothing": (b"", None, "empty file"),
}


@pytest.mark.parametrize(("data", "line", "words"), BAD.values(), ids=BAD)
def test_bad_files_name_the_line_and_the_reason(data: bytes, line: int | None, words: str) -> None:
    with pytest.raises(ParseError, match=re.escape(words)) as caught:
        parse(data)
    assert caught.value.line == line


@pytest.mark.slow
@pytest.mark.parametrize("name", TWINS)
def test_a_cut_is_an_error_or_partial(name: str) -> None:
    """A raw recording ends in `# duration`. Its compressed twin has no end mark: only a line without end is doubted."""
    data = capture(f"austin/{name}")
    for size in cuts(data, 150):
        result = outcome(austin.parse, data[:size])
        if isinstance(result, ProfpipeError) or result.meta.partial:
            continue
        whole_lines, doubted = data[:size].endswith(b"\n"), any("no line end" in w for w in result.meta.warnings)
        assert b"# duration" in data[:size] or (name == TWINS[1] and (whole_lines or doubted)), size


def test_damaged_captures_never_crash_the_reader() -> None:
    for data in mutants(capture("austin/uvloop.compressed.txt"), 2, 150):
        outcome(austin.parse, data)


@given(st.lists(st.tuples(st.text("ab:/.;", max_size=12), st.integers(0, 2**40)), min_size=1, max_size=8))
def test_microseconds_are_conserved_whatever_the_names(rows: list[tuple[str, int]]) -> None:
    profile = parse("".join(f"P1;T0:1;{frames} {micros}\n" for frames, micros in rows))
    assert profile.self_sum("wall_ns") == sum(micros for _, micros in rows) * 1000
