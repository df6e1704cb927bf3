"""A repository in which a test runs `profpipe diff`, `bisect` and `calibrate`."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.demo_repository import git
from tests.support.study_driving import MARK, Done, Started, read_report

# Rounds of an exact instrument and no look beyond them: three runs of two seconds, or six. One round calls nothing.
ONCE = ("-p", "callgrind", "-r", "1", "--max-rounds", "1")
TWICE = ("-p", "callgrind", "-r", "2", "--max-rounds", "2")


@dataclass(frozen=True)
class Repository:
    """A checkout, the cache its worktrees go to, and a way to run profpipe in it."""

    path: Path
    cache: Path

    def start(self, *words: str, **env: str) -> Started:
        mine = {"PROFPIPE_CACHE": str(self.cache), "HOME": str(self.path.parent), MARK: str(self.path)}
        process = subprocess.Popen(
            [sys.executable, "-m", "profpipe", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            stdin=subprocess.DEVNULL, cwd=self.path, env={**os.environ, **mine, **env},
        )  # fmt: skip
        return Started(process)

    def do(self, *words: str, **env: str) -> Done:
        return self.start(*words, **env).end(240)

    def report(self) -> dict[str, Any]:
        """The newest report of a diff."""
        return read_report(max((self.path / "reports" / "diff-cost").iterdir(), key=lambda path: path.name))

    def worktrees(self) -> list[str]:
        return git(self.path, "worktree", "list", "--porcelain").splitlines()

    def state(self) -> tuple[str, ...]:
        words = (["status", "--porcelain"], ["rev-parse", "HEAD"], ["symbolic-ref", "HEAD"], ["ls-files", "-s"])
        return tuple(git(self.path, *w) for w in words)


def contender(report: dict[str, Any]) -> dict[str, Any]:
    """The variant that a diff compares with the baseline."""
    return next(v for v in report["variants"] if v["role"] == "contender")  # type: ignore[no-any-return]
