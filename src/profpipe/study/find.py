"""Which file is the study file."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path

from profpipe.errors import ConfigError

FILE_NAME = "profpipe.toml"
PYPROJECT = "pyproject.toml"
VARIABLE = "PROFPIPE_CONFIG"


def find_study_file(start: Path, explicit: Path | None = None) -> Path:
    """`explicit` (--config), else PROFPIPE_CONFIG, else the nearest of start and its parents up to the repository.

    Within a folder, profpipe.toml is preferred to a pyproject.toml with a [tool.profpipe] table. Outside a repository
    only `start` itself is searched: a study file holds commands, and one that somebody left in /tmp must not be run.
    Raises ConfigError naming every folder searched.
    """
    chosen = explicit or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if chosen is not None:
        return _given(start / chosen, "--config" if explicit else VARIABLE)
    looked = list(_folders(start.resolve()))
    for folder in looked:
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
        if _has_table(folder / PYPROJECT):
            return folder / PYPROJECT
    places = ", ".join(map(str, looked))
    raise ConfigError(
        f"no {FILE_NAME} and no [tool.profpipe] in a {PYPROJECT}; searched {places}. "
        f"`profpipe init` writes one; --config FILE names another"
    )


def _given(path: Path, source: str) -> Path:
    found = path / FILE_NAME if path.is_dir() else path
    if not found.is_file():
        raise ConfigError(f"{found}: no such file (named by {source})")
    return found.resolve()


def _folders(start: Path) -> Iterator[Path]:
    """start and its parents up to the folder that holds .git (a file in a worktree); only start without one."""
    lineage = [start, *start.parents]
    for depth, folder in enumerate(lineage):
        if (folder / ".git").exists():
            yield from lineage[: depth + 1]
            return
    yield start


def _has_table(pyproject: Path) -> bool:
    try:
        text = pyproject.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    try:
        tools = tomllib.loads(text).get("tool")
    except (ValueError, RecursionError):
        return "[tool.profpipe" in text  # broken, but meant for us: reading it says where it is broken
    return isinstance(tools, dict) and "profpipe" in tools
