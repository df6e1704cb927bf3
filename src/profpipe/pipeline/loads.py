"""Finished results of load generators, without a study."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from profpipe.model.audit import Audit
from profpipe.model.run import LoadResult


def finished_load(path: Path, tool: str | None = None) -> tuple[LoadResult, Audit]:
    """What a result says, and what its own arithmetic says of it. LoadError names the file that cannot be read."""
    from profpipe.analyse.tables.load_audit import Seen, audit
    from profpipe.load.results import read_file

    found = read_file(path, tool)
    return found, audit([Seen(found.tool, found)])


def finished_load_lines(result: LoadResult, audit: Audit) -> Iterator[str]:
    """The result in words, a line for each fact, and a line for each check."""
    from profpipe.render.terminal.load import load_lines

    return load_lines(result, audit)
