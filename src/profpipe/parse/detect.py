"""Which format a capture is, by its content: a file renamed to anything gives the same answer."""

from __future__ import annotations

from collections.abc import Iterable

from profpipe.errors import UnknownFormat
from profpipe.parse.interface import Parser
from profpipe.parse.reading import GZIP_MAGIC, opens_json
from profpipe.parse.registry import PARSERS
from profpipe.plugins import Registry

HEAD = 64 << 10
LONG_HEAD = 8 << 20
RECORDED_OTHERWISE = (
    (b"PERFILE2", "this is perf's own binary file: convert it with perf script -i perf.data > perf.txt"),
    (b"<?xml", "a drawing holds no counts: record again, with --format raw for py-spy"),
    (b"<svg", "a drawing holds no counts: record again, with --format raw for py-spy"),
    (b"<!doctype html", "a page cannot be read: save the capture itself, for pyinstrument with -r pyisession"),
    (b'[{"args":', "Chrome's trace events cannot be read: record again, with --format speedscope for py-spy"),
    (b'{"traceEvents":', "Chrome's trace events cannot be read: record again, in one of the formats below"),
)


def detect(head: bytes, filename: str = "", *, whole: bool = True, parsers: Registry[Parser] = PARSERS) -> str | None:
    """The name of the format whose first bytes these are.

    None = a parser needs more bytes, which is only returned when `whole` is False. Raises UnknownFormat, which lists
    the formats, when no parser recognises it. Parsers of other packages are asked only when no built-in one says yes.
    """
    source = filename or "input"
    if head.startswith(GZIP_MAGIC):
        raise UnknownFormat(source, "gzip inside gzip: only one layer is opened; gunzip it first")
    maybe = _ask(((name, parsers.get(name)) for name in parsers.builtin), head, filename)
    if isinstance(maybe, str):
        return maybe
    if maybe and not whole:
        return None
    others = _ask(parsers.plugins(), head, filename)
    if isinstance(others, str):
        return others
    hint = _recorded_otherwise(head) or (
        f"; it may be {' or '.join(maybe)}: give --format to read it"
        if maybe and not opens_json(head, (b"{", b"["))
        else ""
    )
    broken = "".join(f"; {part}" for part in parsers.left_out())
    raise UnknownFormat(source, f"no known format{hint}. profpipe reads: {', '.join(parsers.names())}{broken}")


def _recorded_otherwise(head: bytes) -> str:
    """What to do about a file that a profiler wrote in a form that no parser reads; "" for any other file."""
    begins = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:32].lower()
    return next((f"; {what}" for first, what in RECORDED_OTHERWISE if begins.startswith(first.lower())), "")


def _ask(parsers: Iterable[tuple[str, Parser]], head: bytes, filename: str) -> str | list[str]:
    """The first that is sure, else those that need more bytes to decide."""
    unsure = []
    for name, parser in parsers:
        answer = parser.sniff(head, filename)
        if answer:
            return name
        if answer is None:
            unsure.append(name)
    return unsure
