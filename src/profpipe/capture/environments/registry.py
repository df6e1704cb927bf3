"""Which kinds of environment exist, and which of them a checkout has the lock file of."""

from __future__ import annotations

from pathlib import Path

from profpipe.capture.environments.built import CARGO, GO
from profpipe.capture.environments.interface import EnvironmentKind
from profpipe.capture.environments.node import NPM
from profpipe.capture.environments.python import REQUIREMENTS, UV
from profpipe.errors import UsageError

KINDS: tuple[EnvironmentKind, ...] = (UV, REQUIREMENTS, NPM, GO, CARGO)


def find_lock(cwd: Path, named: str = "", between: str | None = None) -> tuple[EnvironmentKind, Path]:
    """The kind of environment and its lock file in a checkout: the named one, or the first that is there.

    `between` = only kinds that write it between name and version. Raises UsageError with the files it looked for.
    """
    kinds = [kind for kind in KINDS if between is None or kind.between == between]
    for kind in kinds:
        for pattern in kind.locks:
            if named and Path(named).match(pattern) and (cwd / named).is_file():
                return kind, cwd / named
            if not named and (found := sorted(cwd.glob(pattern))):
                return kind, found[0]
    if named and not (cwd / named).is_file():
        raise UsageError(f"environment.lock: {cwd / named} does not exist in this commit")
    known = ", ".join(dict.fromkeys(kind.locks[0] for kind in kinds))
    what = f"environment.lock: {named} is of no known kind" if named else f"{cwd} has no lock file"
    raise UsageError(f"{what}; profpipe makes environments from {known}")
