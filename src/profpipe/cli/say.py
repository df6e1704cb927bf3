"""The one place where the command line prints: text that shows what is hidden in it and no credential, and JSON."""

from __future__ import annotations

import io
import sys

from profpipe.characters import ESCAPE, visible_json, visible_lines


def say(text: object, *, err: bool = False, end: str = "\n") -> None:
    """Print text for people. Names of files, refs, answers of servers and errors may hold anything."""
    print(plain(str(text)), file=sys.stderr if err else sys.stdout, end=end, flush=True)


def say_json(text: str, *, end: str = "\n") -> None:
    """Print a JSON document: every value stays what it is."""
    print(visible_json(text), end=end, flush=True)


def plain(text: str) -> str:
    """Text for a terminal: without control characters and credentials."""
    from profpipe.credentials import hide  # its expressions take 4 ms to compile, which `--help` does not have

    return visible_lines(hide(text))


def accept_any_text() -> None:
    """Let stdout and stderr take every character: one that a terminal's encoding lacks is printed as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ESCAPE)
