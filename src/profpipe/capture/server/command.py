"""A target's command: its placeholders filled in, the interpreter that runs it, its environment."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from profpipe.capture.server.process import inherited_environment
from profpipe.study.schema import Target

DATA = "{data}"


def fill(argv: tuple[str, ...], port: int, data: Path | None = None) -> tuple[str, ...]:
    """Fill in {port}, {python} and, where there is a folder for it, {data}; other braces are the target's own."""
    names = {"{port}": str(port), "{python}": sys.executable} | ({DATA: str(data)} if data is not None else {})
    return tuple(_filled(part, names) for part in argv)


def _filled(text: str, names: Mapping[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(name, value)
    return text


@contextmanager
def data_folder(target: Target) -> Iterator[Path | None]:
    """A new empty folder for a target whose command or environment has {data}, removed at the end; None for others.

    Give it to the server as well: its keeper removes the folder where we are killed.
    """
    if not any(DATA in text for text in (*target.command, *target.env.values())):
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="profpipe-data-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def is_python(target: Target) -> bool:
    """Whether the command is a Python program, by the target's `language` or else by its program."""
    if target.language != "other":
        return target.language == "python"
    return interpreter_of(target.command[0]) is not None


def interpreter_of(program: str, cwd: Path | None = None) -> str | None:
    """The Python interpreter that runs this program: itself, or the one its first line names. None = not Python."""
    if program == "{python}":
        return sys.executable
    if re.fullmatch(r"(python|pypy)\d*(\.\d+)*t?", Path(program).name):
        return program
    path = shutil.which(program if os.sep not in program or cwd is None else str(cwd / program))
    if path is None:
        return None
    try:
        with Path(path).open("rb") as file:
            first = file.readline(512)
    except OSError:
        return None
    found = re.match(rb"#!\s*(?:\S*/env\s+(?:-S\s+)?)?(\S*python[\d.]*t?)\b", first)
    return found[1].decode() if found else None


def environment(target: Target, port: int, data: Path | None = None) -> dict[str, str]:
    """The server's whole environment: the inherited names, the target's own, and a fixed hash seed for Python.

    Dict layouts follow the hash seed: with a random one instructions per request of one server differ by 1.6 %.
    """
    env = inherited_environment()
    if is_python(target):
        env["PYTHONHASHSEED"] = "0"
    return env | {name: fill((value,), port, data)[0] for name, value in target.env.items()}


def find_program(name: str, cwd: Path) -> str | None:
    """A program on the PATH; with a slash in it a file relative to cwd."""
    return shutil.which(str(cwd / name) if os.sep in name else name)


def interpreter(target: Target, root: Path | None = None) -> str | None:
    """The Python that runs this target, as a path that can be executed, or None."""
    cwd = (root / target.cwd) if root is not None else Path.cwd()
    found = interpreter_of(target.command[0], cwd)
    return None if found is None else find_program(found, cwd)
