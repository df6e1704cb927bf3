"""Which format a capture is, by its content: a file renamed to anything gives the same answer."""

from __future__ import annotations

import logging

from profpipe.errors import PartFailed, UnknownFormat
from profpipe.parse.interface import Parser
from profpipe.parse.other_formats import OtherFormat, other_format
from profpipe.parse.reading import opens_json
from profpipe.parse.registry import PARSERS
from profpipe.parse.unpack import layer
from profpipe.plugins import Registry

HEAD = 64 << 10
LONG_HEAD = 8 << 20


def detect(head: bytes, filename: str = "", *, whole: bool = True, parsers: Registry[Parser] = PARSERS) -> str | None:
    """The name of the format whose first bytes these are.

    None = a parser needs more bytes, which is only returned when `whole` is False. Parsers of other packages are asked
    only when no built-in one says yes. Raises UnknownFormat when no parser recognises the file: with the name of its
    format and what to do where that is known, else with the formats that are read.
    """
    source = filename or "input"
    if inner := layer(head):
        raise UnknownFormat(source, f"{inner} inside another compression: only one layer is opened; unpack it first")
    other = other_format(head, filename)
    if other and other.ask_first:
        raise _refused(source, other, parsers)
    maybe = _ask(parsers, list(parsers.builtin), head, filename)
    if isinstance(maybe, str):
        return maybe
    if maybe and not whole:
        return None
    others = _ask(parsers, [name for name, _ in parsers.plugins()], head, filename)
    if isinstance(others, str):
        return others
    if other:
        raise _refused(source, other, parsers)
    hint = (
        f"; it may be {' or '.join(maybe)}: give --format to read it"
        if maybe and not opens_json(head, (b"{", b"["))
        else ""
    )
    broken = "".join(f"; {part}" for part in parsers.left_out())
    raise UnknownFormat(source, f"no known format{hint}. profpipe reads: {', '.join(parsers.names())}{broken}")


def _refused(source: str, other: OtherFormat, parsers: Registry[Parser]) -> UnknownFormat:
    reads = ", ".join(parsers.names())
    return UnknownFormat(source, f"{other.name}. What to do: {other.do}. profpipe reads: {reads}")


def _ask(parsers: Registry[Parser], names: list[str], head: bytes, filename: str) -> str | list[str]:
    """The first that is sure, else those that need more bytes to decide. A plug-in that raises is named on stderr."""
    unsure = []
    for name in names:
        try:
            with parsers.blaming(name):
                answer = parsers.get(name).sniff(head, filename)
        except PartFailed as error:
            logging.getLogger(__name__).warning("%s", error)
            continue
        if answer:
            return name
        if answer is None:
            unsure.append(name)
    return unsure
