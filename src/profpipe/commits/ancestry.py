"""The order of commits: parents before their children whatever their times say, and by time beside that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from profpipe.commits.git import asks

# More hashes would not fit on a command line.
MOST = 1000


def by_ancestry(folder: Path, commits: Sequence[str]) -> Mapping[str, int]:
    """Commit -> its place among `commits`: every parent before its children, else by time.

    Empty where `folder` is in no repository; without the commits that this clone does not have. Three calls of git,
    whose time grows with the history between the commits.
    """
    given = list(dict.fromkeys(commits))
    if not 1 < len(given) <= MOST:
        return {}
    known = (asks(folder, "rev-list", "--no-walk", "--ignore-missing", *given) or "").split()
    if len(known) < 2:
        return {}
    oldest = asks(folder, "merge-base", "--octopus", *known)
    listed = asks(folder, "rev-list", "--date-order", "--reverse", *known, *([f"^{oldest}"] if oldest else []))
    wanted = set(known)
    order = [line for line in [*([oldest] if oldest else []), *(listed or "").split()] if line in wanted]
    return {commit: place for place, commit in enumerate(order)}
