"""austin's binary recordings. Oracle: the same file through mojo2austin, read as text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profpipe.errors import ParseError
from profpipe.model.profile import Profile
from profpipe.parse import austin, detect_file, mojo
from tests.support.parse_cases import DATA, capture, cuts, mutants, outcome, read, self_by_name, total_by_name

WALL = b"MOJ\x03\x01mode\0wall\0"


def number(value: int) -> bytes:
    """A MOJO number from its definition: 6 bits and a sign, then 7 bits a byte."""
    sign, value = (0x40, -value) if value < 0 else (0, value)
    out, value = [sign | value & 0x3F], value >> 6
    while value:
        out[-1] |= 0x80
        out.append(value & 0x7F)
        value >>= 7
    return bytes(out)


def stack(*frames: bytes, micros: int, idle: bool = False) -> bytes:
    return b"\x02" + number(7) + number(0) + b"1b\0" + b"".join(frames) + b"\x08" * idle + b"\x09" + number(micros)


def frame(key: int, line: int) -> bytes:
    return b"\x03" + b"".join(number(n) for n in (key, 1, 2, line, line, 0, 9))


TEXTS = b"\x0b" + number(1) + b"/srv/app.py\0" + b"\x0b" + number(2) + b"main\0"


@pytest.mark.parametrize("name", ["wall", "full"])
def test_the_same_profile_as_its_text(name: str) -> None:
    binary = read(mojo.parse, capture(f"mojo/{name}.mojo"))
    # mojo2austin leaves out what `full` has besides the time, and the closing line.
    lines = capture(f"mojo/{name}.mojo.txt").decode().replace("# mode: full", "# mode: wall") + "# duration: 1\n"
    text = read(austin.parse, lines.encode())
    assert self_by_name(binary, "wall_ns") == self_by_name(text)
    assert total_by_name(binary) == total_by_name(text)
    assert len(binary.meta.threads) == len(text.meta.threads)
    assert binary.meta.partial is None


def test_full_mode_has_cpu_time_of_threads_that_were_not_idle() -> None:
    profile = read(mojo.parse, capture("mojo/full.mojo"))
    assert 0 < profile.self_sum("cpu_ns") < profile.self_sum("wall_ns")


def test_a_recording_is_known_by_its_content() -> None:
    assert detect_file(DATA / "mojo/wall.mojo") == "mojo"


def test_events_written_by_hand() -> None:
    data = WALL + TEXTS + stack(frame(5, 3), b"\x05" + number(5), micros=20) + stack(b"\x04", micros=5)
    profile: Profile = read(mojo.parse, data + stack(b"\x06tcp_sendmsg\0", micros=2) + stack(micros=1))
    assert self_by_name(profile) == {"main": 20_000, "[invalid frame]": 5000, "tcp_sendmsg": 2000, "[no stack]": 1000}
    assert profile.meta.threads == ("thread (P7 T0:1b)",)


BAD = {
    "another version": (b"MOJ\x04\x01mode\0wall\0", "MOJO version 4; profpipe reads 1 to 3. Convert it: mojo2austin"),
    "memory": (capture("mojo/memory.mojo"), "recorded memory"),
    "a frame before the first stack": (WALL + b"\x09\x05", "event 9 before the first stack"),
    "a frame that was never defined": (WALL + stack(b"\x05" + number(9), micros=1), "frame 9 was never defined"),
    "an unknown event": (WALL + stack(micros=1) + b"\x63", "event 99 is none of MOJO version 3"),
    "negative time": (WALL + stack(micros=-3), "-3 microseconds are no time"),
    "a number without an end": (WALL + b"\x02" + b"\xff" * 30, "a number of over 10 bytes"),
    "no stack": (WALL, "no stack in it"),
    "text": (b"a;b 1\n", "expected MOJ"),
}


@pytest.mark.parametrize(("data", "words"), BAD.values(), ids=BAD)
def test_bad_files_give_the_offset_and_the_reason(data: bytes, words: str) -> None:
    with pytest.raises(ParseError, match=re.escape(words)):
        read(mojo.parse, data)


def test_a_cut_is_partial_or_between_two_events() -> None:
    """The format has no end mark, so a cut between events cannot be seen; never is more read than is there."""
    data = capture("mojo/wall.mojo")
    whole = read(mojo.parse, data).self_sum("wall_ns")
    for size in cuts(data, 150):
        result = outcome(mojo.parse, data[:size])
        if isinstance(result, Profile):
            assert result.self_sum("wall_ns") <= whole


def test_damaged_recordings_never_crash_the_reader() -> None:
    for data in mutants(capture("mojo/full.mojo"), 3, 150):
        outcome(mojo.parse, data)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_profile_or_a_clean_error(data: bytes) -> None:
    outcome(mojo.parse, WALL + data)


@given(st.integers(-(2**60), 2**60))
def test_numbers_of_any_size(value: int) -> None:
    assert mojo._Bytes("x", number(value), 0).number() == value
