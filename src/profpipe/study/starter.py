"""The commented profpipe.toml that `profpipe init` writes for somebody's own server."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from profpipe.study.mistakes import dotted

Language = Literal["python", "native", "go", "other"]

# callgrind crashes in one Go run of four, so Go starts with the clean runs alone.
_PROFILERS: Mapping[Language, tuple[str, ...]] = {
    "python": ("clean", "callgrind", "yappi"),
    "native": ("clean", "callgrind"),
    "go": ("clean",),
    "other": ("clean", "callgrind"),
}
_EXAMPLE_COMMAND = ("./my-server", "--port", "{port}")


@dataclass(frozen=True, slots=True)
class StarterVariant:
    """A variant as `profpipe init` was told of it; `name` must fit the file's rule for names."""

    name: str
    command: tuple[str, ...] = _EXAMPLE_COMMAND


def starter_file(
    variants: Sequence[StarterVariant] = (StarterVariant("server"),),
    *,
    study: str = "compare",
    language: Language = "other",
    ready_line: str | None = None,
    request_path: str = "/",
    port: int | None = None,
) -> str:
    """A study file with a comment at every choice; the first variant is the baseline. The result always reads back.

    A command without `{port}` and no `port` gets the free port in the variable PORT, which is said in a comment.
    """
    parts = [_HEAD]
    parts += [_target(variant, language, ready_line, request_path, port) for variant in variants]
    if len(variants) == 1:
        parts.append(_SECOND)
    parts.append(_study(study, variants, language, request_path))
    return "\n".join(parts)


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
    variant: StarterVariant, language: Language, ready_line: str | None, request_path: str, port: int | None
) -> str:
    lines = [f"[{dotted(('target', variant.name))}]"]
    lines += [
        "# The arguments, one by one; there is no shell. {port} becomes a free port, {python} the Python of profpipe.",
        f"command = {_array(variant.command)}",
        "# python, native (C, C++, Rust), go or other: which profilers fit.",
        f"language = {_text(language)}",
    ]
    in_line = "(?P<port>" in (ready_line or "")
    if port is not None:
        lines += ["# The port this server always listens on.", f"port = {port}"]
    elif not in_line and not any("{port}" in argument for argument in variant.command):
        lines += [
            "# The command does not take the port, so the server must read it from this variable.",
            'env = { PORT = "{port}" }',
        ]
    if ready_line is not None:
        lines += [
            "# A line of its output (a regular expression) that says it serves.",
            f"ready.line = {_text(ready_line)}",
        ]
    else:
        lines += [
            "# It serves when this path answers with the expected status.",
            '# Or a line of its output: ready.line = "listening on". Or a connection: ready.tcp = true.',
            f"ready.http = {_text(request_path)}",
        ]
    lines += ['# build = [["make", "my-server"]]    # once, before the study', '# cwd = "."']
    return "\n".join(lines) + "\n"


def _study(study: str, variants: Sequence[StarterVariant], language: Language, request_path: str) -> str:
    names = [variant.name for variant in variants]
    profilers = _PROFILERS[language]
    lines = [
        f"[{dotted(('study', study))}]",
        'question = "Which variant costs more per request, and why?"',
        f"targets = {_array(names)}",
        f"baseline = {_text(names[0])}",
        "# clean = no profiler: CPU time, throughput, latency, memory. `profpipe doctor` says which others work here.",
        f"profilers = {_array(profilers)}",
        "# Fresh processes per variant. Under 7 timed differences stay hints.",
        "rounds = 7",
        "# What is asked in every run. More requests = steadier figures and longer runs.",
        f"load = {{ requests = 4000, connections = 20, request.path = {_text(request_path)} }}",
    ]
    if "callgrind" in profilers:
        lines += [
            "# callgrind slows a server some 20 times and counts exactly: fewer rounds and requests will do.",
            "profiler.callgrind = { rounds = 3, requests = 500 }",
        ]
    if "yappi" in profilers:
        lines.append("profiler.yappi = { rounds = 2 }")
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    """A TOML basic string. JSON's escapes are TOML's, but for DEL and for characters beyond the BMP in \\u pairs."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _array(values: Sequence[str]) -> str:
    return f"[{', '.join(map(_text, values))}]"
