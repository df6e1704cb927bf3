"""Which format a file is: by content, never by name; what is none of them is refused by name; captures have bounds."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profpipe.errors import ParseError, UnknownFormat, UsageError
from profpipe.parse import PARSERS, detect_file, folded, parse_file, parse_files, perf, reading
from profpipe.parse.detect import detect
from profpipe.parse.interface import Parser
from profpipe.plugins import Registry
from tests.support.distributions import install
from tests.support.parse_cases import DATA, outcome, self_by_name

CAPTURES = {
    "callgrind": ("*.out.gz", "*.out.1.gz", "*.cachegrind.gz"),
    "profpipe": ("*.json",),
    "firefox": ("*.json.gz",),
    "dhat": ("*.json",),
    "massif": ("*.massif.gz",),
    "xhprof": ("*.xhprof", "*.json"),
    "folded": ("*.raw.txt", "*.folded.txt"),
    "austin": ("*.txt", "*.txt.gz"),
    "mojo": ("*.mojo",),
    "pstats": ("*.pstats",),
    "pyinstrument": ("*.json", "*.pyisession", "*.pyisession.gz"),
    "speedscope": ("*.json", "*.json.gz"),
    "perf": ("*.script.txt", "*.script.txt.gz"),
    "pprof": ("*.pb.gz",),
    "jfr-json": ("*.json.gz",),
    "jfr-text": ("*.txt.gz",),
    "cpuprofile": ("*.cpuprofile",),
    "heapprofile": ("*.heapprofile",),
    "chrome-trace": ("*.json.gz",),
    "v8-calls": ("*.json",),
}
POSITIVE = sorted(
    (path, name)
    for name, patterns in CAPTURES.items()
    for pattern in patterns
    for path in (DATA / name).glob(pattern)
    if path.stat().st_size
)
NEGATIVE = sorted(
    path
    for pattern in (
        "*/PROVENANCE.md",
        "folded/*.stdout.txt",
        "pstats/*.txt",
        "pyinstrument/*.txt",
        "perf/*.report.txt",
        "callgrind/*.annotate.txt.gz",
    )
    for path in DATA.glob(pattern)
)
CALLGRIND = b"# callgrind format\nversion: 1\nevents: Ir\n\nfl=(1) a.c\nfn=(1) main\n3 10\n\ntotals: 10\n"


def test_there_are_samples_of_everything() -> None:
    assert len(POSITIVE) >= 34
    assert len(NEGATIVE) >= 9
    assert {name for _, name in POSITIVE} == set(PARSERS.builtin) - {"yappi"}


@pytest.mark.parametrize(("path", "name"), POSITIVE, ids=lambda v: v.name if isinstance(v, Path) else "")
def test_a_file_renamed_to_unknown_gives_the_same_answer(path: Path, name: str, tmp_path: Path) -> None:
    plain = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    (tmp_path / "unknown").write_bytes(plain)
    (tmp_path / "wrong.pstats.json").write_bytes(gzip.compress(plain))
    assert detect_file(path) == detect_file(tmp_path / "unknown") == detect_file(tmp_path / "wrong.pstats.json") == name


@pytest.mark.parametrize("path", NEGATIVE, ids=lambda p: p.name)
def test_other_files_are_refused_with_the_formats_there_are(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "callgrind.out.1"
    copy.write_bytes(path.read_bytes())
    with pytest.raises(UnknownFormat, match=", ".join(PARSERS.builtin)):
        detect_file(copy)


@pytest.mark.parametrize(
    "text",
    [
        "Listening on port 8080\n",
        "2000\n",
        "{}",
        '{"traceEvents": []}',
        "<svg></svg>",
        "\x7fELF\x02\x01",
        "a;b;c\n1;2;3\n",
        "\0" * 100,
        "{(no marshal",
    ],
)
def test_small_things_that_are_no_profile(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.folded").write_text(text)
    with pytest.raises(UnknownFormat):
        detect_file(tmp_path / "x.folded")


@pytest.mark.parametrize(
    ("head", "what_to_do"),
    [
        (b"PERFILE2\x68\0\0\0", "perf script -i perf.data > perf.txt"),
        (b'<?xml version="1.0" standalone="no"?><!DOCTYPE svg', "py-spy record --format raw"),
        (b"<!DOCTYPE html>\n<html>", "-r pyisession"),
        (b'[{"args":{"filename":"a.py"},"ph":"B"}]', "--format speedscope"),
        (b'{"traceEvents": []}', "record in one of"),
    ],
)
def test_a_file_in_a_form_that_no_parser_reads_is_refused_with_what_to_do(head: bytes, what_to_do: str) -> None:
    with pytest.raises(UnknownFormat) as refused:
        detect(head)
    assert f"{what_to_do}" in str(refused.value)
    assert "profpipe reads: callgrind" in str(refused.value)


@pytest.mark.parametrize(
    ("part", "text"),
    [(0, "0 %"), (1, "less than 0.1 %"), (94, "9.4 %"), (9999, "more than 99.9 %"), (10_000, "100.0 %")],
)
def test_a_share_reads_as_nothing_or_all_only_when_it_is(part: int, text: str) -> None:
    assert reading.share(part, 1000 if part == 94 else 10_000) == text


def test_bare_names_with_counts_may_be_folded_and_are_read_when_named(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("main 3\nidle 4\n")
    with pytest.raises(UnknownFormat, match=r"may be .*folded"):
        detect_file(path)
    assert self_by_name(parse_file(path, "folded")) == {"main": 3, "idle": 4}


def test_callgrind_and_yappi_are_known_too() -> None:
    assert detect(CALLGRIND) == "callgrind"
    assert detect(b'{"format": "profpipe.yappi/1"}') == "yappi"


def test_keys_beyond_the_first_head_are_still_found(tmp_path: Path) -> None:
    """A session whose keys were sorted: the first 64 KiB are a path list."""
    document = {"a_long_list": ["x" * 1000] * 200, "frame_records": [[["f\0a.py\x001"], 1.0]]}
    (tmp_path / "x").write_text(json.dumps(document))
    assert detect_file(tmp_path / "x") == "pyinstrument"


def test_an_unsure_reader_asks_for_more_only_while_there_is_more() -> None:
    assert detect(b'{"a": [', whole=False) is None
    with pytest.raises(UnknownFormat):
        detect(b'{"a": [', whole=True)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_folded_with_a_byte_order_mark(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes("a;b 3\r\n".encode(encoding))
    assert self_by_name(parse_file(tmp_path / "x")) == {"b": 3}


@given(st.binary(max_size=300))
def test_any_bytes_are_named_or_refused(data: bytes) -> None:
    with contextlib.suppress(UnknownFormat):
        assert detect(data) in PARSERS.builtin


def test_long_lines_do_not_stall_the_sniffers() -> None:
    """Lines that a pattern with two `.*` would try at every position; the run hangs if one does."""
    for line in (b"a;" * 200_000, b"a " * 200_000, b"(" * 200_000, b" 1" * 200_000, b"process 1:" * 40_000):
        with pytest.raises(UnknownFormat):
            detect(line + b"\nx")


@pytest.mark.parametrize(
    "unit", [b";", b"a (", b"()", b'process 1:"', b'process 1:"a";', b"a_[k]", b" 1", b"\t1 ", b"+0x1"]
)
def test_long_lines_do_not_stall_the_readers(unit: bytes) -> None:
    """60,000 bytes of one thing in a line, alone and as a frame; the run hangs if a reader is worse than linear."""
    line = unit * (60_000 // len(unit))
    for data in (line + b" 3\n", b"a 1 1.0: 5 cycles: \n\t1 f" + line + b" (x)\n\n"):
        for parser in (folded, perf):
            outcome(parser.parse, data)


def test_an_empty_file_says_what_it_may_mean(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    with pytest.raises(ParseError, match="killed before it wrote"):
        parse_file(tmp_path / "x")


def test_one_layer_of_gzip_is_opened_and_no_second(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(gzip.compress(b"a;b 3\n"))
    (tmp_path / "two").write_bytes(gzip.compress(gzip.compress(b"a;b 3\n")))
    assert self_by_name(parse_file(tmp_path / "one")) == {"b": 3}
    with pytest.raises(UnknownFormat, match="only one layer"):
        parse_file(tmp_path / "two")


@pytest.mark.parametrize("damage", ["cut", "flipped", "tail"])
def test_damaged_gzip_is_a_clean_error(damage: str, tmp_path: Path) -> None:
    whole = gzip.compress(b"a;b 3\n" * 1000)
    data = {"cut": whole[:-12], "flipped": whole[:-6] + b"\0\0" + whole[-4:], "tail": whole + b"junk"}[damage]
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(ParseError, match="damaged gzip"):
        parse_file(tmp_path / "x")


def test_a_gzip_bomb_is_stopped_while_it_inflates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "GROWTH_FLOOR", 1 << 20)
    (tmp_path / "x").write_bytes(gzip.compress(b"a;b 3\n".rjust(8 << 20)))
    with pytest.raises(ParseError, match="compression bomb"):
        parse_file(tmp_path / "x", "folded")


def test_files_over_the_limit_are_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"a;b 3\n" * 100)
    with pytest.raises(ParseError, match="reads at most 100"), reading.open_capture(tmp_path / "x", limit=100):
        pass


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(ParseError, match="not a regular file"):
            parse_file(path)
    with pytest.raises(ParseError, match="cannot be read"):
        parse_file(tmp_path / "missing")


def test_an_unknown_format_name_lists_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no parser named 'nothing'.*callgrind, pprof"):
        parse_file(tmp_path / "x", "nothing")


def test_parts_are_for_formats_that_have_them(tmp_path: Path) -> None:
    for name in ("empty", "one", "two"):
        (tmp_path / name).write_bytes(b"" if name == "empty" else CALLGRIND)
    paths = [tmp_path / name for name in ("empty", "one", "two")]
    assert parse_files(paths).self_sum("instructions") == 20
    (tmp_path / "f").write_bytes(b"a;b 3\n")
    assert parse_files([tmp_path / "f"]).self_sum("samples") == 3
    with pytest.raises(UsageError, match="one file each"):
        parse_files([tmp_path / "f"] * 2)
    with pytest.raises(UsageError, match="no file"):
        parse_files([])
    with pytest.raises(ParseError, match="empty file"):
        parse_files([tmp_path / "empty"] * 2)


FOREIGN = """
from profpipe.parse import folded
SAYS, RECORD = folded.SAYS, 'none'
def sniff(head, filename): return head.startswith(b'FOREIGN')
def parse(raw, source): return folded.parse(__import__('io').BytesIO(raw.read()[8:]), source)
"""


@pytest.fixture
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry[Parser]:
    """The registry with a package that adds the parser `foreign` and wants to take the name `folded`."""
    install(tmp_path, "foreign-parser", FOREIGN, group=PARSERS.group, names=("foreign", "folded"))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "foreign_parser", raising=False)
    return replace(PARSERS)


def test_a_parser_of_another_package_is_imported_only_when_no_built_in_one_fits(foreign: Registry[Parser]) -> None:
    assert detect(b"a;b 3\n", parsers=foreign) == "folded"
    assert "foreign_parser" not in sys.modules
    assert detect(b"FOREIGN\na;b 3\n", parsers=foreign) == "foreign"
    assert foreign.get("foreign").parse(io.BytesIO(b"FOREIGN\na;b 3\n"), "x").self_sum("samples") == 3


def test_an_unknown_file_names_the_parsers_that_are_left_out(foreign: Registry[Parser]) -> None:
    with pytest.raises(UnknownFormat, match=r"reads: callgrind.*foreign; parser 'folded' of foreign-parser 1.2"):
        detect(b"\0\0\0", parsers=foreign)


@pytest.mark.programs
def test_parsing_loads_neither_pandas_nor_pydantic() -> None:
    code = (
        "import sys; from profpipe.parse import parse_file\n"
        f"parse_file({str(DATA / 'pstats' / 'cprofile-gevent.pstats')!r})\n"
        "print(sorted({'pandas', 'pydantic', 'scipy', 'marshal_loads'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"


def test_no_reader_can_run_what_it_reads() -> None:
    """No marshal, pickle, eval, exec, shelve, yaml or XML anywhere in the room."""
    room = Path(reading.__file__).parent
    words = ("import marshal", "import pickle", "import shelve", "import yaml", "xml.", "eval(", "exec(", "__import__")
    found = [(file.name, word) for file in room.rglob("*.py") for word in words if word in file.read_text()]
    assert found == []


@pytest.mark.parametrize(("path", "name"), POSITIVE, ids=lambda v: v.name if isinstance(v, Path) else "")
def test_no_capture_says_more_than_its_format(path: Path, name: str) -> None:
    with contextlib.suppress(ParseError):
        assert parse_file(path).says <= PARSERS.get(name).SAYS
