"""The part of Python's marshal format that pstats files hold, read by a reader of our own.

The bytes are never given to the standard library's marshal: damaged files crash the interpreter there. Type codes and
the layouts of code objects: CPython's Python/marshal.c, 2.7 to 3.14.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from profpipe.errors import ParseError
from profpipe.parse.reading import clean

MAX_DEPTH = 5  # {function: (.., {caller: (..)})} needs five
NAME_DEPTH = 2  # a name is an item of a key of the dictionary
MAX_CODE_DEPTH = 30  # functions within functions, in the constants of a code object
MAX_TUPLE = 5
MAX_TEXT = 1 << 16
KEPT = 0x80  # the flag of a type code: later references may name this object
_INT32, _INT64, _DOUBLE = struct.Struct("<i"), struct.Struct("<q"), struct.Struct("<d")
_NUMBERS = {"i": _INT32, "g": _DOUBLE}
_CODES = [chr(code) for code in range(KEPT)]


class Pairs(list[tuple[object, object]]):
    """A dict as read: its keys are checked before anything is hashed."""


@dataclass
class Marshalled:
    data: bytes
    source: str
    at: int = 0
    refs: list[object] = field(default_factory=list)
    layout: Layout | None = None

    def fail(self, text: str, at: int | None = None) -> ParseError:
        return ParseError(self.source, text, offset=self.at if at is None else at)

    def take(self, size: int) -> bytes:
        end = self.at + size
        if size < 0 or end > len(self.data):
            raise self.fail(f"pstats cut short: {size:,} bytes expected, {len(self.data) - self.at:,} left")
        part, self.at = self.data[self.at : end], end
        return part

    def number(self, kind: struct.Struct) -> int | float:
        try:
            found: int | float = kind.unpack_from(self.data, self.at)[0]
        except struct.error:
            self.take(kind.size)  # says that the file is cut short
            raise
        self.at += kind.size
        return found

    def int32(self) -> int:
        return int(self.number(_INT32))

    def value(self, depth: int = 0) -> object:
        start = self.at
        byte = self.take(1)[0]
        # First what nearly all values of a file are: references, whole numbers, times.
        code = _CODES[byte & 0x7F]
        if code in _NUMBERS and byte < KEPT:
            return self.number(_NUMBERS[code])
        # R refers to an interned text of Python 2, where nothing but these texts is kept.
        if code in "rR":
            return self.reference(start)
        if depth > MAX_DEPTH:
            raise self.fail("nested deeper than a pstats file", start)
        if code in "({)":
            slot = -1
            if byte & KEPT:
                slot = len(self.refs)
                self.refs.append(_UNFINISHED)
            if code == "{":
                return self.pairs(depth)
            container = self.tuple_of(code, depth, start)
            if slot >= 0:
                self.refs[slot] = _NESTED if any(isinstance(item, tuple | Pairs) for item in container) else container
            return container
        if code == "c":
            if depth < NAME_DEPTH:
                raise self.fail("a code object where no function's name can be; refused", start)
            return self.code_object(bool(byte & KEPT), start)
        result = self.scalar(code, start)
        if byte & KEPT or code == "t":
            self.refs.append(result)
        return result

    def reference(self, start: int) -> object:
        index = self.int32()
        if not 0 <= index < len(self.refs):
            raise self.fail(f"reference {index} to nothing read so far", start)
        found = self.refs[index]
        # One dictionary or nested tuple named a thousand times would make a small file a huge one.
        if found is _UNFINISHED:
            raise self.fail("a reference to a dictionary; pstats files hold none", start)
        if found is _NESTED:
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
                return self.number(_INT64)
            case "l":
                return self.long(start)
            case "g":
                return self.number(_DOUBLE)
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
        raise self.fail(f"type code {code!r}, which no pstats file holds", start)

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

    def code_object(self, kept: bool, start: int) -> CodeName:
        """The name of a code object, whose other parts are passed over. `profile` uses one as a function's name."""
        slot = len(self.refs)
        if kept:
            self.refs.append(_UNFINISHED)
        before = self.at, len(self.refs)
        for layout in LAYOUTS if self.layout is None else (self.layout,):
            self.at = before[0]
            del self.refs[before[1] :]
            # A code object in the constants of this one has the same layout.
            self.layout = layout
            try:
                name = self.code_parts(layout, 0)
            except ParseError:
                self.layout = None
                continue
            if kept:
                self.refs[slot] = name
            return name
        raise self.fail("a code object of no Python from 2.7 to 3.14", start)

    def code_parts(self, layout: Layout, depth: int) -> CodeName:
        if depth > MAX_CODE_DEPTH:
            raise self.fail("a code object nested too deep")
        self.take(4 * layout.numbers)
        parts = [self.passed(depth, layout) for _ in layout.kinds]
        for part, kind in zip(parts, layout.kinds, strict=True):
            if not isinstance(part, kind):
                raise self.fail("not the parts of a code object")
        self.take(4)
        for _ in range(layout.tail):
            self.passed(depth, layout)
        name = parts[layout.name]
        return CodeName(name.decode(errors="backslashreplace") if isinstance(name, bytes) else str(name))

    def passed(self, depth: int, layout: Layout) -> object:
        """One object of a code object: only its kind matters, and the texts."""
        start = self.at
        byte = self.take(1)[0]
        code = chr(byte & 0x7F)
        if code in "rR":
            index = self.int32()
            if not 0 <= index < len(self.refs):
                raise self.fail(f"reference {index} to nothing read so far", start)
            return self.refs[index]
        slot = -1
        if byte & KEPT or code == "t":
            slot = len(self.refs)
            self.refs.append(_UNFINISHED)
        found = self.passed_value(code, depth, layout, start)
        if slot >= 0:
            self.refs[slot] = found
        return found

    def passed_value(self, code: str, depth: int, layout: Layout, start: int) -> object:
        if code in "NTFS.":
            return None
        if code in "()[<>":
            size = self.take(1)[0] if code == ")" else self.int32()
            if not 0 <= size <= len(self.data) - self.at or depth > MAX_CODE_DEPTH:
                raise self.fail("a container larger than the file, or nested too deep", start)
            for _ in range(size):
                self.passed(depth + 1, layout)
            return ()
        if code == "c":
            return self.code_parts(layout, depth + 1)
        if code == "y":
            return self.take(16)
        if code == "s":
            return self.take(self.int32())
        return self.scalar(code, start)


# In the place of what must not be referred to: a dictionary, or a container that is still being read; a nested tuple.
_UNFINISHED, _NESTED = object(), object()


class CodeName(str):
    """The name of a code object in the place of a function's name."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A code object of some versions: whole numbers, parts of these kinds, a line number, more parts."""

    numbers: int
    kinds: tuple[type | tuple[type, ...], ...]
    name: int
    tail: int


_OLD = (bytes, tuple, tuple, tuple, tuple, tuple, (str, bytes), (str, bytes))
_NEW = (bytes, tuple, tuple, tuple, bytes, str, str, str)
# 3.8 to 3.10, 3.11 and later, 3.0 to 3.7, 2.7
LAYOUTS = (Layout(6, _OLD, 7, 1), Layout(5, _NEW, 6, 2), Layout(5, _OLD, 7, 1), Layout(4, _OLD, 7, 1))
