"""Which commit a folder is at, asked of git; a folder outside a repository simply has none."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class CommitState:
    """`commit` is the full hash, `dirty` whether tracked files differ from it."""

    commit: str
    dirty: bool

    @property
    def text(self) -> str:
        return self.commit[:12] + (" with uncommitted changes" if self.dirty else "")


def commit_state(folder: Path) -> CommitState | None:
    """The state of the checkout that holds `folder`; None without git, without a repository or without a commit."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return CommitState(commit.strip(), bool(changes and changes.strip()))


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
