"""Which commit a folder is at; a folder outside a repository has none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from profpipe.commits.git import asks
from profpipe.errors import CommitError, ToolMissing


@dataclass(frozen=True, slots=True)
class CommitState:
    """`commit` is the full hash, `dirty` is true when tracked files differ from it."""

    commit: str
    dirty: bool

    @property
    def text(self) -> str:
        return self.commit[:12] + (" with uncommitted changes" if self.dirty else "")


def commit_state(folder: Path) -> CommitState | None:
    """The state of the checkout that holds `folder`; None without git, without a repository or without a commit."""
    try:
        commit = asks(folder, "rev-parse", "HEAD")
        if commit is None:
            return None
        return CommitState(commit, bool(asks(folder, "status", "--porcelain", "--untracked-files=no")))
    except (ToolMissing, CommitError):
        return None
