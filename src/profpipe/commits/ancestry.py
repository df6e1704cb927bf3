"""The order of commits whose times are equal: by ancestry, parents first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from profpipe.commits.git import asks

# More hashes would not fit on a command line.
MOST = 1000


def by_ancestry(folder: Path, commits: Sequence[str]) -> Mapping[str, int]:
    """Commit -> its place among `commits`, every parent before its children.

    Empty where `folder` is in no repository; without the commits that this clone does not have. One call of git, whose
    time grows with the history between the commits.
    """
    known = [c for c in dict.fromkeys(commits) if asks(folder, "cat-file", "-e", f"{c}^{{commit}}") is not None]
    if len(known) < 2 or len(known) > MOST:
        return {}
    oldest = asks(folder, "merge-base", "--octopus", *known)
    listed = asks(folder, "rev-list", "--topo-order", "--reverse", *known, *([f"^{oldest}"] if oldest else []))
    wanted = set(known)
    order = [line for line in [*([oldest] if oldest else []), *(listed or "").split()] if line in wanted]
    return {commit: place for place, commit in enumerate(order)}
