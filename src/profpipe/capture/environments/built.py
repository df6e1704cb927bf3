"""Go modules and crates: the target's own build fetches them, and only a bump has something to do before it."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path

from profpipe.capture.environments.interface import Package, Recipe, Requirement, Wanted

_REQUIRED = re.compile(r"^\s*(?:require\s+)?([\w.~-]+\.[\w.~-]+/\S+|\S+\.\S+)\s+(v\d\S*)", re.MULTILINE)


class GoModules:
    """go.mod, which holds the exact version of every module that is built."""

    name: str = "go"
    locks: tuple[str, ...] = ("go.mod",)
    link: str = ""
    programs: str = ""
    between: str = "@"

    def missing(self) -> str | None:
        return None if shutil.which("go") else "go is not on the PATH: install Go"

    def inputs(self, wanted: Wanted) -> tuple[bytes, ...]:
        return (wanted.lock.read_bytes(),)

    def recipe(self, wanted: Wanted, folder: Path) -> Recipe:  # noqa: ARG002
        if not wanted.bump:
            return Recipe(())
        vendored = (("go", "mod", "vendor"),) if (wanted.lock.parent / "vendor").is_dir() else ()
        return Recipe((("go", "get", *(f"{r.name}@{_v(r)}" for r in wanted.bump)), *vendored))

    def packages(self, cwd: Path, folder: Path) -> Mapping[str, Package]:  # noqa: ARG002
        required = _REQUIRED.findall((cwd / "go.mod").read_text("utf-8", "replace"))
        return {name: Package(version, (name,)) for name, version in sorted(required)}


class Cargo:
    """Cargo.lock."""

    name: str = "cargo"
    locks: tuple[str, ...] = ("Cargo.lock",)
    link: str = ""
    programs: str = ""
    between: str = "@"

    def missing(self) -> str | None:
        return None if shutil.which("cargo") else "cargo is not on the PATH: install Rust"

    def inputs(self, wanted: Wanted) -> tuple[bytes, ...]:
        return (wanted.lock.read_bytes(),)

    def recipe(self, wanted: Wanted, folder: Path) -> Recipe:  # noqa: ARG002
        return Recipe(tuple(("cargo", "update", "-p", r.name, "--precise", r.version) for r in wanted.bump))

    def packages(self, cwd: Path, folder: Path) -> Mapping[str, Package]:  # noqa: ARG002
        locked = tomllib.loads((cwd / "Cargo.lock").read_text("utf-8")).get("package", ())
        versions: dict[str, list[str]] = {}
        for each in locked:
            versions.setdefault(str(each["name"]), []).append(str(each["version"]))
        return {name: Package(", ".join(sorted(found)), _crate(name)) for name, found in sorted(versions.items())}


def _crate(name: str) -> tuple[str, ...]:
    path = name.replace("-", "_")
    return f"{path}::", f"<{path}::", f"{name}-"


def _v(wanted: Requirement) -> str:
    """Go's versions begin with v."""
    return wanted.version if wanted.version.startswith("v") else f"v{wanted.version}"


GO, CARGO = GoModules(), Cargo()
