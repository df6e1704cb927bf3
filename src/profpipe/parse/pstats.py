"""pstats: the marshalled dictionary that cProfile, profile, yappi and pyinstrument save.

{(file, line, name): (cc, nc, tt, ct, {caller: (nc, cc, tt, ct)})}, seconds. Traps, each seen in real files:
function rows have the primitive count first, caller rows second (cProfile); yappi swaps the pair of its function
rows; pyinstrument writes -1 calls and counts a recursive function's total once per level; `profile` writes callers
as bare counts; cProfile of 3.12+ mixes threads in one stack, so that self exceeds total.

The bytes are never given to marshal: damaged files crash the interpreter there. This reader knows the type codes that
pstats needs and refuses the rest.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

from profpipe.errors import ParseError
from profpipe.model.build import Builder
from profpipe.model.profile import NATIVE, PYTHON, Fact, Meta, Profile
from profpipe.parse.reading import clean, finish, line_number, nanoseconds, read_all, whole
from profpipe.units import WALL_NS, Metric

NAME = "pstats"
SAYS: frozenset[Fact] = frozenset({"self", "total", "calls", "edges"})
RECORD = "python -m cProfile -o server.pstats server.py"
TIME_NS = Metric("time_ns", "time", "ns", about="seconds of a clock that the file does not name (CPU or wall)")
MAX_DEPTH = 5  # {function: (.., {caller: (..)})} needs five
MAX_TUPLE = 5
MAX_TEXT = 1 << 16
Writer = Literal["cProfile", "yappi", "pyinstrument"]
Key = tuple[str, int, str]


def sniff(head: bytes, _filename: str) -> bool | None:
    """A marshalled dict whose first key is a tuple; `{(` opens no JSON."""
    return re.match(rb"[{\xfb](?:[(\xa8]\x03\0\0\0|[)\xa9]\x03)", head, re.DOTALL) is not None


def parse(raw: BinaryIO, source: str) -> Profile:
    """A traced profile: self, measured totals, calls. ParseError with the byte offset of what is wrong."""
    reader = _Marshal(read_all(raw, source), source)
    rows = _functions(reader)
    if not rows:
        raise ParseError(source, "no function in it: nothing was recorded in the window")
    return _profile(rows, source)


@dataclass(frozen=True, slots=True)
class Row:
    key: Key
    first: int
    second: int
    self_ns: int
    total_ns: int
    callers: list[tuple[Key, int, int, int]]  # caller, calls, primitive calls, total of these calls
    bare_callers: int = 0


class Pairs(list[tuple[object, object]]):
    """A dict as read: its keys are checked before anything is hashed."""


@dataclass
class _Marshal:
    data: bytes
    source: str
    at: int = 0
    refs: list[object] = field(default_factory=list)

    def fail(self, text: str, at: int | None = None) -> ParseError:
        return ParseError(self.source, text, offset=self.at if at is None else at)

    def take(self, size: int) -> bytes:
        end = self.at + size
        if size < 0 or end > len(self.data):
            raise self.fail(f"pstats cut short: {size:,} bytes expected, {len(self.data) - self.at:,} left")
        part, self.at = self.data[self.at : end], end
        return part

    def int32(self) -> int:
        return int.from_bytes(self.take(4), "little", signed=True)

    def value(self, depth: int = 0) -> object:
        start = self.at
        byte = self.take(1)[0]
        code = chr(byte & 0x7F)
        if depth > MAX_DEPTH:
            raise self.fail("nested deeper than a pstats file", start)
        if code in "({)":
            slot = -1
            if byte & 0x80:
                slot = len(self.refs)
                self.refs.append(_UNFINISHED)
            container = self.pairs(depth) if code == "{" else self.tuple_of(code, depth, start)
            if slot >= 0:
                self.refs[slot] = container
            return container
        if code == "r":
            return self.reference(start)
        result = self.scalar(code, start)
        if byte & 0x80 or code == "t":
            self.refs.append(result)
        return result

    def reference(self, start: int) -> object:
        index = self.int32()
        if not 0 <= index < len(self.refs):
            raise self.fail(f"reference {index} to nothing read so far", start)
        found = self.refs[index]
        # One dictionary or nested tuple named a thousand times would make a small file a huge one.
        if found is _UNFINISHED or isinstance(found, Pairs):
            raise self.fail("a reference to a dictionary; pstats files hold none", start)
        if isinstance(found, tuple) and any(isinstance(item, tuple | Pairs) for item in found):
            raise self.fail("a reference to a nested tuple; pstats files hold none", start)
        return found

    def pairs(self, depth: int) -> Pairs:
        result = Pairs()
        while True:
            if self.take(1) == b"0":
                return result
            self.at -= 1
            key = self.value(depth + 1)
            result.append((key, self.value(depth + 1)))

    def tuple_of(self, code: str, depth: int, start: int) -> tuple[object, ...]:
        size = self.take(1)[0] if code == ")" else self.int32()
        if not 0 <= size <= MAX_TUPLE:
            raise self.fail(f"a tuple of {size}; pstats files hold tuples of 3, 4 and 5", start)
        return tuple([self.value(depth + 1) for _ in range(size)])

    def scalar(self, code: str, start: int) -> object:
        match code:
            case "i":
                return self.int32()
            case "I":
                return int.from_bytes(self.take(8), "little", signed=True)
            case "l":
                return self.long(start)
            case "g":
                return float(struct.unpack("<d", self.take(8))[0])
            case "f":
                return self.float_text(start)
            case "u" | "t":
                return self.text(self.int32(), "utf-8", start)
            case "a" | "A":
                return self.text(self.int32(), "latin-1", start)
            case "z" | "Z":
                return self.text(self.take(1)[0], "latin-1", start)
            case "s":
                return self.text(self.int32(), "utf-8", start)
        what = "a code object; refused" if code == "c" else f"type code {code!r}, which no pstats file holds"
        raise self.fail(what, start)

    def text(self, size: int, encoding: str, start: int) -> str:
        if size > MAX_TEXT:
            raise self.fail(f"a name of {size:,} bytes", start)
        return clean(self.take(size).decode(encoding, errors="backslashreplace"))

    def long(self, start: int) -> int:
        digits = self.int32()
        if abs(digits) > 5:
            raise self.fail("a whole number of over 64 bits", start)
        size = sum((int.from_bytes(self.take(2), "little") & 0x7FFF) << (15 * i) for i in range(abs(digits)))
        return size if digits >= 0 else -size

    def float_text(self, start: int) -> float:
        text = self.take(self.take(1)[0])
        try:
            return float(text)
        except ValueError as error:
            raise self.fail(f"{text!r} is no number", start) from error


_UNFINISHED = object()


def _functions(reader: _Marshal) -> list[Row]:
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
            calls, primitive = (_calls(n, source, name) for n in numbers[:2])
            callers.append(
                (_key(caller, source), calls, primitive, nanoseconds(numbers[3], source, "a caller's total"))
            )
        elif isinstance(numbers, int):
            bare += 1
        else:
            raise ParseError(source, f"{name[2]!r}: expected (calls, calls, self, total) of a caller")
    first, second = (_calls(n, source, name) for n in value[:2])
    own = nanoseconds(value[2], source, f"self of {name[2]!r}")
    total = nanoseconds(value[3], source, f"total of {name[2]!r}")
    return Row(name, first, second, own, total, callers, bare)


def _calls(value: object, source: str, name: Key) -> int:
    return -1 if value == -1 else whole(value, source, f"calls of {name[2]!r}")


def _key(key: object, source: str) -> Key:
    if isinstance(key, tuple) and len(key) == 3:
        file, line, name = key
        if isinstance(file, str) and isinstance(line, int) and isinstance(name, str):
            return file, line, name
    raise ParseError(source, "a function is not named by (file, line, name)")


def _writer(rows: list[Row], source: str) -> Writer:
    """Who wrote it: -1 calls are pyinstrument's; `~` is cProfile's file of builtins; the pair's order decides else."""
    if any(row.first < 0 or row.second < 0 for row in rows):
        return "pyinstrument"
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
    builder = Builder("traced", (TIME_NS if writer == "yappi" else WALL_NS,))
    ids = {row.key: builder.frame(_function(builder, row.key)) for row in rows}
    everything = sum(row.self_ns for row in rows)
    impossible = 0
    for row in rows:
        frame = ids[row.key]
        builder.cost(frame, (row.self_ns,))
        if writer == "pyinstrument":
            continue
        calls, primitive = (row.first, row.second) if writer == "yappi" else (row.second, row.first)
        # A microsecond of slack: tools sum doubles in another order than we do.
        if row.total_ns > everything + 1000:
            impossible += 1
        else:
            builder.total(frame, calls, (row.total_ns,), primitive=primitive)
        for caller, times, primitive_times, total in row.callers:
            if caller not in ids:
                ids[caller] = builder.frame(_function(builder, caller))
            builder.call(ids[caller], frame, times, (total,), primitive=primitive_times)
    tool = {"cProfile": "cProfile or profile", "yappi": "yappi", "pyinstrument": "pyinstrument"}[writer]
    return finish(builder, Meta(NAME, source, tool=tool, warnings=_warnings(rows, writer, impossible)))


def _warnings(rows: list[Row], writer: Writer, impossible: int) -> tuple[str, ...]:
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
    bare = sum(row.bare_callers for row in rows)
    if bare:
        found.append(f"{bare} callers have a count but no time (written by `profile`): left out")
    over = sum(row.self_ns > row.total_ns + 1000 for row in rows)
    if over:
        found.append(f"{over} functions have more self than total time")
    return tuple(found)


def _refuse_mixed_threads(rows: list[Row], source: str) -> None:
    """cProfile of 3.12+ traces all threads into one stack: self is then kept, total lost, and neither is true.

    In 21 sound captures no function's self exceeds its total; in the mixed one 36 % of all self time does.
    """
    over = [row for row in rows if row.self_ns > row.total_ns + 1000]
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
    """`~` and a bare module with line 0 are builtins, that is native code."""
    file, line, name = key
    if file in ("~", "<built-in>"):
        return builder.function(name, runtime=NATIVE)
    if line == 0 and file.isidentifier():
        return builder.function(name, object=file, runtime=NATIVE)
    return builder.function(name, file=file, line=line_number(line), runtime=PYTHON)
