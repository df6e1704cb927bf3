"""`git diff` text -> the changed lines of each file, and the functions that git's headings and the lines name.

unidiff 1.0 was tried instead. It refuses git's own diff of a path with ` b/` in it, leaves quoted paths quoted, loses a
hunk that was cut, and its errors have no line number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from profpipe.errors import CommitError

_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)$", re.DOTALL)
_ESCAPE = re.compile(r"\\([0-7]{3}|.)", re.DOTALL)
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
# A definition: a keyword that begins one, or, unindented as in C, `type name(` on a line that ends no statement.
_KEYWORD = re.compile(r"\b(?:def|fn|func|function|sub)\s+(?:\([^)]*\)\s*)?([A-Za-z_]\w*)")
_C_STYLE = re.compile(r"^(?:[A-Za-z_][\w:<>,~*&]*[\s*&]+)+(?:[\w<>]+::)*~?([A-Za-z_]\w*)\s*\(")
_STATEMENTS = frozenset({"if", "for", "while", "switch", "return", "else", "do", "sizeof", "case", "goto", "typedef"})
MAX_TEXT = 400
MAX_LINES = 2_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """A changed line: its number in the file of its own commit, and the function whose definition it begins, or ""."""

    number: int
    defines: str = ""


@dataclass(frozen=True, slots=True)
class Hunk:
    """Changed lines in one place. `heading` = the function that git names, the last one before the hunk."""

    heading: str
    removed: tuple[Line, ...]
    added: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """`before` or `after` is None for a new or deleted file. Binary files and submodules have no hunks."""

    before: str | None
    after: str | None
    hunks: tuple[Hunk, ...] = ()
    binary: bool = False
    submodule: bool = False

    @property
    def path(self) -> str:
        return self.after or self.before or ""


@dataclass(frozen=True, slots=True)
class Diff:
    """All changed files. `partial` = the text ends inside a hunk, because it was cut at its size limit."""

    files: tuple[ChangedFile, ...]
    partial: bool = False


@dataclass(slots=True)
class _Open:
    """The file being read."""

    before: str | None = None
    after: str | None = None
    hunks: list[Hunk] = field(default_factory=list)
    binary: bool = False
    submodule: bool = False

    def closed(self) -> ChangedFile:
        hunks = () if self.submodule or self.binary else tuple(self.hunks)
        return ChangedFile(self.before, self.after, hunks, self.binary, self.submodule)


def parse_diff(text: str) -> Diff:
    """Read `git diff` text (any -U, renames, quoted paths, CRLF inside lines). "" is a diff without changes.

    Raises CommitError with the line number for anything else: a combined diff of a merge, or a broken hunk.
    """
    files: list[ChangedFile] = []
    at: _Open | None = None
    lines = _Lines(text)
    for number, line in lines:
        if line.startswith("diff --git "):
            if at is not None:
                files.append(at.closed())
            at = _Open(*_paths(line[len("diff --git ") :]))
        elif line.startswith(("diff --cc ", "diff --combined ", "@@@")):
            raise CommitError(f"git diff, line {number}: a merge's combined diff; expected that of two commits")
        elif at is not None:
            _header(at, line, number, lines)
    if at is not None:
        files.append(at.closed())
    return Diff(tuple(files), lines.cut)


class _Lines:
    """Numbered lines, split at newlines only: form feeds and carriage returns are parts of a line."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        if self._lines[-1] == "":
            self._lines.pop()
        if len(self._lines) > MAX_LINES:
            self._lines, self.cut = self._lines[:MAX_LINES], True
        else:
            self.cut = False
        self._at = 0

    def __iter__(self) -> Iterator[tuple[int, str]]:
        while (line := self.next()) is not None:
            yield self._at, line

    def next(self) -> str | None:
        if self._at >= len(self._lines):
            return None
        self._at += 1
        return self._lines[self._at - 1]

    @property
    def number(self) -> int:
        return self._at


def _header(at: _Open, line: str, number: int, lines: _Lines) -> None:
    if line.startswith("@@ "):
        at.hunks.append(_hunk(line, number, lines))
    elif line.startswith("--- "):
        at.before = _side(line[4:])
    elif line.startswith("+++ "):
        at.after = _side(line[4:])
    elif line.startswith(("rename from ", "copy from ")):
        at.before = _unquoted(line.split(" from ", 1)[1])
    elif line.startswith(("rename to ", "copy to ")):
        at.after = _unquoted(line.split(" to ", 1)[1])
    elif line.startswith("new file mode"):
        at.before = None
    elif line.startswith("deleted file mode"):
        at.after = None
    elif line.startswith(("Binary files ", "GIT binary patch")):
        at.binary = True
    if line.startswith(("index ", "new file mode", "deleted file mode")) and line.endswith(" 160000"):
        at.submodule = True


def _hunk(line: str, number: int, lines: _Lines) -> Hunk:
    found = _HUNK.match(line)
    if found is None:
        raise CommitError(f"git diff, line {number}: expected `@@ -line,count +line,count @@`, found {line[:60]!r}")
    old, new = int(found[1]), int(found[3])
    left_old, left_new = (1 if n is None else int(n) for n in (found[2], found[4]))
    removed: list[Line] = []
    added: list[Line] = []
    while left_old > 0 or left_new > 0:
        text = lines.next()
        if text is None:
            lines.cut = True
            break
        sign = text[:1]
        if sign == "-" and left_old:
            removed.append(Line(old, defined_in(text[1:])))
            old, left_old = old + 1, left_old - 1
        elif sign == "+" and left_new:
            added.append(Line(new, defined_in(text[1:])))
            new, left_new = new + 1, left_new - 1
        elif sign in (" ", "") and left_old and left_new:
            old, new, left_old, left_new = old + 1, new + 1, left_old - 1, left_new - 1
        elif sign != "\\":
            expected = f"{left_old} removed and {left_new} added lines more"
            raise CommitError(f"git diff, line {lines.number}: expected {expected}, found {text[:60]!r}")
    return Hunk(defined_in(found[5]), tuple(removed), tuple(added))


def defined_in(text: str) -> str:
    """The name of the function whose definition this line (or hunk heading) begins; "" when it begins none.

    Git's heading is such a line. Unindented C is recognised by its shape, other languages by their keyword.
    """
    text = text[:MAX_TEXT].rstrip()
    found = _KEYWORD.search(text)
    if found is not None and not text.lstrip().startswith(("#", "//", "*", "/*")):
        return found[1]
    if text.endswith((";", "\\")) or text[:1].isspace():
        return ""
    found = _C_STYLE.match(text)
    if found is None or text.split(None, 1)[0] in _STATEMENTS:
        return ""
    return found[1]


def _side(text: str) -> str | None:
    """The path of a `---` or `+++` line; git adds a tab after a path with a space."""
    path = _unquoted(text.removesuffix("\t"))
    return None if path == "/dev/null" else _without_prefix(path)


def _without_prefix(path: str) -> str:
    return path[2:] if path[:2] in ("a/", "b/") else path


def _unquoted(text: str) -> str:
    """Undo git's quotes: `"a/\\303\\244.c"`."""
    if not (text.startswith('"') and text.endswith('"') and len(text) > 1):
        return text

    def plain(found: re.Match[str]) -> str:
        code = found[1]
        return chr(int(code, 8)) if len(code) == 3 else _PLAIN.get(code, code)

    raw = _ESCAPE.sub(plain, text[1:-1])
    # Octal escapes are bytes of UTF-8; what was not escaped is text already.
    parts = (c.encode("latin-1") if ord(c) < 256 else c.encode("utf-8", "surrogateescape") for c in raw)
    return b"".join(parts).decode("utf-8", "replace")


def _paths(text: str) -> tuple[str | None, str | None]:
    """Both paths of a `diff --git` line, for files without hunks; (None, None) where a space makes them ambiguous.

    Every other file has them again, each on a line of its own.
    """
    if text.startswith('"'):
        end = re.match(r'"(?:[^"\\]|\\.)*"', text)
        if end is None:
            return None, None
        first, second = end[0], text[end.end() + 1 :]
        return _without_prefix(_unquoted(first)), _without_prefix(_unquoted(second))
    half = len(text) // 2
    first, second = text[:half], text[half + 1 :]
    if text[half : half + 1] == " " and _without_prefix(first) == _without_prefix(second):
        return _without_prefix(first), _without_prefix(second)
    return None, None
