"""Readers of what load generators print when they have finished: a file for each tool, all giving a LoadResult."""

from __future__ import annotations

from pathlib import Path

from profpipe.errors import LoadError
from profpipe.load.results.registry import RESULTS
from profpipe.model.run import LoadResult

MOST_BYTES = 64 << 20

__all__ = ["RESULTS", "read_file", "read_text"]


def read_text(text: str, tool: str | None = None) -> LoadResult:
    """The result in a tool's text; None = the first reader that recognises it.

    LoadError where no reader does, or where the text is not what its tool writes.
    """
    if tool is not None:
        return RESULTS.get(tool).read(text)
    for _, reader in RESULTS.parts():
        if reader.recognises(text):
            return reader.read(text)
    start = text.strip()[:80]
    known = ", ".join(RESULTS.names())
    raise LoadError(f"no known load generator writes this: it begins with {start!r}; profpipe reads: {known}")


def read_file(path: Path, tool: str | None = None) -> LoadResult:
    """As `read_text`, of a file. LoadError names the file."""
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise LoadError(f"{path}: {size:,} bytes are too many for a load's result; the limit is {MOST_BYTES:,}")
        return read_text(path.read_text(encoding="utf-8", errors="replace"), tool)
    except OSError as error:
        raise LoadError(f"{path}: cannot be read: {error.strerror}") from error
    except LoadError as error:
        raise error if str(error).startswith(str(path)) else LoadError(f"{path}: {error}") from error
