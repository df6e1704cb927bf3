"""pstats: the marshalled dictionary that cProfile, profile, yappi and pyinstrument save.

{(file, line, name): (cc, nc, tt, ct, {caller: (nc, cc, tt, ct)})}, seconds. Traps, each seen in real files:
function rows have the primitive count first, caller rows second (cProfile); yappi swaps the pair of its function
rows; pyinstrument writes -1 calls and counts a recursive function's total once per level; `profile` writes callers as
bare counts; cProfile of 3.12+ mixes threads in one stack, so that self exceeds total.

`profile` also counts as its own function what it was given to run, by the text or the code object, and gives 0 calls
to functions that nothing called. Releases of 3.12 before 3.12.1 wrote no primitive call and no total for generators
(CPython issue 106152).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, Literal

from profpipe.errors import ParseError
from profpipe.model.build import Builder
from profpipe.model.profile import NATIVE, PYTHON, SYNTHETIC, Fact, Meta, Profile
from profpipe.parse.parts import add_up
from profpipe.parse.pstats.marshalled import CodeName, Marshalled, Pairs
from profpipe.parse.reading import INT32_MAX, finish, line_number, nanoseconds, read_all, whole
from profpipe.units import CPU_NS, WALL_NS, Metric

NAME = "pstats"
SAYS: frozenset[Fact] = frozenset({"self", "total", "calls", "edges"})
RECORD = "python -m cProfile -o server.pstats server.py"
TIME_NS = Metric("time_ns", "time", "ns", about="seconds of a clock that the file does not name (CPU or wall)")
Writer = Literal["cProfile", "profile", "yappi", "pyinstrument"]
# `profile` reads time.process_time by default, cProfile and pyinstrument a clock of elapsed time.
CLOCKS: dict[Writer, Metric] = {"yappi": TIME_NS, "profile": CPU_NS}
Key = tuple[str, int, str]
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")  # another one in every run


def sniff(head: bytes, _filename: str) -> bool | None:
    """A marshalled dict whose first key is a tuple; `{(` opens no JSON."""
    return re.match(rb"[{\xfb](?:[(\xa8]\x03\0\0\0|[)\xa9]\x03)", head, re.DOTALL) is not None


def parse(raw: BinaryIO, source: str) -> Profile:
    """A traced profile: self, measured totals, calls. ParseError with the byte offset of what is wrong."""
    reader = Marshalled(read_all(raw, source), source)
    rows = _functions(reader)
    if not rows:
        raise ParseError(source, "no function in it: nothing was recorded in the window")
    return _profile(rows, source)


def parse_parts(parts: Sequence[tuple[BinaryIO, str]]) -> Profile:
    """The captures of a server's processes, added up. Raises as `parse` does."""
    return add_up(parse, parts)


@dataclass(frozen=True, slots=True)
class Row:
    key: Key
    first: int
    second: int
    self_ns: int
    total_ns: int
    callers: list[tuple[Key, int, int, int]]  # caller, calls, primitive calls, total of these calls
    bare_callers: int = 0


def _functions(reader: Marshalled) -> list[Row]:
    top = reader.value()
    if not isinstance(top, Pairs):
        raise reader.fail("expected a dictionary of functions", 0)
    if reader.at != len(reader.data):
        raise reader.fail(f"{len(reader.data) - reader.at:,} bytes after the end of the dictionary")
    rows = [_row(key, value, reader.source) for key, value in top]
    return [row for row in rows if row.key[0] != "<thread>"]  # pyinstrument's root of a thread: no function


def _row(key: object, value: object, source: str) -> Row:
    name = _key(key, source)
    if not isinstance(value, tuple) or len(value) != 5 or not isinstance(value[4], Pairs):
        raise ParseError(source, f"{name[2]!r}: expected (calls, calls, self, total, callers)")
    callers: list[tuple[Key, int, int, int]] = []
    bare = 0
    for caller, numbers in value[4]:
        if isinstance(numbers, tuple) and len(numbers) == 4:
            calls, primitive = _calls(numbers[0], source, name), _calls(numbers[1], source, name)
            total = nanoseconds(numbers[3], source, "a caller's total")
            callers.append((_key(caller, source), calls, primitive, total))
        elif isinstance(numbers, int):
            bare += 1
        else:
            raise ParseError(source, f"{name[2]!r}: expected (calls, calls, self, total) of a caller")
    first, second = (_calls(n, source, name) for n in value[:2])
    own = nanoseconds(value[2], source, f"self of {name[2]!r}")
    total = nanoseconds(value[3], source, f"total of {name[2]!r}")
    return Row(name, first, second, own, total, callers, bare)


def _calls(value: object, source: str, name: Key) -> int:
    if type(value) is int and -1 <= value <= INT32_MAX:
        return value
    return whole(value, source, f"calls of {name[2]!r}")


def _key(key: object, source: str) -> Key:
    if isinstance(key, tuple) and len(key) == 3:
        file, line, name = key
        if isinstance(name, CodeName):
            return str(file), 0, f"<code object {name}>"
        if isinstance(file, str) and isinstance(line, int) and isinstance(name, str):
            return file, line, name
    raise ParseError(source, "a function is not named by (file, line, name)")


def _writer(rows: list[Row], source: str) -> Writer:
    """Who wrote it: -1 calls are pyinstrument's, bare callers `profile`'s, `~` is cProfile's file of builtins.

    Otherwise the order of the two counts decides.
    """
    if any(row.first < 0 or row.second < 0 for row in rows):
        return "pyinstrument"
    if any(row.bare_callers for row in rows) and not any(row.callers for row in rows):
        return "profile"
    more = sum(row.first > row.second for row in rows)
    less = sum(row.first < row.second for row in rows)
    if more and less:
        raise ParseError(source, "primitive calls exceed calls in some rows and not in others: not one tool's file")
    if any(row.key[0] == "~" for row in rows) and not more:
        return "cProfile"
    modules = any(row.key[1] == 0 and row.key[0] and row.key[0].isidentifier() for row in rows)
    return "yappi" if more or modules else "cProfile"


def _profile(rows: list[Row], source: str) -> Profile:
    writer = _writer(rows, source)
    _refuse_mixed_threads(rows, source)
    builder = Builder("traced", (CLOCKS.get(writer, WALL_NS),))
    ids = {row.key: builder.frame(_function(builder, row.key)) for row in rows}
    everything = sum(row.self_ns for row in rows)
    impossible = untold = 0
    for row in rows:
        frame = ids[row.key]
        builder.cost(frame, (row.self_ns,))
        if writer == "pyinstrument":
            continue
        calls, primitive = (row.first, row.second) if writer == "yappi" else (row.second, row.first)
        if writer == "profile":
            calls = max(calls, primitive)  # 0 calls of what nothing called, though it ran once
        # A microsecond of slack: tools sum doubles in another order than we do.
        if row.total_ns > everything + 1000:
            impossible += 1
        elif _without_total(row):
            untold += 1
        else:
            builder.total(frame, calls, (row.total_ns,), primitive=primitive)
        for caller, times, primitive_times, total in row.callers:
            if caller not in ids:
                ids[caller] = builder.frame(_function(builder, caller))
            builder.call(ids[caller], frame, times, (total,), primitive=primitive_times)
    warnings = _warnings(rows, writer, impossible, untold)
    return finish(builder, Meta(NAME, source, tool=writer, warnings=warnings))


def _without_total(row: Row) -> bool:
    """Whether the function ran and has time, but neither a primitive call nor a total: early 3.12's generators."""
    return row.first == 0 and row.second > 0 and row.total_ns == 0 and row.self_ns > 0


def _warnings(rows: list[Row], writer: Writer, impossible: int, untold: int) -> tuple[str, ...]:
    found = []
    if writer == "yappi":
        found.append("yappi's pstats do not say whether the clock was CPU or wall time")
    if writer == "pyinstrument":
        found.append(
            "pyinstrument's pstats hold no calls and count a recursive function's total once per level: "
            "only self is kept; save the session (.pyisession) for totals and stacks"
        )
    if impossible:
        found.append(f"{impossible} functions have a total above the whole profile: their totals are unknown")
    if untold:
        found.append(f"{untold} functions have time but no total (generators under early releases of 3.12): unknown")
    bare = sum(row.bare_callers for row in rows)
    if bare:
        found.append(f"{bare} callers have a count but no time (written by `profile`): left out")
    over = sum(row.self_ns > row.total_ns + 1000 and not _without_total(row) for row in rows)
    if over:
        found.append(f"{over} functions have more self than total time")
    return tuple(found)


def _refuse_mixed_threads(rows: list[Row], source: str) -> None:
    """cProfile of 3.12+ traces all threads into one stack: self is then kept, total lost, and neither is true.

    In 21 sound captures no function's self exceeds its total; in the mixed one 36 % of all self time does.
    """
    over = [row for row in rows if row.self_ns > row.total_ns + 1000 and not _without_total(row)]
    excess = sum(row.self_ns - row.total_ns for row in over)
    everything = sum(row.self_ns for row in rows)
    if excess * 100 > everything:
        worst = max(over, key=lambda row: row.self_ns - row.total_ns)
        raise ParseError(
            source,
            f"threads mixed in one stack: {len(over)} functions have more self than total time, first {worst.key[2]!r} "
            f"({worst.self_ns / 1e9:.3f} s self, {worst.total_ns / 1e9:.3f} s total). cProfile of Python 3.12 and "
            "newer does this to threaded programs; use yappi",
        )


def _function(builder: Builder, key: Key) -> int:
    """`~` and a bare module with line 0 are builtins, that is native code; `profile`'s own rows are no code at all."""
    file, line, name = key
    if file == "profile" and line == 0:
        return builder.function(_ADDRESS.sub("", name), runtime=SYNTHETIC)
    if file in ("~", "<built-in>", ""):
        return builder.function(name, runtime=NATIVE)
    if line == 0 and file.isidentifier():
        return builder.function(name, object=file, runtime=NATIVE)
    return builder.function(name, file=file, line=line_number(line), runtime=PYTHON)
