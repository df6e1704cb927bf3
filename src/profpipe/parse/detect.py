"""Which format a capture is, by its content: a file renamed to anything gives the same answer."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import BinaryIO, Protocol, cast

from profpipe.errors import UnknownFormat, UsageError
from profpipe.model.profile import Profile
from profpipe.parse.reading import GZIP_MAGIC

# Asked in this order; folded is last because any text with a number at each line's end looks like it.
PARSERS = ("callgrind", "pstats", "yappi", "pyinstrument", "speedscope", "perf", "folded")
GROUP = "profpipe.parsers"
HEAD = 64 << 10
LONG_HEAD = 8 << 20


class Parser(Protocol):
    """One format. sniff: True = mine, False = not mine, None = more bytes are needed to tell."""

    NAME: str
    sniff: Callable[[bytes, str], bool | None]
    parse: Callable[[BinaryIO, str], Profile]


def load_parser(name: str) -> Parser:
    """The parser of that name, built in or from another package. Raises UsageError naming those there are."""
    if name in PARSERS:
        return cast("Parser", importlib.import_module(f"profpipe.parse.{name}"))
    for point in _others():
        if point.name == name:
            return cast("Parser", point.load())
    known = ", ".join((*PARSERS, *(point.name for point in _others())))
    raise UsageError(f"no format named {name!r}; there are: {known}")


def detect(head: bytes, filename: str = "", *, whole: bool = True) -> str | None:
    """The name of the format whose first bytes these are.

    None = a reader needs more bytes, which is only said when `whole` is False. Raises UnknownFormat, which lists the
    formats, when no reader knows it. Packages' parsers are asked only when no built-in one says yes.
    """
    source = filename or "input"
    if head.startswith(GZIP_MAGIC):
        raise UnknownFormat(source, "gzip inside gzip: only one layer is opened; gunzip it first")
    maybe = _ask(PARSERS, head, filename)
    if isinstance(maybe, str):
        return maybe
    if maybe and not whole:
        return None
    others = _ask([point.name for point in _others()], head, filename)
    if isinstance(others, str):
        return others
    hint = f"; it may be {' or '.join(maybe)}: name it to read it so" if maybe and not _is_json(head) else ""
    raise UnknownFormat(source, f"no known format{hint}. profpipe reads: {', '.join(PARSERS)}")


def _ask(names: Sequence[str], head: bytes, filename: str) -> str | list[str]:
    """The first that is sure, else those that cannot tell yet."""
    unsure = []
    for name in names:
        answer = load_parser(name).sniff(head, filename)
        if answer:
            return name
        if answer is None:
            unsure.append(name)
    return unsure


def _is_json(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"["))


def _others() -> list[EntryPoint]:
    """Parsers of other packages; a name that is built in is not theirs to take."""
    return sorted((p for p in entry_points(group=GROUP) if p.name not in PARSERS), key=lambda p: p.name)
