"""How a project's server is started: what its files say, or a server for its framework."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from profpipe.pipeline.project.application import Application, application
from profpipe.pipeline.project.command import ADDRESS, Command, adapted, venv_of
from profpipe.pipeline.project.files import commands
from profpipe.pipeline.project.pyproject import packages, tasks
from profpipe.units import Language

ASGI = frozenset({"fastapi", "starlette", "litestar", "quart", "falcon-asgi"})
PYTHON_PROGRAMS = frozenset({*ADDRESS, "flask", "fastapi", "uwsgi", "python", "python3"})


@dataclass(frozen=True, slots=True)
class Server:
    """A command that starts the server, and where it was found, in words."""

    argv: tuple[str, ...]
    language: Language
    found: str
    env: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def find_server(root: Path) -> Server | None:
    """The server of the project in `root`; None where nothing there says how it is started."""
    for where, line in (*commands(root), *tasks(root)):
        command = adapted(line, root)
        if command is not None:
            return Server(command.argv, language_of(command.argv, root), where, notes=command.notes)
    app = application(root)
    argv = None if app is None else _serving(app, root)
    if app is None or argv is None:
        return None
    env = {} if app.path == "." else {"PYTHONPATH": app.path}
    return Server(argv, "python", f"{app.framework} application {app.name} in {app.where}", env)


def language_of(argv: tuple[str, ...], root: Path) -> Language:
    """The language of a server by its program, else by the project's files."""
    program = Path(argv[0]).name
    if program in PYTHON_PROGRAMS or program.startswith(("python", "pypy")) or argv[0] == "{python}":
        return "python"
    if any(word.endswith(".py") for word in argv):
        return "python"
    if program == "node":
        return "node"
    if program == "java":
        return "jvm"
    if program in {"npm", "ruby", "php"}:
        return "other"
    if program == "go" or (root / "go.mod").exists():
        return "go"
    return "native" if (root / "Cargo.toml").exists() else "other"


def _serving(app: Application, root: Path) -> tuple[str, ...] | None:
    """The command of the first server for this application that the project has installed."""
    venv, servers = venv_of(root), list(_servers(app))
    if venv is None:
        asked = packages(root)
        servers.sort(key=lambda line: _package(line) not in asked)  # those that the project asks for come first
    for line in servers:
        program = line.split(maxsplit=1)[0]
        if venv is None or program == "python" or (root / venv / "bin" / program).exists():
            command = adapted(line, root) if program != "python" else _python(line, venv)
            return command.argv if command else None
    return None


def _package(line: str) -> str:
    """The package that a server is installed with."""
    return line.split(maxsplit=1)[0].removesuffix("-serve")


def _python(line: str, venv: str | None) -> Command:
    program, rest = line.split(maxsplit=1)
    python = f"{venv}/bin/{program}" if venv else "{python}"
    words = rest.split("|") if "|" in rest else rest.split()
    return Command((python, *words))


def _servers(app: Application) -> Iterator[str]:
    """Commands in the order of preference; `|` separates the words of one that has spaces in a word."""
    place, call = f"{app.module}:{app.name}", "()" if app.factory else ""
    if app.framework == "django":
        yield f"gunicorn {place}"
        yield f"uvicorn {place.replace('.wsgi', '.asgi')}"
        yield "python manage.py runserver --noreload 127.0.0.1:{port}"
    elif app.framework in {"flask", "falcon"}:
        yield f"gunicorn '{place}{call}'"
        yield f"waitress-serve {'--call ' if app.factory else ''}{place}"
        if app.framework == "flask":
            yield f"python -m flask --app {place} run --port {{port}}"
    elif app.framework in ASGI:
        factory = "--factory " if app.factory else ""
        yield f"uvicorn {factory}{place}"
        yield f"hypercorn '{place}{call}'"
        yield f"granian --interface asgi {factory}{place}"
    elif app.framework == "sanic":
        yield f"sanic {place} --single-process{' --factory' if app.factory else ''}"
    elif app.framework == "aiohttp":
        start = f"web.run_app({app.name}{call}, host='127.0.0.1', port={{port}})"
        yield f"python -c|from aiohttp import web; from {app.module} import {app.name}; {start}"
