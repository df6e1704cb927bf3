"""`git bisect run` in a scratch worktree: the user's checkout, and a bisect in progress there, are not touched."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from profpipe.commits.git import ENVIRONMENT, FOREIGN, SAFE, asks, git
from profpipe.commits.resolve import Commit, commit_of
from profpipe.commits.worktrees import BISECTING, locked, remove
from profpipe.errors import CommitError, UsageError

# What `git bisect run` reads from the exit code of a step.
GOOD, BAD, SKIP, ABORT = 0, 1, 125, 128


def candidates(repo: Path, good: Commit, bad: Commit) -> int:
    """The number of commits that may be the first bad one. Raises UsageError unless `good` comes before `bad`."""
    if asks(repo, "merge-base", "--is-ancestor", good.commit, bad.commit) is None:
        raise UsageError(f"{good.ref} is not an ancestor of {bad.ref}: bisect needs a good commit and a later bad one")
    return int(git(repo, "rev-list", "--count", f"{good.commit}..{bad.commit}"))


@contextmanager
def _place(repo: Path, bad: Commit) -> Iterator[Path]:
    """A scratch worktree for git bisect, with bisect refs and a log of its own; removed afterwards."""
    with locked(repo, BISECTING) as folder:
        path = folder / "bisect"
        remove(repo, path)
        git(repo, "worktree", "add", "--detach", "--force", "--force", str(path), bad.commit)
        try:
            yield path
        finally:
            remove(repo, path)


def first_bad(repo: Path, good: Commit, bad: Commit, step: Sequence[str]) -> tuple[Commit, ...]:
    """Run git bisect between the two; `step` decides in its worktree, and its output goes to our stderr.

    Returns the first bad commit, or all candidates where skipped commits hide it. Raises CommitError when a step fails
    without an answer.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    with _place(repo, bad) as path:
        git(path, "bisect", "start", bad.commit, good.commit)
        done = subprocess.run(
            ["git", *SAFE, "-C", str(path), "bisect", "run", *step],
            stdout=2, check=False, stdin=subprocess.DEVNULL, env={**inherited, **ENVIRONMENT},
        )  # fmt: skip
        os.write(2, b"\n")  # git leaves its last line open
        left = git(path, "bisect", "log")
    named = [line.split("[", 1)[1].split("]", 1)[0] for line in left.splitlines() if _names_a_culprit(line)]
    if not named:
        raise CommitError(f"git bisect run ended with {done.returncode} and found no commit; see its output above")
    return tuple(commit_of(repo, name) for name in named)


def _names_a_culprit(line: str) -> bool:
    return line.startswith(("# first bad commit: [", "# possible first bad commit: ["))
