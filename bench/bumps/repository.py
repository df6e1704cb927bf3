"""The scratch repository of a bump: its server, a lock file with the version before, and a study."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bench.bumps.table import HERE, Bump

STUDY = """\
[target.{key}]
command = {command}
language = "{language}"
{how}

[study.{key}]
targets = ["{key}"]
profilers = {profilers}
load = {{ request.path = "{path}" }}
"""
PYTHON = 'environment = { python = "3.12" }'
CARGO = """\
[package]
name = "server"
version = "0.1.0"
edition = "2021"
[[bin]]
name = "server"
path = "server.rs"
[profile.release]
debug = "line-tables-only"
[dependencies]
"""


def make(bump: Bump, folder: Path) -> None:
    """Write the repository and commit it. Raises CalledProcessError where a package cannot be had."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / ".gitignore").write_text("reports/\nbin/\ntarget/\n.venv\nnode_modules\n")
    kinds = {".py": _python, ".js": _node, ".go": _go, ".rs": _rust}
    app = HERE / "apps" / bump.app
    study = kinds[app.suffix](bump, app, folder)
    (folder / "profpipe.toml").write_text(study)
    _do(folder, "git", "init", "--quiet", "--initial-branch=main")
    _do(folder, "git", "add", "--all")
    _do(folder, "git", "-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "--quiet", "-m", bump.key)


def _python(bump: Bump, app: Path, folder: Path) -> str:
    shutil.copy(app, folder / "server.py")
    (folder / "requirements.txt").write_text("\n".join([f"{bump.package}=={bump.before}", *bump.others, ""]))
    return _study(bump, "python", [".venv/bin/python", "server.py", "{port}"], ["clean", "callgrind"], PYTHON)


def _node(bump: Bump, app: Path, folder: Path) -> str:
    shutil.copy(app, folder / "server.js")
    package = {"name": "server", "version": "1.0.0", "private": True, "dependencies": {bump.package: bump.before}}
    (folder / "package.json").write_text(json.dumps(package))
    _do(folder, "npm", "install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
    return _study(bump, "node", ["node", "server.js", "{port}"], ["clean", "node-cpu"], "environment = {}")


def _go(bump: Bump, app: Path, folder: Path) -> str:
    shutil.copy(app, folder / "server.go")
    _do(folder, "go", "mod", "init", "server")
    _do(folder, "go", "get", f"{bump.package}@{bump.before}")
    _do(folder, "go", "mod", "tidy")
    build = 'build = [["go", "build", "-mod=mod", "-o", "bin/server", "."]]'
    return _study(bump, "go", ["bin/server", "{port}"], ["clean", "perf"], build)


def _rust(bump: Bump, app: Path, folder: Path) -> str:
    shutil.copy(app, folder / "server.rs")
    wanted = [f'{bump.package} = ">={bump.before}"', *(f'{n} = "{v}"' for n, _, v in map(_parts, bump.others))]
    (folder / "Cargo.toml").write_text(CARGO + "\n".join([*wanted, ""]))
    _do(folder, "cargo", "generate-lockfile", "--quiet")
    _do(folder, "cargo", "update", "--quiet", "-p", bump.package, "--precise", bump.before)
    build = 'build = [["cargo", "build", "--release", "--quiet"]]'
    return _study(bump, "native", ["target/release/server", "{port}"], ["clean", "callgrind"], build)


def _parts(word: str) -> tuple[str, str, str]:
    return word.partition("=")


def _study(bump: Bump, language: str, command: Sequence[str], profilers: Sequence[str], how: str) -> str:
    return STUDY.format(
        key=bump.key,
        command=json.dumps(list(command)),
        language=language,
        how=how,
        profilers=json.dumps(list(profilers)),
        path=bump.path,
    )


def _do(folder: Path, *command: str) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
