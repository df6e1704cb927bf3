"""Recordings that only their own tool reads, perf.data and flight recordings: it converts them, where it is installed.

This is for files that a user names on the command line, with --convert: without it, reading runs no command. The tool
gets no more than FILE_LIMIT bytes and TIME_LIMIT seconds, a folder of its own as its home, and no address from which to
fetch debug symbols.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from profpipe.errors import ParseError, UnknownFormat
from profpipe.model.profile import Profile
from profpipe.parse.reading import MAX_BYTES, open_capture
from profpipe.parse.registry import PARSERS

FILE_LIMIT = 2 << 30
TIME_LIMIT = 300.0


@dataclass(frozen=True, slots=True)
class Converter:
    """`command` prints the file, which it gets as its last argument, in the format that `parser` reads."""

    name: str
    magic: bytes
    command: tuple[str, ...]
    parser: str
    install: str


CONVERTERS = (
    # Looking up inlined calls starts a program per address and takes minutes.
    Converter("perf.data", b"PERFILE2", ("perf", "script", "--no-inline", "-i"), "perf", "apt install linux-perf"),
    Converter(
        "a Java flight recording",
        b"FLR\0",
        ("jfr", "print", "--json", "--events", "jdk.ExecutionSample", "--stack-depth", "256"),
        "jfr-json",
        "install a JDK, 14 or newer",
    ),
)


def parse_converted(path: Path, limit: int = MAX_BYTES) -> Profile | None:
    """The profile of a file that a tool has to convert; None for any other file. `limit` bounds both in bytes.

    Raises UnknownFormat, with the command, where the tool is missing, and ParseError, with the tool's own words, where
    it fails.
    """
    with open_capture(path, limit=limit) as raw:
        head = raw.read(8)
    converter = next((c for c in CONVERTERS if head.startswith(c.magic)), None)
    if converter is None:
        return None
    program = shutil.which(converter.command[0])
    if program is None:
        words = f"{converter.name}, which {converter.command[0]} must convert; it is missing: {converter.install}"
        raise UnknownFormat(path, f"{words}. Where it is installed, run: {' '.join(converter.command)} {path.name}")
    with tempfile.TemporaryDirectory(prefix="profpipe-") as folder:
        text = Path(folder) / "converted"
        _run([program, *converter.command[1:], str(path.resolve())], text, path)
        with open_capture(text, limit=min(limit, FILE_LIMIT)) as raw:
            return PARSERS.get(converter.parser).parse(raw, str(path))


def _run(command: list[str], text: Path, path: Path) -> None:
    environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(text.parent), "LC_ALL": "C", "DEBUGINFOD_URLS": ""}
    try:
        with text.open("wb") as out:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.PIPE,
                env=environment,
                cwd=text.parent,
                timeout=TIME_LIMIT,
                preexec_fn=_bounded,
                check=False,
            )
    except subprocess.TimeoutExpired as error:
        raise ParseError(path, f"{command[0]} did not convert it within {TIME_LIMIT:.0f} s") from error
    except OSError as error:
        raise ParseError(path, f"{command[0]} cannot be started: {error.strerror}") from error
    if done.returncode != 0 or not text.stat().st_size:
        words = done.stderr.decode(errors="backslashreplace").strip().splitlines()
        reason = "".join(sign if sign.isprintable() else " " for sign in " ".join(words[-3:]))[-300:]
        raise ParseError(path, f"{command[0]} cannot convert it: {reason or f'exit code {done.returncode}'}")


def _bounded() -> None:
    """In the tool's process: no file over the limit, so that a small recording cannot fill the disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, FILE_LIMIT))
