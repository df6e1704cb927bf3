"""Recordings that only their own tool reads, such as perf.data: it converts them, where it is installed.

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
from dataclasses import dataclass, replace
from pathlib import Path

from profpipe.errors import ParseError, UnknownFormat
from profpipe.model.profile import Profile
from profpipe.parse.heap_frames import PEAK_BYTES
from profpipe.parse.reading import MAX_BYTES, open_capture
from profpipe.parse.registry import PARSERS
from profpipe.units import Metric

FILE_LIMIT = 2 << 30
TIME_LIMIT = 300.0
FILE, OUT = "FILE", "OUT"


@dataclass(frozen=True, slots=True)
class Converter:
    """`command` gives the recording, FILE in it, in the format that `parser` reads: printed, or written to OUT.

    `magic` is how the file begins, and `mark` what its first bytes hold besides. `metric` = what the values are, where
    that format does not say it.
    """

    name: str
    magic: bytes
    command: tuple[str, ...]
    parser: str
    install: str
    mark: bytes = b""
    metric: Metric | None = None

    def fits(self, head: bytes) -> bool:
        return head.startswith(self.magic) and self.mark in head

    def filled(self, file: str, out: str) -> list[str]:
        return [{FILE: file, OUT: out}.get(word, word) for word in self.command]


HEAPTRACK = ("heaptrack_print", "--flamegraph-cost-type", "peak", "-F", OUT, "-f", FILE)
CONVERTERS = (
    # Looking up inlined calls starts a program per address and takes minutes.
    Converter(
        "perf.data", b"PERFILE2", ("perf", "script", "--no-inline", "-i", FILE), "perf", "apt install linux-perf"
    ),
    Converter(
        "a Java flight recording",
        b"FLR\0",
        ("jfr", "print", "--json", "--events", "jdk.ExecutionSample", "--stack-depth", "256", FILE),
        "jfr-json",
        "install a JDK, 14 or newer",
    ),
    # The recording is an lz4 frame whose first block begins with the name.
    Converter(
        "a recording of memray",
        b"\x04\x22\x4d\x18",
        ("memray", "transform", "speedscope", "-f", "-o", OUT, FILE),
        "speedscope",
        "pip install memray, 1.17 or newer",
        mark=b"memray\0",
    ),
    *(
        Converter("data of heaptrack", magic, HEAPTRACK, "folded", "apt install heaptrack", metric=PEAK_BYTES)
        for magic in (b"\x28\xb5\x2f\xfd", b"v 1")
    ),
)


def parse_converted(path: Path, limit: int = MAX_BYTES) -> Profile | None:
    """The profile of a file that a tool has to convert; None for any other file. `limit` bounds both in bytes.

    Raises UnknownFormat, with the command, where the tool is missing, and ParseError, with the tool's own words, where
    it fails.
    """
    with open_capture(path, limit=limit) as raw:
        head = raw.read(64)
    converter = next((c for c in CONVERTERS if c.fits(head)), None)
    if converter is None:
        return None
    program = shutil.which(converter.command[0])
    if program is None:
        words = f"{converter.name}, which {converter.command[0]} must convert; it is missing: {converter.install}"
        raise UnknownFormat(
            path, f"{words}. Where it is installed, run: {' '.join(converter.filled(path.name, 'OUT'))}"
        )
    with tempfile.TemporaryDirectory(prefix="profpipe-") as folder:
        text = Path(folder) / "converted"
        command = converter.filled(str(path.resolve()), str(text))
        _run([program, *command[1:]], Path(folder) / "printed" if OUT in converter.command else text, text, path)
        with open_capture(text, limit=min(limit, FILE_LIMIT)) as raw:
            profile = PARSERS.get(converter.parser).parse(raw, str(path))
        return _measured_in(converter.metric, profile) if converter.metric else profile


def _measured_in(metric: Metric, profile: Profile) -> Profile:
    """The profile with its only metric taken for `metric`."""
    assert profile.samples is not None
    (old,) = profile.metrics
    samples = replace(profile.samples, values={metric.key: profile.samples.values[old.key]})
    return replace(profile, metrics=(metric,), samples=samples)


def _run(command: list[str], printed: Path, text: Path, path: Path) -> None:
    environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(text.parent), "LC_ALL": "C", "DEBUGINFOD_URLS": ""}
    try:
        with printed.open("wb") as out:
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
    if done.returncode != 0 or not text.exists() or not text.stat().st_size:
        words = done.stderr.decode(errors="backslashreplace").strip().splitlines()
        reason = "".join(sign if sign.isprintable() else " " for sign in " ".join(words[-3:]))[-300:]
        raise ParseError(path, f"{command[0]} cannot convert it: {reason or f'exit code {done.returncode}'}")


def _bounded() -> None:
    """In the tool's process: no file over the limit, so that a small recording cannot fill the disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, FILE_LIMIT))
