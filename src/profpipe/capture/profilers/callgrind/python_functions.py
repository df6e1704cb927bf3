"""Instructions per Python function: from CPython 3.12 on each function can have a piece of code of its own.

PYTHONPERFSUPPORT=1 (`-X perf`) gives every Python function a trampoline, through which all its calls go, and writes
/tmp/perf-PID.map, which names them (docs.python.org/3/howto/perf_profiling.html). callgrind shows a trampoline, which
has no symbol, under its address, splits the interpreter's loop by the trampoline that called it, and every C function
by the CALLERS functions above it: those that are reached from a loop within that many calls count for its function.

On a program with known counts the calls were exact, and instructions 4 % more than without trampolines.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from profpipe.capture.interface import Launch, Written
from profpipe.capture.profilers.callgrind.options import chosen
from profpipe.capture.server.command import find_program, interpreter_of, is_python
from profpipe.capture.server.python_version import has_trampolines
from profpipe.errors import UsageError

LOOP = "_PyEval_EvalFrameDefault"
CALLERS = 20
FLAGS = (f"--separate-callers={CALLERS}", f"--separate-callers1={LOOP}")
ENVIRONMENT: Mapping[str, str] = {"PYTHONPERFSUPPORT": "1"}
FOLDER = Path("/tmp")
DUMP = re.compile(r"callgrind\.out\.(\d+)")


def wanted(launch: Launch) -> bool:
    """Whether this run counts Python functions. Raises UsageError for a value of the option that does not exist."""
    asked = check(chosen(launch.options)["python_functions"])
    if asked is False or not is_python(launch.target):
        return False
    found = interpreter_of(launch.argv[0], launch.cwd)
    python = None if found is None else find_program(found, launch.cwd)
    return python is not None and has_trampolines(python)


def check(asked: str | int | float | bool) -> bool | None:
    """None = where the interpreter can."""
    if asked == "auto":
        return None
    if isinstance(asked, bool):
        return asked
    raise UsageError(f"callgrind has no python_functions {asked!r}; it takes: auto, true, false")


def keep_maps(pids: Collection[int], since: float, raw: Path) -> list[Path]:
    """Copy the maps of these processes while they live: CPython removes a map when its process ends."""
    found = []
    for pid in sorted(pids):
        path = FOLDER / f"perf-{pid}.map"
        if _ours(path, since):
            found.append(Path(shutil.copyfile(path, raw / path.name)))
    return found


def with_maps(dumps: Sequence[Written], maps: Sequence[Path]) -> tuple[Written, ...]:
    """The dumps, each with the map of its process; the other maps are removed."""
    pids = {found[1] for dump in dumps if (found := DUMP.match(dump.path.name))}
    files = list(dumps)
    for path in maps:
        if path.name.removeprefix("perf-").removesuffix(".map") in pids:
            files.append(Written(path, "callgrind"))
        else:
            path.unlink()
    return tuple(files)


def counted(raw: Path) -> set[int]:
    """Processes that valgrind has opened a file for, also those that ended before the window closed."""
    return {int(found[1]) for path in raw.glob("callgrind.out.*") if (found := DUMP.match(path.name))}


def remove_maps(pids: Collection[int], since: float) -> None:
    for pid in pids:
        path = FOLDER / f"perf-{pid}.map"
        if _ours(path, since):
            path.unlink(missing_ok=True)


def _ours(path: Path, since: float) -> bool:
    """Whether a process of ours wrote it since then: numbers of processes come again, and others can write to /tmp."""
    try:
        info = path.lstat()
    except OSError:
        return False
    return info.st_uid == os.geteuid() and info.st_mtime >= since - 1 and not path.is_symlink()
