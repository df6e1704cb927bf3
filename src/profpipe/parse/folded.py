"""Folded stacks, one `root;caller;leaf count` a line, as py-spy, FlameGraph's scripts, perf and inferno write them.

- py-spy raw: frames `name (file.py:line)`, with `--nolineno` `name (file.py)`, native ones `name (libc.so.6)`;
  `process 1:"command"` and `thread (1): name` come before them. A stack that could not be read is an empty one.
- FlameGraph and perf: bare names, `_[k]` kernel, `_[j]` just-in-time, `_[i]` inlined; a function without a symbol is
  its object in brackets, `[libc.so.6]` or `[[kernel.kallsyms]]`.
- Lines that begin with `# ` are comments. Our own exporter names the metric in one: `# profpipe metric: wall_ns ns`.

Values are samples unless such a comment names another metric. Counts may have decimals (FlameGraph's pattern allows
them); they are kept to a thousandth by counting in thousandths. The format says nowhere how many lines it holds, so a
file that was cut at the end of a line looks whole, and a count whose last digits are missing looks like a smaller one:
a last line without a line end is read, with a warning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import BinaryIO

from profpipe.errors import ParseError
from profpipe.model.build import Builder
from profpipe.model.profile import KERNEL, NATIVE, PYTHON, SYNTHETIC, Fact, Meta, Profile
from profpipe.parse.reading import INT64_MAX, PYTHON_FILES, TextLines, empty, finish, line_number, runtime_of
from profpipe.parse.stack_rows import EMPTY_FRAME, SYNTHETIC_NAMES, Place, StackRows
from profpipe.units import CPU_NS, SAMPLES, WALL_NS, Metric

NAME = "folded"
SAYS: frozenset[Fact] = frozenset({"self", "total", "edges", "stacks", "lines", "threads"})
RECORD = "py-spy record --format raw --pid PID"
METRICS = {m.key: m for m in (SAMPLES, WALL_NS, CPU_NS)}
SCALE = 1000
IN_THOUSANDTHS = "the counts of the file have decimals: each is shown times 1,000"
_LONG_LINE = 60_000

_METRIC = re.compile(r"# profpipe metric: (\w{1,40}) (\S{1,8})")
_AUSTIN = re.compile(r"(?:P\d{1,10};T[0-9A-Fa-f:]{1,40}|Process \d{1,10};Thread [^;]{1,40})(?:;|$)")
_PROCESS = re.compile(r'process (\d+)(?::"(.*?)")?(?:;|$)')
_THREAD = re.compile(r"thread \([^)]*\)(?:: .*)?")
_PLACE = re.compile(rb" \((?:[^\s():]{1,400}:-?\d{1,10}|[^\s():]{1,400}\.(?:so[.\d]*|pyw?|ipynb))\)$")
_ANNOTATION = re.compile(r"_\[([kjiw])\]")
_OBJECT = re.compile(r"[^\s():.][^\s():]*|\?")
_NO_SYMBOL = re.compile(r"\[(\[[^\s\[\]]+\]|[^\s\[\]]+\.so[.\d]*)\]")
_FRACTION = re.compile(r"(\d{1,19})\.(\d{0,40})", re.ASCII)


def sniff(head: bytes, _filename: str) -> bool | None:
    """True when every whole line of the head is a stack with its count; None when only single names were seen.

    A first line that is longer than the head is judged by what is there of it: None, more bytes are needed.
    """
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", errors="replace").encode()
    lines = head.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    if b"\0" in head:
        return False
    whole = [line.rstrip() for line in (lines[:-1] or lines) if line.strip()]
    stacks = [line for line in whole if not line.startswith(b"# ")]
    if not stacks:
        return False
    kinds = {_kind(line) for line in stacks}
    if len(lines) == 1 and kinds == {False} and b";" in head and len(head) >= _LONG_LINE:
        return None
    return False if False in kinds else (True if True in kinds else None)


def _kind(line: bytes) -> bool | None:
    """Plain string tests: a pattern with two `.*` takes minutes on a line of 60,000 semicolons."""
    path, space, count = line.rpartition(b" ")
    digits = count.replace(b",", b"").removeprefix(b"-")
    if not space or not digits.replace(b".", b"", 1).isdigit():
        return False
    return True if b";" in path or _PLACE.search(path) else None


def parse(raw: BinaryIO, source: str) -> Profile:
    """A sampled profile. ParseError names the line that is not a stack, and an empty file with what that may mean."""
    lines = TextLines(raw)
    walk = _Walk(source)
    for number, text in lines:
        if text.startswith("# "):
            walk.comment(text)
        elif text.strip():
            walk.stack(number, text.rstrip())
    if not lines.any:
        raise empty(source)
    return walk.profile(lines)


@dataclass
class _Walk:
    """The lines so far. Values are collected as whole numbers of the unit, or of thousandths once one has decimals."""

    source: str
    command: str = ""
    metric: Metric = SAMPLES
    two_numbers: int = 0
    lines: int = 0
    last: int = 0
    scale: int = 1

    def __post_init__(self) -> None:
        self.rows = StackRows(Builder("sampled", (SAMPLES,)))

    def comment(self, text: str) -> None:
        found = _METRIC.fullmatch(text)
        if found and found[1] in METRICS and not self.lines:
            self.metric = METRICS[found[1]]
            self.rows = StackRows(Builder("sampled", (self.metric,)))

    def stack(self, number: int, text: str) -> None:
        path, _, token = text.rpartition(" ")
        self.lines += 1
        self.last = number
        if _AUSTIN.match(path):
            words = "this line was written by austin, the first one was not: its beginning is missing"
            raise ParseError(self.source, words, line=number)
        self.two_numbers += path[-1:].isdigit() and path.rpartition(" ")[2].isdigit() and ";" in path
        thread = -1
        if path.startswith(("process ", "thread (")):
            path, thread = self.owner(path)
        # heaptrack ends every stack with a semicolon; the others take that for a frame that is left out, and so do we.
        self.rows.add(path.removesuffix(";") or path, (self.value(number, token, text),), thread, pyspy_frame)

    def owner(self, path: str) -> tuple[str, int]:
        """Take leading process and thread frames off; the innermost process and the thread make the thread's name."""
        process = ""
        while match := _PROCESS.match(path):
            self.command = self.command or match[2] or ""
            process, path = f"process {match[1]}", path[match.end() :]
        first, _, rest = path.partition(";")
        thread = ""
        if _THREAD.fullmatch(first):
            thread, path = first, rest
        label = " ".join(part for part in (process, thread) if part)
        return path, self.rows.thread(label) if label else -1

    def value(self, number: int, token: str, text: str) -> int:
        """The count of a line, in thousandths from the first line with decimals on."""
        whole, decimals = token, ""
        if fraction := _FRACTION.fullmatch(token):
            whole, decimals = fraction[1], fraction[2].rstrip("0")
        if not (whole.isascii() and whole.isdigit()):
            shown = text if len(text) <= 60 else text[:57] + "..."
            raise ParseError(self.source, f"expected `frame;frame count`, found {shown!r}", line=number)
        if len(whole) > 19 or int(whole) > INT64_MAX:
            raise ParseError(self.source, f"the count {token[:25]} does not fit 64 bits", line=number)
        if decimals and self.scale == 1:
            self.scale = SCALE
            self.rows.builder.rescale(
                SCALE, (replace(self.metric, about=IN_THOUSANDTHS, label=f"{self.metric.label} x 1,000"),)
            )
            self.rows.total *= SCALE
            self.rows.no_stack *= SCALE
        return int(whole) * self.scale + (round(int(decimals) * self.scale / 10 ** len(decimals)) if decimals else 0)

    def profile(self, lines: TextLines) -> Profile:
        if not self.lines:
            raise ParseError(self.source, "no stack in it: the profiler saw nothing in the window")
        if self.two_numbers == self.lines:
            raise ParseError(self.source, "two counts on every line: a difference of two profiles, not a profile")
        meta = Meta(format=NAME, source=self.source, command=self.command, threads=tuple(self.rows.threads))
        profile = finish(self.rows.builder, meta)
        warnings = [*lines.warnings(), *self.rows.doubts(profile)]
        if not lines.complete:
            warnings.append(f"the last line, {self.last:,}, has no line end: if the file was cut, its count is short")
        return replace(profile, meta=replace(meta, warnings=tuple(warnings)))


def pyspy_frame(text: str) -> Place:
    """`name (file:line)`, `name (object)` or a bare name, with FlameGraph's annotations taken off."""
    text = text.strip()
    # A position moves back instead of the text being cut: names of 15,000 annotations took seconds.
    end, kernel = len(text), False
    while match := _ANNOTATION.fullmatch(text, max(end - 4, 0), end):
        kernel |= match[1] == "k"
        end -= 4
        while end and text[end - 1].isspace():
            end -= 1
    text = text[:end]
    if not text:
        return Place(EMPTY_FRAME, runtime=SYNTHETIC)
    if text in SYNTHETIC_NAMES:
        return Place(text, runtime=SYNTHETIC)
    if unnamed := _NO_SYMBOL.fullmatch(text):
        inside = unnamed[1]
        return Place(text, object=inside, runtime=KERNEL if kernel or "kernel" in inside else NATIVE)
    name, inner = _split_place(text)
    file, colon, line = inner.rpartition(":")
    if colon and file and line.removeprefix("-").isdigit():
        runtime = KERNEL if kernel else runtime_of(file)
        return Place(name, file=file, line=line_number(line), runtime=runtime, torn=line.startswith("-"))
    if inner.endswith(PYTHON_FILES) or (inner.startswith("<") and inner.endswith(">")):
        return Place(name, file=inner, runtime=PYTHON)
    if inner and _OBJECT.fullmatch(inner):
        return Place(name, object=inner, runtime=KERNEL if kernel else NATIVE)
    return Place(text, runtime=KERNEL if kernel else NATIVE)


def _split_place(text: str) -> tuple[str, str]:
    """`name (inner)` at the last balanced parenthesis after a space; inner is "" where there is none."""
    if not text.endswith(")"):
        return text, ""
    depth = 0
    for at in range(len(text) - 1, 0, -1):
        depth += (text[at] == ")") - (text[at] == "(")
        if depth == 0:
            name = text[:at].rstrip()
            return (name, text[at + 1 : -1]) if text[at - 1] == " " and name else (text, "")
    return text, ""
