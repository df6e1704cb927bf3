"""What a Go program says of itself: every binary that `go build` makes holds its Go version and its modules."""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from pathlib import Path

from profpipe.capture.server.command import find_program

# debug/buildinfo of Go's standard library: a header of 32 bytes, then two strings, each after its length (Go >= 1.18).
MAGIC, HEADER, INLINE = b"\xff Go buildinf:", 32, 2
# 16 bytes stand before and after the list of modules.
FENCE = 16
VERSION, MODULE = "Go", "Go module"


def go_program(program: str, cwd: Path) -> Mapping[str, str]:
    """Go's version and the path of the module of a program, as facts; empty where it is no Go program that says so."""
    path = find_program(program, cwd)
    if path is None:
        return {}
    try:
        with Path(path).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return _facts(content)
    except (OSError, ValueError):  # an empty file cannot be mapped
        return {}


def _facts(content: mmap.mmap) -> dict[str, str]:
    at = content.find(MAGIC)
    while at >= 0 and (at % 16 or not content[at + 15] & INLINE):
        at = content.find(MAGIC, at + 1)
    if at < 0:
        return {}
    version, at = _text(content, at + HEADER)
    modules, _ = _text(content, at)
    lines = [line.split("\t") for line in modules[FENCE:-FENCE].decode("utf-8", "replace").splitlines()]
    module = next((line[1] for line in lines if line[0] == "mod" and len(line) > 1), "")
    return {VERSION: version.decode("utf-8", "replace")} | ({MODULE: module} if module else {})


def _text(content: mmap.mmap, at: int) -> tuple[bytes, int]:
    """A text after its length as a variable-length number, and where it ends."""
    length = shift = 0
    while True:
        byte = content[at]
        length |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return content[at : at + length], at + length
