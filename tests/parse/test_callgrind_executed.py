"""The lines that ran, read from callgrind's files: absolute and relative positions, inlined code, bad files."""

from __future__ import annotations

import gzip
import io

import pytest

from profpipe.errors import ParseError
from profpipe.model.lines import FunctionLines
from profpipe.parse.callgrind.executed import executed_lines
from tests.support.paths import DATA

HEAD = "# callgrind format\nversion: 1\npositions: line\nevents: Ir\n"


def ran(text: str, **more: object) -> dict[tuple[str, str], list[int]]:
    found = executed_lines([(io.BytesIO((HEAD + text).encode()), "c.out")], **more)  # type: ignore[arg-type]
    return {(f.name, f.file): sorted(f.lines) for f in found}


def test_positions_are_absolute_or_relative_to_the_line_before() -> None:
    assert ran("fl=(1) a.c\nfn=(1) f\n10 5\n+3 2\n* 1\n-2 4\n") == {("f", "a.c"): [10, 11, 13]}


def test_a_call_is_no_line_of_its_own_but_moves_the_position() -> None:
    text = "fl=(1) a.c\nfn=(1) f\n10 5\ncfn=(2) g\ncalls=1 50\n+4 100\n+1 3\n"
    assert ran(text) == {("f", "a.c"): [10, 15]}


def test_inlined_code_keeps_its_file_and_the_function_its_home() -> None:
    text = "fl=(1) a.c\nfn=(1) f\n10 5\nfi=(2) b.h\n3 1\nfe=(1)\n12 1\n"
    found = executed_lines([(io.BytesIO((HEAD + text).encode()), "c.out")])
    assert set(found) == {
        FunctionLines("f", "a.c", "a.c", frozenset({10, 12})),
        FunctionLines("f", "a.c", "b.h", frozenset({3})),
    }


def test_recursion_levels_are_one_function_and_line_0_is_none() -> None:
    assert ran("fl=a.c\nfn=f\n10 5\nfn=f'2\n11 5\n0 7\n") == {("f", "a.c"): [10, 11]}


def test_only_files_that_are_asked_for_are_kept() -> None:
    text = "fl=(1) a.c\nfn=(1) f\n10 5\nfl=(2) ???\nfn=(2) g\n11 5\n"
    assert ran(text, wanted=lambda path: path == "b.c") == {}
    assert ran(text) == {("f", "a.c"): [10]}


def test_instruction_addresses_before_the_line_are_skipped() -> None:
    text = "# callgrind format\npositions: instr line\nevents: Ir\nfl=a.c\nfn=f\n0x1000 10 5\n+4 +2 5\n"
    (found,) = executed_lines([(io.BytesIO(text.encode()), "c.out")])
    assert found.lines == {10, 12}


def test_parts_of_a_capture_are_one() -> None:
    parts = [(io.BytesIO(f"{HEAD}fl=a.c\nfn=f\n{n} 5\n".encode()), str(n)) for n in (1, 2)]
    (found,) = executed_lines(parts)
    assert found.lines == {1, 2}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("positions: instr\nevents: Ir\n", r"c.out:1: no line positions here"),
        ("positions: line\nfl=a.c\nfn=f\n1x 5\n", r"c.out:4: expected a line number, found b'1x'"),
    ],
)
def test_a_file_without_lines_is_refused(text: str, message: str) -> None:
    with pytest.raises(ParseError, match=message):
        executed_lines([(io.BytesIO(text.encode()), "c.out")])


def test_a_real_capture_of_a_server_is_read() -> None:
    with gzip.open(DATA / "callgrind" / "threads.out.gz") as raw:
        found = executed_lines([(raw, "threads")], lambda path: path.endswith("malloc.c"))  # type: ignore[list-item]
    names = {f.name for f in found}
    assert {"malloc", "free"} <= names
    assert all(f.lines and min(f.lines) > 0 for f in found)
