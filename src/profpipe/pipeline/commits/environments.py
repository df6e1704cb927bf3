"""The environments of the variants, each made from the lock file of its own checkout; and what a worktree lacks."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from profpipe.capture import (
    Environment,
    EnvironmentKind,
    Requirement,
    Wanted,
    absent_program,
    find_lock,
    make_environment,
)
from profpipe.commits.worktrees import environments_folder
from profpipe.errors import CaptureError, UsageError
from profpipe.pipeline.events import Building, Listener, Note
from profpipe.pipeline.prepare.places import placed
from profpipe.pipeline.prepare.prepared import Variants
from profpipe.study import Target
from profpipe.study.environment import EnvironmentTable


def with_environments(
    variants: Variants,
    *,
    home: Path,
    bumped: Mapping[str, Sequence[Requirement]],
    between: str | None,
    listen: Listener,
) -> Variants:
    """The variants with their places filled in, those that ask for an environment in one of their own.

    `home` = the user's own folder of the study file; `bumped` = variant -> packages in another version than its lock
    has, which need an environment whether the target asks for one or not; `between` = what stands between name and
    version in them. Raises CaptureError(build) when one cannot be made, UsageError for a lock file that is not there.
    """
    made: dict[str, Environment] = {}
    for name, target in variants.targets.items():
        root = variants.roots[name]
        if target.environment is not None or bumped:
            named = target.environment.lock if target.environment is not None else ""
            found = find_lock((root / target.cwd).resolve(), named, between)
            made[name] = _environment(name, target, root, home, found, bumped.get(name, ()), listen)
    targets = {name: placed(t, variants.roots[name], made.get(name)) for name, t in variants.targets.items()}
    return replace(variants, targets=targets, environments=made, written=variants.targets)


def _environment(
    variant: str,
    target: Target,
    root: Path,
    home: Path,
    found: tuple[EnvironmentKind, Path],
    bump: Sequence[Requirement],
    listen: Listener,
) -> Environment:
    table = target.environment or EnvironmentTable()
    kind, lock = found
    wanted = Wanted(
        cwd=(root / target.cwd).resolve(),
        lock=lock,
        home=home / target.cwd,
        python=table.python,
        project=None if table.project == "auto" else table.project,
        extra=table.extra,
        bump=tuple(bump),
    )
    words = "".join(f", with {each.name} {each.version}" for each in bump)
    listen(Note(f"{variant}: its environment is made from {lock.name}{words}, or found in the cache"))
    try:
        return make_environment(kind, wanted, environments_folder(), partial(_line, listen, variant))
    except CaptureError as error:
        text = f"the environment of {variant}: {error.text}" + "".join(f"\n    {line}" for line in error.log_tail[-10:])
        raise CaptureError(error.phase, text) from error


def lacking(variant: str, target: Target, root: Path) -> CaptureError | None:
    """Why a variant cannot start once everything is built: its program is not among what its worktree holds."""
    program = absent_program(target, root)
    if program is None:
        return None
    text = f"{variant}: there is no {program}"
    if os.sep in program:
        text += ". A worktree holds the files of its commit and what the target's `build` makes, nothing else of yours"
    if target.environment is None and (lock := _lock_name(target, root)):
        text += f". {lock} is there: with `environment = {{}}` in the target, profpipe makes the environment from it"
    return CaptureError("build", text)


def _lock_name(target: Target, root: Path) -> str | None:
    try:
        kind, lock = find_lock((root / target.cwd).resolve())
    except UsageError:
        return None
    return lock.name if kind.link else None


def _line(listen: Listener, variant: str, line: str) -> None:
    listen(Building(variant, line))
