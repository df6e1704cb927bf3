"""Makes an environment once, keeps it in the cache under what it depends on, and puts it into a checkout."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from profpipe.capture.environments.interface import EnvironmentKind, Package, Recipe, Wanted
from profpipe.capture.server.build import run_command
from profpipe.errors import CaptureError

KEY = 12
# Written last: a folder without it was not finished.
COMPLETE = ".profpipe-complete"
# What an activated environment of the user's would change about the one that is made.
NOT_INHERITED = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "CONDA_PREFIX", "NODE_PATH")


@dataclass(frozen=True, slots=True)
class Environment:
    """A finished environment: its folder, its usual place in the checkout, its programs.

    `programs` (a folder) and `python` are None where it has none, as with Go modules.
    """

    kind: EnvironmentKind
    wanted: Wanted
    folder: Path
    link: Path
    programs: Path | None
    python: Path | None

    def packages(self) -> Mapping[str, Package]:
        """What is installed in it now."""
        return self.kind.packages(self.wanted.lock.parent, self.folder)


def make_environment(kind: EnvironmentKind, wanted: Wanted, cache: Path, on_line: Callable[[str], None]) -> Environment:
    """The environment, made now or found in `cache`, under its usual name in the checkout.

    Raises CaptureError(build) with the last lines of the tool when it cannot be made, UsageError for what is asked of
    it.
    """
    if (why := kind.missing()) is not None:
        raise CaptureError("build", why)
    if not kind.link:
        _carry_out(kind.recipe(wanted, wanted.cwd), wanted, on_line)
        return Environment(kind=kind, wanted=wanted, folder=wanted.cwd, link=wanted.cwd, programs=None, python=None)
    folder = cache / _key(kind, wanted)
    with _locked(folder):
        if not (folder / COMPLETE).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            _carry_out(kind.recipe(wanted, folder), wanted, on_line, folder)
            (folder / COMPLETE).write_text("")
    link = wanted.cwd / kind.link
    _link(link, folder if kind.link == ".venv" else folder / kind.link)
    python = folder / "bin/python"
    return Environment(
        kind=kind,
        wanted=wanted,
        folder=folder,
        link=link,
        programs=link / kind.programs,
        python=link / "bin/python" if python.exists() else None,
    )


def _key(kind: EnvironmentKind, wanted: Wanted) -> str:
    """The same for the same inputs, and of one length: a path's length moves the stack of the program it names."""
    words = (*wanted.extra, *(f"{each.name}{kind.between}{each.version}" for each in wanted.bump))
    digest = hashlib.sha256(repr((kind.name, str(wanted.project), words)).encode())
    for part in kind.inputs(wanted):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:KEY]


def _carry_out(recipe: Recipe, wanted: Wanted, on_line: Callable[[str], None], folder: Path | None = None) -> None:
    if folder is not None:
        for file in recipe.copies:
            shutil.copy(file, folder / file.name)
    env = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED} | dict(recipe.env or {})
    for argv in recipe.commands:
        run_command(argv, env, wanted.lock.parent, on_line)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Two studies of two repositories may want the same environment at once."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder.with_name(f"{folder.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _link(place: Path, folder: Path) -> None:
    """Put the environment into the checkout under its usual name. Raises CaptureError where a folder is there."""
    if place.is_symlink():
        place.unlink()
    elif place.exists():
        raise CaptureError(
            "build",
            f"the commit already has a folder {place.name}, by its files or by the target's `build`: leave "
            f"{place.name} out of them, or leave out `environment`",
        )
    place.symlink_to(folder)
