"""Interpreters of this machine besides the one that runs the tests: on the PATH, and those that pyenv keeps."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from profpipe.capture.server.python_version import version

NEWEST = 14


def pythons(since: tuple[int, int]) -> Iterator[str]:
    """CPythons of this version or later that run here, the oldest first on the PATH, then in pyenv's own folder."""
    for python in _all(since):
        if (version(python) or (0, 0)) >= since:
            yield python


def _all(since: tuple[int, int]) -> Iterator[str]:
    yield sys.executable
    names = [f"3.{minor}" for minor in range(since[1], NEWEST + 1)]
    for name in names:
        if (path := shutil.which(f"python{name}")) is not None:
            yield path
    kept = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    for name in names:
        yield from map(str, sorted(kept.glob(f"{name}.*/bin/python3")))
