"""The commented profpipe.toml that `profpipe init` writes for somebody's own server."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from profpipe.study.mistakes import dotted
from profpipe.study.requests import Request
from profpipe.units import Language

_EXAMPLE_COMMAND = ("./my-server", "--port", "{port}")


def starter_file(
    profilers: Mapping[str, Sequence[str]],
    *,
    name: str = "server",
    command: tuple[str, ...] = _EXAMPLE_COMMAND,
    contender: tuple[str, ...] | None = None,
    language: Language = "other",
    ready_line: str | None = None,
    request: Request = Request(),  # noqa: B008 - frozen
    env: Mapping[str, str] = MappingProxyType({}),
    port: int | None = None,
    study: str = "compare",
) -> str:
    """A study file with a comment at every choice. `name` is the baseline; `contender` is a second command.

    `profilers` maps the study's profilers, in order, to the lines of the study that each of them needs.

    The result reads back without a mistake when `name` and `study` fit the rule for names. A command that takes no
    `{port}`, with no `port` and no port in `ready_line`, gets the free port in the variable PORT; a comment says so.
    """
    second = "contender" if name != "contender" else "contender-2"
    variants = {name: command} | ({second: contender} if contender else {})
    targets = [_target(key, argv, language, ready_line, request, env, port) for key, argv in variants.items()]
    targets[1:] = [_without_comments(text) for text in targets[1:]]
    return "\n".join(
        [_HEAD, *targets, *([] if contender else [_SECOND]), _study(study, list(variants), profilers, request)]
    )


_HEAD = """\
# What profpipe compares. `profpipe check` reads this file, `profpipe run` answers its studies.
# Every key: docs/config.md of profpipe.
schema = 1
"""

_SECOND = """\
# A second variant turns the study into a comparison: add its name to `targets` below.
# [target.other]
# command = ["./my-other-server", "--port", "{port}"]
"""


def _target(
    name: str,
    command: tuple[str, ...],
    language: Language,
    ready_line: str | None,
    request: Request,
    env: Mapping[str, str],
    port: int | None,
) -> str:
    lines = [
        f"[{dotted(('target', name))}]",
        "# The arguments, one by one, without a shell. {port} becomes a free port, {python} the Python of profpipe.",
        f"command = {_array(command)}",
        "# python, native (C, C++, Rust), go, node, jvm or other: which profilers fit.",
        f"language = {_text(language)}",
    ]
    takes_port = "(?P<port>" in (ready_line or "") or any("{port}" in argument for argument in command)
    if port is not None:
        lines += ["# The port this server always listens on.", f"port = {port}"]
    elif not takes_port:
        lines.append("# The command does not take the port, so the server must read it from this variable.")
        env = {**env, "PORT": "{port}"}
    if env:
        lines.append(f"env = {_table(env)}")
    if ready_line is not None:
        lines.append("# It is ready when it prints a line that matches this regular expression.")
        lines.append(f"ready.line = {_text(ready_line)}")
    elif request.method != "GET":
        lines += ["# It is ready when it accepts a connection.", "ready.tcp = true"]
    else:
        lines += [
            "# It is ready when this path answers with the expected status.",
            '# Or when it prints a line: ready.line = "listening on". Or when it accepts a client: ready.tcp = true.',
            f"ready.http = {_text(request.path)}",
        ]
    lines += [_build(command[0], language), '# cwd = "."']
    return "\n".join(lines) + "\n"


def _build(program: str, language: Language) -> str:
    if language != "go" or "/" not in program:
        return '# build = [["make", "my-server"]]    # once, before the study'
    return (
        "# Once, before the study; go-cpu and go-allocs build by it too. The last word is the package main.\n"
        f'build = [["go", "build", "-o", {_text(program)}, "."]]'
    )


def _without_comments(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))


def _study(study: str, names: Sequence[str], profilers: Mapping[str, Sequence[str]], request: Request) -> str:
    lines = [
        f"[{dotted(('study', study))}]",
        'question = "Which variant costs more per request, and why?"',
        f"targets = {_array(names)}",
        f"baseline = {_text(names[0])}",
        "# clean = no profiler: CPU time, throughput, latency, memory. `profpipe doctor` shows which others work here.",
        f"profilers = {_array(list(profilers))}",
        "# Seconds for the whole study. A trial shows how fast each variant is; requests, connections and rounds",
        "# follow. `load.requests`, `load.connections` and `rounds` set them by hand.",
        "# budget = 180",
        "# The request of every load.",
        f"load.request = {_request(request)}",
        *(line for own in profilers.values() for line in own),
    ]
    return "\n".join(lines) + "\n"


def _request(request: Request) -> str:
    """The keys that differ from the defaults, and the path."""
    keys = {
        "method": _text(request.method) if request.method != "GET" else "",
        "path": _text(request.path),
        "headers": _table(request.headers) if request.headers else "",
        "body": _text(request.body) if request.body else "",
        "status": str(request.status) if request.status != Request().status else "",
    }
    return f"{{ {', '.join(f'{key} = {value}' for key, value in keys.items() if value)} }}"


def _table(values: Mapping[str, str]) -> str:
    return f"{{ {', '.join(f'{dotted((key,))} = {_text(value)}' for key, value in values.items())} }}"


def _text(value: str) -> str:
    """A TOML basic string. JSON's escapes are TOML's, but for DEL and for characters beyond the BMP in \\u pairs."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _array(values: Sequence[str]) -> str:
    return f"[{', '.join(map(_text, values))}]"
