"""Which files a server loads: it is started once, by itself, and asked by what its own loader prints."""

from __future__ import annotations

import os
import re
import signal
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from profpipe.capture.launch import prepare
from profpipe.capture.server.command import data_folder, is_python
from profpipe.capture.server.ports import choose_port, names_port
from profpipe.capture.server.process import Supervised
from profpipe.capture.server.ready import Waiting
from profpipe.errors import CaptureError
from profpipe.study.requests import Request
from profpipe.study.schema import Target

# What makes CPython and Node print every file that they load.
LOUD: Mapping[str, str] = {"PYTHONVERBOSE": "1", "NODE_DEBUG": "module"}
_PYTHON = re.compile(r"^# (?:\S.* matches (/.*\.py)|code object from '?(/.*\.py)'?)$")
_NODE = re.compile(r'^MODULE \d+: load "(/[^"]*)" for module')
_MAPPED = re.compile(r"(?:\S+\s+){5}(/.*)")


@dataclass(frozen=True, slots=True)
class Loaded:
    """`files` = source files and mapped files of all processes, and those that their command lines name.

    `program` = the file of the first process.
    """

    files: frozenset[str]
    program: str


def loaded_files(target: Target, root: Path, request: Request) -> Loaded | None:
    """What the server has loaded when it is ready; None where it does not get ready, which its runs will report."""
    said: set[str] = set()

    def listen(line: str) -> None:
        found = _PYTHON.match(line) or _NODE.match(line)
        if found is not None:
            said.add(next(part for part in found.groups() if part))

    port = choose_port(target)
    try:
        with tempfile.TemporaryDirectory(prefix="profpipe-loaded-") as raw, data_folder(target) as data:
            launch = prepare(target, port, root=root, raw=Path(raw), data=data, options={}, cpus=None)
            env = {**launch.env, **LOUD}
            with Supervised(launch.argv, env=env, cwd=launch.cwd, on_line=listen, data=data) as server:
                known = port if names_port(target) or target.port is not None else None
                Waiting(server, target, known, request, target.ready.timeout, data).wait()
                pids = list(server.tree())
                mapped = () if is_python(target) else [file for pid in pids for file in _mapped(pid)]
                named = [file for pid in pids for file in _named(pid)]
                program = _program(server.pid)
                server.stop(getattr(signal, target.stop), target.stop_timeout)
    except (CaptureError, OSError):
        return None
    return Loaded(frozenset(map(os.path.realpath, (*said, *mapped, *named))), program)


def _program(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/exe")  # noqa: PTH115 - a removed file's text must stay as it is
    except OSError:
        return ""


def _mapped(pid: int) -> Iterator[str]:
    for line in _lines(f"/proc/{pid}/maps", "\n"):
        if (found := _MAPPED.match(line)) is not None:
            yield found[1]


def _named(pid: int) -> Iterable[str]:
    """The files that a command line names, relative to the folder the process is in."""
    try:
        cwd = os.readlink(f"/proc/{pid}/cwd")  # noqa: PTH115
    except OSError:
        return []
    words = [word.rpartition("=")[2] for word in _lines(f"/proc/{pid}/cmdline", "\0")[1:]]
    return [path for word in words if word and Path(path := f"{cwd}/{word}" if word[0] != "/" else word).is_file()]


def _lines(path: str, end: str) -> list[str]:
    try:
        return Path(path).read_text("utf-8", "replace").split(end)
    except OSError:
        return []
