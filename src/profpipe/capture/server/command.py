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

from profpipe.capture.server.certificate import CERT, KEY, own_certificate, trust_of
from profpipe.capture.server.process import inherited_environment
from profpipe.study.schema import Target

DATA, SOCKET = "{data}", "{socket}"
PATH_MAX = 4096


def fill(argv: tuple[str, ...], port: int, data: Path | None = None) -> tuple[str, ...]:
    """Fill in {port}, {python} and, where there is a folder for them, {data} and {socket}; other braces stay.

    A certificate is made where {tls_cert} or {tls_key} is first asked for: CaptureError(start) where it cannot be.
    """
    names = {"{port}": str(port), "{python}": sys.executable}
    if data is not None:
        names |= {DATA: str(data), SOCKET: socket_path(data)}
    if any(CERT in part or KEY in part for part in argv):
        made = own_certificate()
        names |= {CERT: str(made.cert), KEY: str(made.key)}
    return tuple(_filled(part, names) for part in argv)


def socket_path(data: Path) -> str:
    """Where a target with {socket} listens: in its folder of data, which no other program uses."""
    return str(data / "socket")


def names_socket(target: Target) -> bool:
    """Whether the target listens at a unix socket."""
    return any(SOCKET in text for text in (*target.command, *target.env.values()))


def host_of(target: Target, data: Path | None) -> str:
    """Where a load reaches the target: the path of its unix socket, or an address."""
    return socket_path(data) if data is not None and names_socket(target) else target.host


def reached_in_words(target: Target) -> str:
    """`HTTP`, `https over IPv6`, `HTTP at a unix socket`."""
    trust = trust_of(target)
    over = " at a unix socket" if names_socket(target) else " over IPv6" if ":" in target.host else ""
    return ("HTTP" if trust is None else trust.words) + over


def _filled(text: str, names: Mapping[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(name, value)
    return text


@contextmanager
def data_folder(target: Target) -> Iterator[Path | None]:
    """A new empty folder for a target with {data} or {socket}, removed at the end; None for others.

    Give it to the server as well: its keeper removes the folder where we are killed.
    """
    if not names_socket(target) and not any(DATA in text for text in (*target.command, *target.env.values())):
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
            first, second = file.readline(512), file.readline(PATH_MAX)
    except OSError:
        return None
    found = re.match(rb"#!\s*(?:\S*/env\s+(?:-S\s+)?)?(\S*python[\d.]*t?)\b", first)
    if found is None and first.strip() == b"#!/bin/sh":
        return _of_shell_start(second.decode(errors="replace").strip(), Path(path))
    return found[1].decode() if found else None


def _of_shell_start(line: str, script: Path) -> str | None:
    """The interpreter that a console script hands over to by /bin/sh, where its own first line cannot name it.

    pip and uv write such a line where the interpreter's path is longer than 127 bytes or has a space, and uv in an
    environment that can be moved (`uv venv --relocatable`): there the interpreter lies next to the script.
    """
    if beside := re.fullmatch(
        r"""'''exec' "\$\(dirname -- "\$\(realpath -- "\$0"\)"\)"/'([^']+)' "\$0" "\$@\"""", line
    ):
        return str(script.resolve().parent / beside[1])
    if named := re.fullmatch(r"""'''exec' ('[^']+'|"[^"]+"|\S+) "\$0" "\$@\"""", line):
        return named[1].strip("'\"")
    return None


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
