"""One commit with a package in two versions: what `--bump` asks for, as two commits with the same files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from profpipe.capture import Package, Requirement
from profpipe.commits.resolve import Asked, Commit, commit_of
from profpipe.commits.worktrees import again
from profpipe.errors import CaptureError, UsageError

EXAMPLE = "jinja2==3.1.4..3.1.6"
_NAME = re.compile(r"@?[A-Za-z0-9][A-Za-z0-9._~/-]*(\[[\w,.-]+\])?")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]*")
LOCKED = "as locked"


@dataclass(frozen=True, slots=True)
class Bump:
    """A package before and after; `before` is "" for the version that the lock file has.

    `between` = `==` or `@`, as the language writes it.
    """

    name: str
    before: str
    after: str
    between: str

    @property
    def text(self) -> str:
        return f"{self.name}{self.between}{self.before}..{self.after}"


def read_bump(text: str) -> Bump:
    """`jinja2==3.1.4..3.1.6`, `express@4.18.0..4.19.2`, or `jinja2==..3.1.6`. Raises UsageError for anything else."""
    old, dots, after = text.strip().partition("..")
    between = "==" if "==" in old else "@"
    name, found, before = old.rpartition(between)
    good = dots and found and _NAME.fullmatch(name) and _VERSION.fullmatch(after)
    if not good or (before and not _VERSION.fullmatch(before)):
        raise UsageError(
            f"--bump {text}: expected a package and two versions, such as {EXAMPLE}, express@4.18.0..4.19.2 or "
            "golang.org/x/net@v0.20.0..v0.21.0; leave the first version out for the one that the lock file has"
        )
    if before == after:
        raise UsageError(f"--bump {text}: both versions are {after}: nothing to compare")
    return Bump(name, before, after, between)


def twice(repo: Path, words: Sequence[str], worktree: Commit | None, bumps: Sequence[Bump]) -> Asked:
    """The commit that is meant (HEAD without a word) as two, one for the versions before and one for those after.

    Raises UsageError for more than one commit, and for bumps of several languages at once.
    """
    if len(words) > 1 or any(".." in word for word in words):
        raise UsageError("--bump compares two versions of a package at one commit: name one commit, or none for HEAD")
    if worktree is not None and words:
        raise UsageError(f"--worktree is already the commit of --bump: leave {words[0]} out")
    if len({bump.between for bump in bumps}) > 1:
        raise UsageError("--bump: packages of one language at a time, all with `==` or all with `@`")
    commit = worktree or commit_of(repo, words[0] if words else "HEAD")
    before, after = (
        again(repo, commit, ", ".join(f"{bump.name} {version}" for bump, version in _side(bumps, last)))
        for last in (False, True)
    )
    notes = (f"{commit.words} with {before.label} against the same with {after.label}",)
    return Asked((before, after), notes)


def requirements(asked: Asked, bumps: Sequence[Bump]) -> Mapping[str, tuple[Requirement, ...]]:
    """Variant -> the packages whose version is not that of the lock file; empty without bumps."""
    if not bumps:
        return {}
    return {
        commit.id: tuple(Requirement(bump.name, version) for bump, version in _side(bumps, last) if version != LOCKED)
        for commit, last in zip(asked.commits, (False, True), strict=True)
    }


def check_installed(variant: str, wanted: Sequence[Requirement], packages: Mapping[str, Package]) -> None:
    """Raises CaptureError(build) when a package is not there in the version that was asked for."""
    known = {_plain(name): package.version for name, package in packages.items()}
    for each in wanted:
        version = known.get(_plain(each.name))
        if version is None or each.version.removeprefix("v") not in version.replace("v", "").split(", "):
            is_ = "is not installed" if version is None else f"is {version}"
            raise CaptureError(
                "build",
                f"{variant}: {each.name} {is_}, {each.version} was asked for: does the target's `build` install it "
                "again? Leave that to `environment`",
            )


def _side(bumps: Sequence[Bump], last: bool) -> list[tuple[Bump, str]]:
    return [(bump, bump.after if last else bump.before or LOCKED) for bump in bumps]


def _plain(name: str) -> str:
    """A name as the Python index compares it; names of npm and Go are not changed by it in a way that matters."""
    return re.sub(r"[-_.]+", "-", re.sub(r"\[.*\]", "", name)).lower()
