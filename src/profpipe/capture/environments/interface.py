"""What a kind of environment is: Python's in two ways, Node's, and those that a build makes by itself (Go, Rust)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Requirement:
    """One package in one version."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package. `prefixes` = how the files, or the names, of its functions begin in a report."""

    version: str
    prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """An environment for one target at one commit.

    `cwd` = the target's folder in its checkout, `lock` = the lock file there; `python` = the interpreter, "" for the
    usual one; `project` = the checkout itself is installed too, None = where its files ask for it; `extra` = further
    packages, as the installer writes them; `bump` = packages in another version than the lock has; `home` = the
    user's own folder of the same target, whose interpreter is taken where nothing else names one.
    """

    cwd: Path
    lock: Path
    home: Path | None = None
    python: str = ""
    project: bool | None = None
    extra: tuple[str, ...] = ()
    bump: tuple[Requirement, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an environment is made: `commands` run in the checkout, one after the other, with `env` added.

    `copies` = files of the checkout that are copied into its folder first.
    """

    commands: tuple[tuple[str, ...], ...]
    env: Mapping[str, str] | None = None
    copies: tuple[Path, ...] = ()


class EnvironmentKind(Protocol):
    """One tool that makes environments.

    `locks` = its lock files, patterns, the preferred one first; `link` = the name of the environment's folder in a
    checkout (`.venv`), "" where the packages are part of the checkout's own build; `programs` = the folder in it that
    comes first on the server's PATH, "" for none; `between` = what stands between name and version in its command line.
    """

    name: str
    locks: tuple[str, ...]
    link: str
    programs: str
    between: str

    def missing(self) -> str | None:
        """Which program is not there, with what to do; None when it can be used."""

    def inputs(self, wanted: Wanted) -> tuple[bytes, ...]:
        """Everything that it depends on: the same inputs give the same environment, which is then made once.

        Raises UsageError for an interpreter that is not there.
        """

    def recipe(self, wanted: Wanted, folder: Path) -> Recipe:
        """The commands that make it in `folder`. Raises UsageError for an interpreter that is not there."""

    def packages(self, cwd: Path, folder: Path) -> Mapping[str, Package]:
        """The installed packages by name. `cwd` = the target's folder, `folder` = that of its environment."""
