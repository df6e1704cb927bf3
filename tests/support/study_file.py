"""Texts of profpipe.toml, and the mistakes that reading them reports."""

from __future__ import annotations

import os
from pathlib import Path

from profpipe.errors import ConfigError
from profpipe.study import LoadedFile, read_study_file

PROFILERS = ("clean", "callgrind", "yappi", "py-spy")
GENERATORS = ("builtin", "wrk", "h2load")
CATEGORIES = ("memcpy", "memset", "format")
SERVER = '[target.a]\ncommand = ["srv", "{port}"]\n'


def mistakes(folder: Path, text: str, name: str = "profpipe.toml") -> list[str]:
    """The lines of the refusal, without the folder; an empty list when the file holds."""
    try:
        read(folder, text, name)
    except ConfigError as error:
        return str(error).replace(f"{folder}{os.sep}", "").splitlines()
    return []


def read(folder: Path, text: str, name: str = "profpipe.toml") -> LoadedFile:
    path = folder / name
    path.write_bytes(text.encode())
    return read_study_file(path, profilers=PROFILERS, generators=GENERATORS, categories=CATEGORIES)
