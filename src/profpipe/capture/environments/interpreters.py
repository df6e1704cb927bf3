"""Which Python an environment is made with."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from profpipe.errors import UsageError

ASK_SECONDS = 30.0
ABOUT = (
    "import platform, sys; print(sys.base_prefix, platform.python_implementation(), sys.version, platform.machine())"
)


def find_interpreter(named: str, cwd: Path, home: Path | None) -> str:
    """The interpreter by a path, a name (`python3.12`) or a version (`3.12`).

    Without a name it is the one of the user's own `.venv` in `home`, else the first `python3` on the PATH that runs.
    Raises UsageError when there is none.
    """
    if named:
        return _named(named, cwd)
    own = home / ".venv/bin/python" if home is not None else None
    for candidate in (str(own) if own is not None else "", shutil.which("python3") or "", sys.executable):
        if candidate and about(candidate) is not None:
            return candidate
    raise UsageError("no Python was found to make an environment with: set `environment.python` of the target")


def _named(named: str, cwd: Path) -> str:
    version = re.fullmatch(r"(\d+\.\d+)(\.\d+)?", named)
    candidates = [f"python{version[1]}", *_of_pyenv(named)] if version else [named]
    for candidate in candidates:
        path = str(cwd / candidate) if os.sep in candidate else shutil.which(candidate)
        found = about(path) if path else None
        if path and found is not None and (version is None or f" {named}" in found):
            return path
    raise UsageError(f"no Python {named} was found ({', '.join(candidates)}): install it, or name another one")


def _of_pyenv(version: str) -> list[str]:
    """Interpreters of pyenv and uv, which do not have to be on the PATH."""
    root = Path(os.environ.get("PYENV_ROOT") or Path("~/.pyenv").expanduser())
    managed = Path("~/.local/share/uv/python").expanduser()
    found = [*root.glob(f"versions/{version}*/bin/python"), *managed.glob(f"cpython-{version}*/bin/python3")]
    return [str(path) for path in sorted(found, reverse=True)]


@cache
def about(python: str) -> str | None:
    """What an interpreter says of itself: where it is installed, its version and build; None when it does not run."""
    try:
        done = subprocess.run(
            [python, "-S", "-c", ABOUT],
            capture_output=True, text=True, timeout=ASK_SECONDS, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
