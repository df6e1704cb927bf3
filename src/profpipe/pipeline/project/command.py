"""A command as a project writes it -> the arguments of a target: its program in the venv, its port as {port}."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

VENVS = (".venv", "venv", "env")
# What a server is told its address with, where its command names none.
ADDRESS = {
    "gunicorn": ("-b", "127.0.0.1:{port}"),
    "hypercorn": ("-b", "127.0.0.1:{port}"),
    "uvicorn": ("--port", "{port}"),
    "granian": ("--port", "{port}"),
    "daphne": ("-p", "{port}"),
    "sanic": ("--port", "{port}"),
    "waitress-serve": ("--listen=127.0.0.1:{port}",),
}
RELOADS = frozenset({"--reload", "--debug", "--auto-reload", "--dev"})
PORT_OPTIONS = frozenset({"-p", "--port", "--bind", "-b", "--listen", "-P"})
_VARIABLE = re.compile(r"\$\{?PORT(?::?-\d+)?\}?")
_PORT = re.compile(r"(?<!\d)(?:(?:0\.0\.0\.0|127\.0\.0\.1|localhost|\[::\]|\*):|:)\d{2,5}$")


@dataclass(frozen=True, slots=True)
class Command:
    """`notes` = what was changed of the project's own command, in words."""

    argv: tuple[str, ...]
    notes: tuple[str, ...] = ()


def venv_of(root: Path) -> str | None:
    """The folder of the project's virtual environment, relative to it."""
    return next((name for name in VENVS if (root / name / "bin" / "python").exists()), None)


def in_venv(program: str, root: Path) -> str:
    """The program of the project's environment where it has one of that name."""
    venv = venv_of(root)
    return f"{venv}/bin/{program}" if venv and (root / venv / "bin" / program).exists() else program


def adapted(line: str, root: Path) -> Command | None:
    """The server's command from a line for a shell; None where it cannot be read as one command."""
    last = re.split(r"&&|;", line)[-1].strip()
    try:
        words = shlex.split(last, comments=False)
    except ValueError:
        return None
    while words and (words[0] in {"exec", "env"} or re.fullmatch(r"[A-Z_][A-Z0-9_]*=.*", words[0])):
        words = words[1:]
    if words[:2] in (["poetry", "run"], ["uv", "run"], ["pipenv", "run"], ["pdm", "run"]):
        words = words[2:]
    if not words or any(word in {"|", ">", "<", "&"} for word in words):
        return None
    return _with_port(words, root)


def _with_port(words: list[str], root: Path) -> Command:
    reloads = [word for word in words if word in RELOADS]
    notes = [f"{word} is left out: a server that restarts itself cannot be measured" for word in reloads]
    words = [word for word in words if word not in RELOADS]
    program = Path(words[0]).name
    tool = words[2] if program.startswith("python") and words[1:2] == ["-m"] and len(words) > 2 else program
    found = [_with_placeholder(word, words[at - 1] if at else "") for at, word in enumerate(words)]
    if "runserver" in found and not any("{port}" in word for word in found):
        found += ["127.0.0.1:{port}"]
    if "runserver" in found and "--noreload" not in found:
        found.insert(found.index("runserver") + 1, "--noreload")
    if not any("{port}" in word for word in found) and tool in ADDRESS:
        at = found.index(tool) + 1 if tool != program else 1
        found[at:at] = ADDRESS[tool]
    if not any("{port}" in word for word in found) and "flask" in (program, tool) and "run" in found:
        found += ["--port", "{port}"]
    return Command((in_venv(found[0], root) if "/" not in found[0] else found[0], *found[1:]), tuple(notes))


def _with_placeholder(word: str, before: str) -> str:
    """The word with {port} for the port in it."""
    word = _VARIABLE.sub("{port}", word).replace("0.0.0.0:{port}", "127.0.0.1:{port}")
    if before in PORT_OPTIONS and word.isdigit():
        return "{port}"
    option, sign, value = word.partition("=")
    if sign and option in PORT_OPTIONS and value.isdigit():
        return f"{option}={{port}}"
    return _PORT.sub(lambda found: found[0].rpartition(":")[0].replace("0.0.0.0", "127.0.0.1") + ":{port}", word)
