"""Files that are not read, by the first bytes that give them away: what they are, and the command that converts them.

A row here is what a user sees instead of "no known format". Commands are those of the format's own tools. A format that
no tool converts has what to record instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_ORDERS: tuple[Literal["little", "big"], ...] = ("little", "big")
START = 4096  # bytes of the head in which a mark may be
SPEEDSCOPE = "open it in speedscope (www.speedscope.app) and export it there: its JSON is read"


@dataclass(frozen=True, slots=True)
class OtherFormat:
    """A kind of file that is not read. `begins` = its first bytes, one of them; `marks` = all of these near the start.

    `test` decides where neither is enough: it gets the head and the file's name. `do` is a command or a sentence.
    `ask_first` = its text resembles one that is read, so it is looked for before the parsers are asked.
    """

    name: str
    do: str
    begins: tuple[bytes, ...] = ()
    marks: tuple[bytes, ...] = ()
    test: Callable[[bytes, str], bool] | None = None
    ask_first: bool = False

    def fits(self, head: bytes, filename: str) -> bool:
        start = head[:START]
        if self.begins and not start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(self.begins):
            return False
        if not all(mark in start for mark in self.marks):
            return False
        return self.test(head, filename) if self.test else bool(self.begins or self.marks)


def _elf(core: bool) -> Callable[[bytes, str], bool]:
    """ELF's e_type is 4 for a core file, in the byte order that byte 5 names."""
    return lambda head, _name: (head[16:18] == (b"\x00\x04" if head[5:6] == b"\2" else b"\4\0")) is core


def _legacy_cpu(head: bytes, _name: str) -> bool:
    """gperftools' header, in words of the machine: 0, 3, 0, the period, 0."""
    for size in (8, 4):
        for order in _ORDERS:
            words = [int.from_bytes(head[i * size : (i + 1) * size], order) for i in range(5)]
            if len(head) >= 5 * size and words[:3] == [0, 3, 0] and words[3] and not words[4]:
                return True
    return False


def _tar(head: bytes, _name: str) -> bool:
    return head[257:262] == b"ustar"


def _etl(head: bytes, name: str) -> bool:
    return name.lower().endswith(".etl") and b"\0" in head[:START]


def _go_text(head: bytes, _name: str) -> bool:
    return bool(re.search(rb"^Showing nodes accounting for ", head[:START], re.MULTILINE))


_LEGACY = "go tool pprof -proto -output=FILE.pb.gz FILE"
_UNPACK = "{} FILE; then read what comes out"
OTHER_FORMATS: tuple[OtherFormat, ...] = (
    OtherFormat(
        "a heap dump of Java (HPROF)", "jcmd PID JFR.start settings=profile, then JFR.dump", (b"JAVA PROFILE 1.",)
    ),
    OtherFormat("a .NET trace (.nettrace)", "dotnet-trace convert FILE --format Speedscope", (b"Nettrace",)),
    OtherFormat(
        "an event trace of Windows (.etl)",
        "open it in PerfView and save its CPU stacks with File, Save View As, speedscope",
        test=_etl,
    ),
    OtherFormat(
        "a Blackfire profile",
        "no tool converts it: record with Xdebug, in its profiler mode",
        (b"file-format: Blackfire",),
    ),
    OtherFormat(
        "raw coverage counters of LLVM (.profraw)",
        "llvm-profdata show --all-functions --counts FILE prints them; they are counts without cost: record with perf",
        (b"\x81rforpl\xff", b"\xfflprofr\x81", b"\x81Rforpl\xff", b"\xfflprofR\x81"),
    ),
    OtherFormat(
        "indexed coverage counters of LLVM (.profdata)",
        "llvm-profdata show --all-functions --counts FILE prints them; they are counts without cost: record with perf",
        (b"\xfflprofi\x81",),
    ),
    OtherFormat(
        "coverage data of gcc (gcov)",
        "gcov FILE prints it; it is counts of lines without cost: record with perf",
        (b"adcg", b"gcda", b"oncg", b"gcno"),
    ),
    OtherFormat(
        "data of gprof (gmon.out)", "gprof PROGRAM FILE prints it; record with perf to compare", (b"gmon\1", b"gmon\0")
    ),
    OtherFormat(
        "a core file (ELF)",
        "it is memory at one moment, not a profile: record with perf",
        (b"\x7fELF",),
        test=_elf(core=True),
    ),
    OtherFormat(
        "a program or library (ELF)",
        "give the file that the profiler wrote",
        (b"\x7fELF",),
        test=_elf(core=False),
    ),
    OtherFormat("an archive (zip)", _UNPACK.format("unzip"), (b"PK\3\4", b"PK\5\6")),
    OtherFormat("an archive (tar)", _UNPACK.format("tar -xf"), test=_tar),
    OtherFormat("an archive (7z)", _UNPACK.format("7z x"), (b"7z\xbc\xaf\x27\x1c",)),
    OtherFormat(
        "a zstd-compressed file",
        f"{_UNPACK.format('zstd -d')}; if it is heaptrack's, profpipe parse --convert FILE",
        (b"\x28\xb5\x2f\xfd",),
    ),
    OtherFormat(
        "a recording of memray",
        "profpipe parse --convert FILE, or memray transform speedscope FILE",
        (b"\x04\x22\x4d\x18", b"memray\0"),
        (b"memray\0",),
    ),
    OtherFormat("an lz4-compressed file", _UNPACK.format("lz4 -d"), (b"\x04\x22\x4d\x18",)),
    OtherFormat("a database (SQLite)", "export stacks with the tool that wrote it", (b"SQLite format 3\0",)),
    OtherFormat(
        "a profile of rbspy", "rbspy report --format collapsed --input FILE --output FILE.folded", (b"rbspy0",)
    ),
    OtherFormat("a profile of stackprof, or another dump of Ruby", "stackprof --stackcollapse FILE", (b"\x04\x08",)),
    OtherFormat("a profile of gperftools", _LEGACY, test=_legacy_cpu),
    OtherFormat(
        "a text profile of an old pprof",
        _LEGACY,
        (
            b"heap profile: ",
            b"--- contention",
            b"--- mutex:",
            b"goroutine profile: ",
            b"threadcreate profile: ",
            b"--- heap",
        ),
        ask_first=True,
    ),
    OtherFormat("a heap profile of jemalloc", "jeprof --collapsed PROGRAM FILE", (b"heap_v2/",)),
    OtherFormat("a text that go tool pprof printed", "give the .pb.gz file it was made of", test=_go_text),
    OtherFormat(
        "data of heaptrack",
        "profpipe parse --convert FILE, or heaptrack_print --print-flamegraph FILE.folded FILE",
        test=lambda h, _n: _heaptrack(h),
    ),
    OtherFormat(
        "a listing that pstats printed",
        "give the file that it was read from: python -m cProfile -o FILE, or Profile.dump_stats(FILE)",
        marks=(b"ncalls  tottime", b"filename:lineno(function)"),
    ),
    OtherFormat(
        "a text that pyinstrument printed",
        "save the session: pyinstrument -r pyisession -o FILE",
        (b"_     ._   __/__",),
    ),
    OtherFormat(
        "a listing that yappi printed",
        "save the figures: yappi.get_func_stats().save(FILE, type='pstat')",
        (b"Clock type: ",),
        (b"Ordered by: ",),
    ),
    OtherFormat(
        "a listing of callgrind_annotate or cg_annotate",
        "give the file that valgrind wrote, callgrind.out.PID or cachegrind.out.PID",
        (b"-----",),
        (b"Profile data file '",),
    ),
    OtherFormat(
        "a listing of perf report",
        "give what it was made from: profpipe parse --convert perf.data, or perf script -i perf.data > perf.txt",
        (b"# To display the perf.data header", b"# Total Lost Samples"),
        (b"# Samples: ",),
    ),
    OtherFormat(
        "a text that gprof printed",
        "it has no calls by stack: record with valgrind --tool=callgrind or perf record -g",
        (b"Flat profile:",),
    ),
    OtherFormat("a function trace of Xdebug", "record with xdebug.mode=profile", marks=(b"TRACE START [",)),
    OtherFormat(
        "a log of V8 (--prof)",
        "node --cpu-prof server.js records a profile that is read",
        (b"v8-version,",),
    ),
    OtherFormat(
        "a heap snapshot of V8",
        "it is objects, not functions; node --heap-prof server.js records functions",
        (b'{"snapshot":',),
        (b'"node_fields"',),
    ),
    OtherFormat("output of bpftrace", "stackcollapse-bpftrace.pl FILE", (b"Attaching ",), (b" probe",)),
    OtherFormat("output of the macOS tool sample", "stackcollapse-sample.awk FILE", (b"Analysis of sampling ",)),
    OtherFormat("a thread dump of Java", "stackcollapse-jstack.pl FILE", marks=(b"Full thread dump ",)),
    OtherFormat(
        "text or XML of Instruments",
        SPEEDSCOPE,
        test=lambda h, _n: _instruments(h),
    ),
    OtherFormat(
        "a picture of a flame graph (SVG)",
        "it is a drawing, not data: give the stacks that it was made of (py-spy record --format raw)",
        (b"<svg", b"<?xml"),
        (b"svg",),
    ),
    OtherFormat(
        "an HTML page, such as a tool's report",
        "save the capture itself; for pyinstrument, with -r pyisession",
        (b"<!DOCTYPE html", b"<!doctype html", b"<html", b"<HTML"),
    ),
    OtherFormat(
        "a trace of events for Chrome",
        "record in one of the formats below; for py-spy or VizTracer, profile with py-spy record --format speedscope",
        (b'{"traceEvents":', b'[{"args":', b'[{"name":'),
    ),
    OtherFormat(
        "a recording of perf (perf.data)",
        "profpipe parse --convert FILE, or perf script -i perf.data > perf.txt",
        (b"PERFILE2", b"PERFFILE"),
    ),
    OtherFormat(
        "a Java flight recording (JFR)",
        "profpipe parse --convert FILE, or jfr print --json --events jdk.ExecutionSample --stack-depth 256 FILE > x",
        (b"FLR\0",),
    ),
    OtherFormat(
        "a PDF or picture", "give the data file that it was made of", (b"%PDF-", b"\x89PNG", b"\xff\xd8\xff", b"GIF8")
    ),
)
FOLDERS: Mapping[str, str] = {
    ".trace": f"a recording of Instruments: {SPEEDSCOPE}",
    "": "a folder: give the file that the profiler wrote",
}


def _heaptrack(head: bytes) -> bool:
    return bool(re.match(rb"v [0-9a-f]+ [0-9a-f]+\n(?:[xXI] )", head))


def _instruments(head: bytes) -> bool:
    return head.startswith((b"Running Time\t", b"Weight\tSelf Weight")) or b"<trace-query-result>" in head[:START]


def other_format(head: bytes, filename: str) -> OtherFormat | None:
    """The first row that fits a file which begins with `head`; None where nothing is known about it."""
    return next((row for row in OTHER_FORMATS if row.fits(head, filename)), None)


def folder_text(path: Path) -> str:
    """What a folder is that was given in place of a file."""
    return FOLDERS.get(path.suffix, FOLDERS[""])
