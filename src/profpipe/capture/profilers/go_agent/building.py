"""Building a Go server with the agent: the target's own `go build`, with a file laid over package main.

`go build -overlay` (Go 1.16 and later) reads a file that does not exist in the checkout as if it did. The program goes
to a folder of ours, which this process removes when it ends; Go's own cache makes the second build of a study a matter
of a second.
"""

from __future__ import annotations

import functools
import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from profpipe.capture.complaints import in_one_line
from profpipe.capture.server.command import fill, find_program
from profpipe.capture.server.process import inherited_environment
from profpipe.errors import CaptureError
from profpipe.study.schema import Target

AGENT = Path(__file__).with_name("agent.go")
BUILD_SECONDS, LIST_SECONDS = 900.0, 120.0
# Flags of `go build` whose value is the next argument (`go help build`).
WITH_VALUE = frozenset({
    "-C", "-o", "-p", "-asmflags", "-buildmode", "-buildvcs", "-compiler", "-covermode", "-coverpkg", "-gccgoflags",
    "-gcflags", "-installsuffix", "-ldflags", "-mod", "-modfile", "-overlay", "-pgo", "-pkgdir", "-tags",
    "-toolexec",
})  # fmt: skip
NO_BUILD = (
    "the profiler is built into the server, so it must know how: give the target `build = "
    '[["go", "build", "-o", "server", "."]]`, or the option `package = "./cmd/server"`'
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the server is built: `go`, the flags without -o, and the packages; `arguments` are the server's own."""

    go: str
    flags: tuple[str, ...]
    packages: tuple[str, ...]
    arguments: tuple[str, ...]


def recipe(target: Target, argv: tuple[str, ...], package: str = "") -> Recipe | None:
    """The recipe of a target whose command is `argv`; None where neither it nor its build command says how."""
    builds = [fill(command, 0) for command in target.build]
    build = next((b for b in reversed(builds) if Path(b[0]).name == "go" and b[1:2] == ("build",)), None)
    if build is not None and (package or _makes(build, argv[0])):
        flags, packages = split(build[2:])
        return Recipe(build[0], flags, (package,) if package else packages, argv[1:])
    if Path(argv[0]).name == "go" and argv[1:2] == ("run",):
        flags, rest = split(argv[2:])
        many = next((i for i, part in enumerate(rest) if not part.endswith(".go")), len(rest)) or 1
        return Recipe(argv[0], flags, rest[:many], rest[many:])
    return Recipe("go", (), (package,), argv[1:]) if package else None


def _makes(build: Sequence[str], program: str) -> bool:
    """Whether a `go build` makes the program that the command starts."""
    if "-o" not in build[:-1]:
        return True
    out = build[build.index("-o") + 1]
    return out.endswith("/") or out == "." or Path(out).name == Path(program).name


def split(arguments: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Flags, without -o and its value, and what follows them."""
    flags: list[str] = []
    at = 0
    while at < len(arguments) and arguments[at].startswith("-"):
        size = 2 if arguments[at] in WITH_VALUE else 1
        if arguments[at] != "-o" and not arguments[at].startswith("-o="):
            flags += arguments[at : at + size]
        at += size
    return tuple(flags), tuple(arguments[at:]) or (".",)


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """One for this process, removed when it ends."""
    return tempfile.TemporaryDirectory(prefix="profpipe-go-")


def built(found: Recipe, name: str, cwd: Path, own: Mapping[str, str]) -> Path:
    """The server, called `name`, with the agent in it. Raises CaptureError(build) with Go's own words."""
    env = inherited_environment() | dict(own)
    go = find_program(found.go, cwd)
    if go is None:
        raise CaptureError("build", f"{found.go} not found: install Go 1.21 or newer, https://go.dev/dl")
    if any(flag.lstrip("-").split("=")[0] == "overlay" for flag in found.flags):
        raise CaptureError("build", "the build has an -overlay of its own, and Go takes only one")
    source = _main_folder(go, found, name, cwd, env)
    key = blake2b(repr((found, name, cwd, sorted(own.items()))).encode(), digest_size=8).hexdigest()
    folder = Path(_folder().name) / key
    folder.mkdir(exist_ok=True)
    overlay = folder / "overlay.json"
    overlay.write_text(json.dumps({"Replace": {str(source.folder / "profpipe_agent.go"): str(AGENT)}}))
    out = folder / name
    added = str(Path(found.packages[0]).parent / "profpipe_agent.go")
    packages = (*found.packages, added) if source.by_files else (source.package,)
    _run((go, "build", *found.flags, "-overlay", str(overlay), "-o", str(out), *packages), cwd, env, BUILD_SECONDS)
    return out


@dataclass(frozen=True, slots=True)
class _Main:
    """Package main of the server. `by_files` = it was given as a list of files, to which ours is added."""

    folder: Path
    package: str
    by_files: bool


def _main_folder(go: str, found: Recipe, name: str, cwd: Path, env: Mapping[str, str]) -> _Main:
    if found.packages[0].endswith(".go"):
        return _Main(cwd / Path(found.packages[0]).parent, "", by_files=True)
    form = '{{if eq .Name "main"}}{{.Dir}}\t{{.ImportPath}}{{end}}'
    lines = _run((go, "list", *_list_flags(found.flags), "-f", form, *found.packages), cwd, env, LIST_SECONDS).split(
        "\n"
    )
    mains = [line.split("\t") for line in lines if line]
    if len(mains) > 1:
        mains = [main for main in mains if main[1].rpartition("/")[2] == name]
    if len(mains) != 1:
        words = "several" if len(mains) else "none"
        raise CaptureError("build", f"of the packages {' '.join(found.packages)}, {words} is the server's package main")
    return _Main(Path(mains[0][0]), mains[0][1], by_files=False)


def _list_flags(flags: Sequence[str]) -> tuple[str, ...]:
    """Those of the build flags that decide which files and modules belong to it."""
    kept: list[str] = []
    for place, flag in enumerate(flags):
        if flag in ("-C", "-tags", "-mod", "-modfile"):
            kept += flags[place : place + 2]
        elif flag.split("=")[0] in ("-tags", "-mod", "-modfile", "-race"):
            kept.append(flag)
    return tuple(kept)


def _run(argv: Sequence[str], cwd: Path, env: Mapping[str, str], limit: float) -> str:
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, errors="replace", timeout=limit, check=False,
            stdin=subprocess.DEVNULL, env=env, cwd=cwd,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise CaptureError("build", f"`{' '.join(argv[:3])}` did not end within {limit:g} s") from error
    except OSError as error:
        raise CaptureError("build", f"{argv[0]} cannot be run: {error.strerror}") from error
    if done.returncode != 0:
        text = f"`{' '.join(argv)}` failed: {in_one_line(done.stderr)}"
        raise CaptureError("build", text, log_tail=tuple(done.stderr.splitlines()[-20:]))
    return done.stdout
