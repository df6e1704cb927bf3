"""Node environments: node_modules by `npm ci` from package-lock.json."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from subprocess import DEVNULL, TimeoutExpired, run

from profpipe.capture.environments.interface import Package, Recipe, Wanted

# npm's own list of what it installed.
INSTALLED = "node_modules/.package-lock.json"
QUIET = ("--no-audit", "--no-fund", "--no-update-notifier")


class Npm:
    """package-lock.json, with package.json beside it."""

    name: str = "npm"
    locks: tuple[str, ...] = ("package-lock.json", "npm-shrinkwrap.json")
    link: str = "node_modules"
    programs: str = ".bin"
    between: str = "@"

    def missing(self) -> str | None:
        return None if shutil.which("npm") else "npm is not on the PATH: install Node.js"

    def inputs(self, wanted: Wanted) -> tuple[bytes, ...]:
        return (_node_version().encode(), *(file.read_bytes() for file in _files(wanted)))

    def recipe(self, wanted: Wanted, folder: Path) -> Recipe:
        here = ("npm", "--prefix", str(folder))
        commands: list[tuple[str, ...]] = [(*here, "ci", *QUIET)]
        if wanted.extra or wanted.bump:
            bumped = (f"{each.name}{self.between}{each.version}" for each in wanted.bump)
            commands.append((*here, "install", "--save-exact", *QUIET, *wanted.extra, *bumped))
        return Recipe(tuple(commands), copies=_files(wanted))

    def packages(self, cwd: Path, folder: Path) -> Mapping[str, Package]:  # noqa: ARG002
        """By path below node_modules: one package may be there in several versions."""
        listed = json.loads((folder / INSTALLED).read_text("utf-8"))["packages"]
        found: dict[str, Package] = {}
        for path, each in sorted(listed.items()):
            name = path.removeprefix("node_modules/")
            prefix = f"{name.rpartition('node_modules/')[2]}/"
            found[name.replace("/node_modules/", " > ")] = Package(str(each.get("version", "")), (prefix,))
        return found


def _files(wanted: Wanted) -> tuple[Path, ...]:
    files = (wanted.lock, wanted.lock.with_name("package.json"), wanted.lock.with_name(".npmrc"))
    return tuple(file for file in files if file.is_file())


@cache
def _node_version() -> str:
    try:
        return run(["node", "--version"], capture_output=True, text=True, timeout=30, check=False, stdin=DEVNULL).stdout
    except (OSError, TimeoutExpired):
        return ""


NPM = Npm()
