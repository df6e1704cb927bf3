"""Reader of the callgrind format (valgrind manual, "Callgrind Format Specification", version 1), by columns.

Lines of source are not kept: `frames.line` is None, and costs are summed per function, recursion level and file of the
cost (`fi=`/`fe=`: code inlined from another file). A function is (name, file, object); its file is the current one at
its `fn=` line. Edges lie between frames whose file is the function's own. The line after `calls=` is the inclusive
cost of the call, also after `calls=0` (callgrind_annotate 3.19 books that one as self).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import BinaryIO

from profpipe.errors import ParseError
from profpipe.model.join import joined
from profpipe.model.profile import Fact, Profile
from profpipe.parse.callgrind.clock import without_clock
from profpipe.parse.callgrind.header import KEYS
from profpipe.parse.callgrind.native_view import by_native_function
from profpipe.parse.callgrind.profile import to_profile
from profpipe.parse.callgrind.python_view import by_python_function, splits_loops, switches_stacks
from profpipe.parse.callgrind.run import Run
from profpipe.parse.callgrind.trampolines import FILE, Trampolines, read_trampolines

NAME = "callgrind"
SAYS: frozenset[Fact] = frozenset({"self", "total", "calls", "edges"})
RECORD = "valgrind --tool=callgrind ./server"
GREENLETS = "greenlets switch stacks, so callgrind cannot tell their Python functions apart: these are C functions"
NO_MAP = (
    "no map of CPython's trampolines lies next to it (was the server started with -I or -E?): these are C functions"
)
_MARK = b"# callgrind format"
_HEADER = re.compile(rb"(?:#.*|(?:" + b"|".join(k.encode() for k in KEYS) + rb"|summary):.*|[ \t]*)")
_OUT = re.compile(r"(?:call|cache)grind\.out\b")


def sniff(head: bytes, filename: str) -> bool | None:
    """Whether a file that begins with `head` is in this format; None when more of it is needed to tell.

    An empty file is ours when it is named like one (`callgrind.out.123`): the reader then says what that means.
    """
    head = head.removeprefix(b"\xef\xbb\xbf")
    if not head:
        return True if _OUT.search(PurePath(filename).name) else None
    if head.startswith(_MARK):
        return True
    if len(head) < len(_MARK) and _MARK.startswith(head):
        return None
    lines = head.splitlines()
    open_line = b"" if head.endswith((b"\n", b"\r")) else lines[-1]
    for line in lines:
        if line.startswith(b"events:"):
            return True
        if not _HEADER.fullmatch(line) and not (line is open_line and _may_become_header(line)):
            return False
    return None


def _may_become_header(line: bytes) -> bool:
    return any(key.encode().startswith(line) for key in KEYS)


def parse(raw: BinaryIO, source: str) -> Profile:
    """The profile in one file, of one part or several (`--combine-dumps`).

    kind "counted" (yappi's export: "traced"); metrics: `Ir` -> instructions, `sysCount` -> syscalls, `sysTime` and
    `sysCpuTime` -> sys_time_ns and sys_cpu_ns, others under their own name in lower case. `declared` holds `totals:`.
    System calls of valgrind's own files are those without readings of the clock (clock.py).
    `meta.partial` says so when the self costs do not add up to `totals:`, or when it is missing. Raises ParseError,
    with the line, on anything that is not the format.
    """
    return parse_parts([(raw, source)])


def parse_parts(files: Sequence[tuple[BinaryIO, str]]) -> Profile:
    """One profile from the files of one run (`F.1`, `F.2`; `F-01`, `F-02`; one per process): counts are added up.

    The files must count the same events. An empty file among others is left out with a warning. With the maps of
    CPython's trampolines (`perf-PID.map`) among them, functions are Python's.
    """
    maps = {found[1]: read_trampolines(*file) for file in files if (found := FILE.search(file[1]))}
    dumps = [file for file in files if not FILE.search(file[1])]
    if not dumps:
        raise ParseError(NAME, "no file given")
    if maps:
        return _with_maps([_counts([dump]) for dump in dumps], maps)
    counted = _counts(dumps)
    return by_native_function(counted, NO_MAP) if splits_loops(counted) else counted


def _counts(files: Sequence[tuple[BinaryIO, str]]) -> Profile:
    run = Run()
    for raw, source in files:
        run.read(raw, source)
    found = to_profile(run, files[0][1])
    return without_clock(found) if found.meta.tool.startswith("callgrind") else found


def _with_maps(counted: Sequence[Profile], maps: Mapping[str, Trampolines]) -> Profile:
    """Several processes by Python function; by C function where no Python function can be told."""
    if any(switches_stacks(profile) for profile in counted):
        return joined([by_native_function(profile, GREENLETS) for profile in counted])
    return joined([_python_view(profile, maps) for profile in counted])


def _python_view(counted: Profile, maps: Mapping[str, Trampolines]) -> Profile:
    """One process, by C function where it has no map: it runs no Python."""
    found = maps.get(counted.meta.notes.get("pid", ""))
    if found is None:
        return by_native_function(counted)
    return by_python_function(counted, found)
