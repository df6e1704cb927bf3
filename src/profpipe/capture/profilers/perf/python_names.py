"""Python functions in a recording: CPython 3.13 and later compiles a stub per function and writes a file that names it.

PYTHON_PERF_JIT_SUPPORT=1 is `-X perf_jit`, and also reaches an interpreter behind a shell or a console script; older
ones ignore it. The interpreter always writes to /tmp/jit-PID.dump, and `perf inject` puts an object per function next
to it, so both are removed by the processes' numbers.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path

ENVIRONMENT: Mapping[str, str] = {"PYTHON_PERF_JIT_SUPPORT": "1"}
SINCE = (3, 13)
FOLDER = Path("/tmp")
LEFT = re.compile(r"(?:jit-|jitted-|perf-)(\d+)(?:\.dump|-\d+\.so|\.map)$")


def dump(pid: int) -> Path:
    return FOLDER / f"jit-{pid}.dump"


def writes_names(pids: Collection[int]) -> bool:
    """Whether one of these processes has mapped its dump, the only sign that its functions will have names."""
    for pid in pids:
        try:
            if str(dump(pid)) in Path(f"/proc/{pid}/maps").read_text():
                return True
        except OSError:
            continue
    return False


def clean(pids: Collection[int], since: float) -> None:
    """Remove the files of these processes in /tmp, theirs and perf's; nothing older than `since` or of another user."""
    for path in FOLDER.iterdir():
        found = LEFT.match(path.name)
        if found is None or int(found[1]) not in pids:
            continue
        try:
            info = path.lstat()
            if info.st_uid == os.geteuid() and info.st_mtime >= since:
                path.unlink()
        except OSError:
            continue
