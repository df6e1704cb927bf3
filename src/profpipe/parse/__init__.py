"""Readers: one file per format, each giving a checked Profile. Nothing here runs or unpickles what it reads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from profpipe.errors import ParseError, UsageError
from profpipe.model.profile import Profile
from profpipe.parse.detect import HEAD, LONG_HEAD
from profpipe.parse.detect import detect as _detect
from profpipe.parse.interface import Parser, PartsParser
from profpipe.parse.reading import MAX_BYTES, empty, open_capture
from profpipe.parse.registry import PARSERS

__all__ = ["PARSERS", "Parser", "detect_file", "parse_file", "parse_files"]

FilePath = str | os.PathLike[str]


def detect_file(path: FilePath, *, limit: int = MAX_BYTES) -> str:
    """The format of a capture, by its content. Raises UnknownFormat, or ParseError for an empty or unreadable file."""
    path = Path(path)
    head = _head(path, HEAD, limit)
    name = _detect(head, path.name, whole=len(head) < HEAD)
    if name is None:
        name = _detect(_head(path, LONG_HEAD, limit), path.name)
    assert name is not None
    return name


def _head(path: Path, size: int, limit: int) -> bytes:
    with open_capture(path, limit=limit) as raw:
        head = raw.read(size)
    if not head:
        raise empty(str(path))
    return head


def parse_file(path: FilePath, format: str | None = None, *, limit: int = MAX_BYTES) -> Profile:
    """Read one capture of at most `limit` bytes, unpacked.

    Raises ParseError, UnknownFormat, or UsageError for a format that does not exist.
    """
    path = Path(path)
    name = format or detect_file(path, limit=limit)
    parser = PARSERS.get(name)
    with open_capture(path, limit=limit) as raw, PARSERS.blaming(name):
        return parser.parse(raw, str(path))


def parse_files(paths: Sequence[FilePath], format: str | None = None, *, limit: int = MAX_BYTES) -> Profile:
    """Read the parts of one capture, each of at most `limit` bytes: callgrind's dumps, threads and children.

    Raises UsageError when a format that has no parts is given more than one file.
    """
    if not paths:
        raise UsageError("no file to read")
    if len(paths) == 1:
        return parse_file(paths[0], format, limit=limit)
    name = format or _format_of_parts(paths, limit)
    parser = PARSERS.get(name)
    if not isinstance(parser, PartsParser):
        raise UsageError(f"{name} captures are one file each; {len(paths)} were given: read them one by one")
    with ExitStack() as stack:
        parts = [(stack.enter_context(open_capture(Path(path), limit=limit)), str(path)) for path in paths]
        with PARSERS.blaming(name):
            return parser.parse_parts(parts)


def _format_of_parts(paths: Sequence[FilePath], limit: int) -> str:
    """The format of the first part that is not empty: callgrind's main file is, when each thread has its own."""
    for path in paths:
        try:
            return detect_file(path, limit=limit)
        except ParseError:
            if Path(path).stat().st_size:
                raise
    raise empty(str(paths[0]))
