"""What pyproject.toml and requirements files say: tasks that start the server, and the packages that it needs."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from profpipe.pipeline.project.files import lines_of

# Where tools keep the commands of a project, and what one that starts the server is called.
TASKS = (
    "tool.pdm.scripts",
    "tool.poe.tasks",
    "tool.taskipy.tasks",
    "tool.rye.scripts",
    "tool.hatch.envs.default.scripts",
)
SERVES = ("serve", "server", "start", "web", "prod", "run")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def tasks(root: Path) -> Iterator[tuple[str, str]]:
    """(where, the command for a shell) of each task that starts a server by its name, and of FastAPI's entry point."""
    found = _read(root)
    for table in TASKS:
        named = _table(found, table)
        for name in SERVES:
            task = named.get(name)
            command = task.get("cmd", task.get("shell")) if isinstance(task, dict) else task
            if isinstance(command, list) and all(isinstance(word, str) for word in command):
                command = shlex.join(command)
            if isinstance(command, str):
                yield f"pyproject.toml, {table}.{name}", command
    entry = _table(found, "tool.fastapi").get("entrypoint")
    if isinstance(entry, str):
        yield "pyproject.toml, tool.fastapi.entrypoint", f"uvicorn {shlex.quote(entry)}"


def packages(root: Path) -> frozenset[str]:
    """Names of the packages that the project asks for, in lower case with `-` for `_` and `.`."""
    found = _read(root)
    project = _table(found, "project")
    asked = [project.get("dependencies"), *_table(found, "project.optional-dependencies").values()]
    asked += _table(found, "dependency-groups").values()
    lines = [line for group in asked if isinstance(group, list) for line in group if isinstance(line, str)]
    lines += _table(found, "tool.poetry.dependencies")
    lines += [line for path in sorted(root.glob("requirements*.txt")) for line in lines_of(path)]
    names = (_NAME.match(line.strip()) for line in lines)
    return frozenset(re.sub(r"[._]", "-", name[0].lower()) for name in names if name)


def _read(root: Path) -> dict[str, Any]:
    try:
        return tomllib.loads("\n".join(lines_of(root / "pyproject.toml")))
    except tomllib.TOMLDecodeError:
        return {}


def _table(found: dict[str, Any], path: str) -> dict[str, Any]:
    """The table at a dotted path; empty where there is none."""
    at: Any = found
    for key in path.split("."):
        at = at.get(key) if isinstance(at, dict) else None
    return at if isinstance(at, dict) else {}
