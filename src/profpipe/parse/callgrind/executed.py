"""The lines of source that ran, per function and file, which a profile does not have.

A second reader, on purpose: that of the profile (`run.py`) works on whole columns of numbers, sums the lines of a
function, and never looks at one line, which makes it fast. Keeping lines there would multiply the rows of every
profile, and only `profpipe diff` asks for them, of the few files that a commit changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import BinaryIO

from profpipe.errors import ParseError
from profpipe.model.lines import FunctionLines

_NAME = re.compile(rb"(c?(?:fn|fi|fe|fl|ob))=(?:\((\d+)\))?[ \t]*(.*)$")
_RECURSION = re.compile(r"'[1-9][0-9]*$")
_SPACES = {b"fn": "fn", b"cfn": "fn", b"fl": "file", b"fi": "file", b"fe": "file", b"cfi": "file", b"cfl": "file"}
# A line table has no more: what is over it is damage, and would only cost memory.
MAX_LINES = 5_000_000
MAX_LINE = 1 << 24


def executed_lines(
    parts: Iterable[tuple[BinaryIO, str]], wanted: Callable[[str], bool] = lambda _: True
) -> tuple[FunctionLines, ...]:
    """Lines with a cost, of the files whose path `wanted` accepts, over the parts of one capture.

    Line 0 is code without debug information and is left out. Raises ParseError for a capture without line positions
    (`--dump-line=no`), or for a position that is no number.
    """
    found: dict[tuple[str, str, str], set[int]] = {}
    for raw, source in parts:
        _Reader(source, wanted, found).read(raw)
    return tuple(FunctionLines(*key, frozenset(lines)) for key, lines in found.items() if lines)


class _Reader:
    def __init__(self, source: str, wanted: Callable[[str], bool], found: dict[tuple[str, str, str], set[int]]) -> None:
        self._source, self._wanted, self._found = source, wanted, found
        self._texts: dict[str, dict[bytes, str]] = {"fn": {}, "file": {}}
        self._asked: dict[str, bool] = {}
        self._file = self._home = self._function = ""
        self._column, self._columns = 0, 1
        self._last = 0
        self._size = 0

    def read(self, raw: BinaryIO) -> None:
        into: set[int] | None = None
        call = False
        for number, line in enumerate(raw, 1):
            head = line[:1]
            if head.isdigit() or (head in b"+-*" and line[1:2].isdigit()) or head == b"*":
                place = self._position(line, number)
                if into is not None and place > 0 and not call:
                    into.add(place)
                    self._bounded(number)
                call = False
            elif line.startswith(b"calls="):
                call = True
            elif line.startswith(b"positions:"):
                self._positions(line, number)
            elif (named := _NAME.match(line.rstrip(b"\r\n"))) is not None:
                self._named(named)
                into = self._lines()

    def _positions(self, line: bytes, number: int) -> None:
        words = line.split(b":", 1)[1].split()
        if b"line" not in words:
            raise ParseError(self._source, "no line positions here: run callgrind without --dump-line=no", line=number)
        self._column, self._columns = words.index(b"line"), len(words)

    def _position(self, line: bytes, number: int) -> int:
        """The line of a cost line, absolute, or relative (`+3`, `-2`, `*`) to the cost line before it."""
        words = line.split(None, self._columns)
        word = words[self._column] if len(words) > self._column else b""
        try:
            if word != b"*":
                self._last = self._last + int(word) if word[:1] in b"+-" else int(word)
        except ValueError:
            raise ParseError(self._source, f"expected a line number, found {word[:20]!r}", line=number) from None
        return self._last if self._last <= MAX_LINE else 0

    def _named(self, named: re.Match[bytes]) -> None:
        kind, key, text = named[1], named[2], named[3]
        space = _SPACES.get(kind)
        if space is None:
            return
        name = text.decode("utf-8", "backslashreplace")
        if key is not None:
            if text:
                self._texts[space][key] = name
            name = self._texts[space].get(key, "")
        if kind == b"fn":
            self._function, self._home = _RECURSION.sub("", name), self._file
        elif kind in (b"fl", b"fi", b"fe"):
            self._file = "" if name == "???" else name

    def _lines(self) -> set[int] | None:
        asked = self._asked.get(self._file)
        if asked is None:
            asked = self._asked[self._file] = bool(self._file) and self._wanted(self._file)
        return self._found.setdefault((self._function, self._home, self._file), set()) if asked else None

    def _bounded(self, number: int) -> None:
        self._size += 1
        if self._size > MAX_LINES:
            raise ParseError(self._source, f"more than {MAX_LINES:,} lines with costs", line=number)
