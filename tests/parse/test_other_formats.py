"""Files that are not read are refused by name, with the command that converts them; compressed ones are opened."""

from __future__ import annotations

import bz2
import io
import lzma
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from profpipe.errors import ParseError, UnknownFormat
from profpipe.parse import PARSERS, detect_file, parse_file, unpack
from profpipe.parse.other_formats import OTHER_FORMATS, other_format
from tests.support.parse_cases import DATA, self_by_name
from tests.support.tools import require

FOLDED = b"main;work 3\nmain 1\n"
# The first bytes of a file of each kind, and a part of the answer.
HEADS = (
    (b"JAVA PROFILE 1.0.2\0\0\0\0\x08", "HPROF"),
    (b"Nettrace\x14\0\0\0!FastSerialization.1", "dotnet-trace convert FILE --format Speedscope"),
    (b"file-format: BlackfireProbe\ncost-dimensions: wt cpu mu pmu\n", "Blackfire"),
    (b"\x81rforpl\xff\x0a\0\0\0\0\0\0\0", "raw coverage counters of LLVM"),
    (b"\xfflprofi\x81\x0c\0\0\0", "indexed coverage counters of LLVM"),
    (b"adcg*32B\x9f\0\0\0", "gcov"),
    (b"gmon\1\0\0\0", "gprof"),
    (b"\x7fELF\2\1\1" + b"\0" * 9 + b"\4\0>\0", "a core file"),
    (b"\x7fELF\1\2\1" + b"\0" * 9 + b"\0\4\0\x08", "a core file"),
    (b"\x7fELF\2\1\1" + b"\0" * 9 + b"\3\0>\0", "a program or library"),
    (b"7z\xbc\xaf\x27\x1c\0\4", "7z x FILE"),
    (b"\x28\xb5\x2f\xfd\x04\x58", "zstd -d FILE"),
    (b"\x04\x22\x4d\x18\x64\x40", "lz4 -d FILE"),
    (b"SQLite format 3\0\x10\0", "SQLite"),
    (b"rbspy02\n{}", "rbspy report --format collapsed"),
    (b"\x04\x08{\x0c:\x0cversionf", "stackprof --stackcollapse"),
    (b"".join(n.to_bytes(8, "little") for n in (0, 3, 0, 10_000, 0, 1, 1, 4096)), "profile of gperftools"),
    (b"heap profile: 1: 2 [3: 4] @ heap/1048576\n", "go tool pprof -proto"),
    (b"--- contentionz 1 ---\ncycles/second = 1\n", "go tool pprof -proto"),
    (b"heap_v2/524288\n  t*: 1: 2 [0: 0]\n", "jeprof --collapsed"),
    (b"v 10400 3\nX ./server\nI 1000 2a\n", "heaptrack_print"),
    (b"memray\0\x0b\0\0\0", "memray transform speedscope FILE"),
    (b"Version: 3.1.0\nFile format: 4\nTRACE START [2026-01-01 00:00:00]\n", "xdebug.mode=profile"),
    (b"v8-version,11,3,244,8,-node.30,0\n", "node --cpu-prof"),
    (b'{"snapshot":{"meta":{"node_fields":["type"]}}}', "node --heap-prof"),
    (b"Attaching 1 probe...\n\n@[\n", "stackcollapse-bpftrace.pl"),
    (b"Analysis of sampling server (pid 1) every 1 millisecond\n", "stackcollapse-sample.awk"),
    (b"2026-01-01 00:00:00\nFull thread dump OpenJDK 64-Bit Server VM\n", "stackcollapse-jstack.pl"),
    (b'<?xml version="1.0"?>\n<trace-query-result>\n', "Instruments"),
    (b'<?xml version="1.0"?>\n<svg width="1200">', "picture of a flame graph"),
    (b"\n<!DOCTYPE html>\n<html>", "an HTML page"),
    (b'<?xml version="1.0" standalone="no"?><!DOCTYPE svg', "--format raw"),
    (b'{"traceEvents": [{"ph":"B"}]}', "--format speedscope"),
    (b"PERFILE2\x68\0\0\0", "perf script -i perf.data > perf.txt"),
    (b"FLR\0\0\2\0\1", "jfr print --json --events jdk.ExecutionSample"),
    (b"%PDF-1.7\n", "a PDF or picture"),
    (
        b"   9 function calls in 5 s\n   ncalls  tottime  percall  cumtime  percall filename:lineno(function)\n",
        "-o",
    ),
    (b"\n  _     ._   __/__   _ _  _  _ _/_   Recorded: 13:26:53  Samples:  51\n", "pyinstrument -r pyisession"),
    (b"\nClock type: CPU\nOrdered by: totaltime, desc\n\nname  ncall  tsub", "type='pstat'"),
    (b"--------\nProfile data file '/srv/out/s.out' (creator: callgrind-3.19.0)\n-------\n", "callgrind.out.PID"),
    (b"# Total Lost Samples: 0\n#\n# Samples: 997  of event 'cpu-clock'\n", "perf script -i perf.data"),
    (b"Flat profile:\n\nEach sample counts as 0.01 seconds.\n", "it has no calls by stack"),
)


@pytest.mark.parametrize(
    ("head", "words"), HEADS, ids=lambda v: v[:20].decode("latin-1") if isinstance(v, bytes) else ""
)
def test_a_file_that_is_not_read_is_refused_by_name(head: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "capture").write_bytes(head + b"\n" * 10)
    with pytest.raises(UnknownFormat, match="What to do: ") as caught:
        detect_file(tmp_path / "capture")
    assert words in str(caught.value)


def test_every_row_of_the_table_is_reached_by_a_test() -> None:
    by_name = {
        "an event trace of Windows (.etl)",
        "an archive (zip)",
        "an archive (tar)",
        "a text that go tool pprof printed",
    }
    reached = {found.name for head, _ in HEADS if (found := other_format(head, "capture"))}
    assert reached | by_name == {row.name for row in OTHER_FORMATS}


def _is_listing(path: Path) -> bool:
    """What the tool itself printed of the capture beside it."""
    return path.name.endswith(".report.txt") or path.parent.name in ("pstats", "pyinstrument")


def test_no_capture_that_is_read_fits_a_row(tmp_path: Path) -> None:
    """A parser that no longer recognised its format would be hidden by a row that fits."""
    for path in sorted(DATA.glob("*/*.txt")):
        if path.parent.name in PARSERS.builtin and not _is_listing(path):
            assert other_format(path.read_bytes()[:65536], path.name) is None, path


def test_archives_of_the_standard_library_are_named(tmp_path: Path) -> None:
    (tmp_path / "stacks").write_bytes(FOLDED)
    with zipfile.ZipFile(tmp_path / "zip", "w") as archive:
        archive.write(tmp_path / "stacks")
    with tarfile.open(tmp_path / "tar", "w") as archive:
        archive.add(tmp_path / "stacks")
    for name, command in (("zip", "unzip FILE"), ("tar", "tar -xf FILE")):
        with pytest.raises(UnknownFormat, match=command):
            detect_file(tmp_path / name)


def test_a_windows_trace_is_known_by_its_name_alone(tmp_path: Path) -> None:
    (tmp_path / "boot.etl").write_bytes(b"\0\0\1\0" + b"\0" * 60)
    with pytest.raises(UnknownFormat, match="PerfView"):
        detect_file(tmp_path / "boot.etl")


@pytest.mark.real
def test_what_go_tool_pprof_printed_is_named(tmp_path: Path) -> None:
    require("go")
    command = ["go", "tool", "pprof", "-top", str(DATA / "pprof/go-block.pb.gz")]
    done = subprocess.run(command, capture_output=True, timeout=100, check=True)
    (tmp_path / "top.txt").write_bytes(done.stdout)
    with pytest.raises(UnknownFormat, match=r"give the \.pb\.gz file"):
        detect_file(tmp_path / "top.txt")


@pytest.mark.parametrize(("name", "words"), [("a.trace", "Instruments"), ("captures", "give the file")])
def test_a_folder_is_named(name: str, words: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(ParseError, match=words):
        parse_file(tmp_path / name)


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress], ids=["bzip2", "xz"])
def test_bzip2_and_xz_are_opened(pack: object, tmp_path: Path) -> None:
    assert callable(pack)
    (tmp_path / "one").write_bytes(pack(FOLDED * 9_000))
    (tmp_path / "two").write_bytes(pack(FOLDED) + pack(FOLDED))
    (tmp_path / "cut").write_bytes(pack(FOLDED * 9_000)[:-20])
    assert self_by_name(parse_file(tmp_path / "one")) == {"work": 27_000, "main": 9_000}
    assert parse_file(tmp_path / "two").self_sum("samples") == 8
    with pytest.raises(ParseError, match="damaged"):
        parse_file(tmp_path / "cut")


def test_an_xz_file_that_wants_much_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "MAX_MEMORY", 1 << 20)
    (tmp_path / "x").write_bytes(lzma.compress(FOLDED, preset=9))
    with pytest.raises(ParseError, match=r"[Mm]emory"):
        parse_file(tmp_path / "x", "folded")


def test_a_bomb_of_any_compression_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("profpipe.parse.reading.GROWTH_FLOOR", 1 << 20)
    for pack in (bz2.compress, lzma.compress):
        (tmp_path / "x").write_bytes(pack(b"a;b 3\n".rjust(8 << 20)))
        with pytest.raises(ParseError, match="refused as a"):
            parse_file(tmp_path / "x", "folded")


def test_bytes_behind_an_xz_stream_are_damage() -> None:
    stream = unpack.unpacker(lzma.compress(FOLDED)[: unpack.MAGIC_BYTES])
    assert stream is not None
    with pytest.raises((lzma.LZMAError, EOFError)):
        stream(io.BytesIO(lzma.compress(FOLDED) + b"junk")).read()
