"""Commits checked out side by side: a git worktree each, in our own cache folder, kept with its build from run to run.

The user's checkout is never touched: no file, no index, no HEAD. All worktrees of a repository have paths of one
length, since the length of a program's own path moves its stack and with it its instruction counts.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from profpipe.commits.git import asks, git
from profpipe.commits.resolve import Commit
from profpipe.errors import CommitError

NAME = 12
VARIABLE = "PROFPIPE_CACHE"
# Locks, by what is done under them. A bisect holds the first for all its steps, each step the second.
BISECTING, MEASURING = "bisect.lock", "lock"


@dataclass(frozen=True, slots=True)
class Kept:
    """A worktree that an earlier run kept, for `profpipe clean`."""

    path: Path
    commit: str


def cache_home(other: Path | None = None) -> Path:
    """The folder of all that is kept: $PROFPIPE_CACHE, else the user's cache. Without a home `other`, else /tmp's."""
    if named := os.environ.get(VARIABLE):
        return Path(named).absolute()
    home = os.environ.get("XDG_CACHE_HOME") or (Path(os.environ["HOME"]) / ".cache" if os.environ.get("HOME") else "")
    return Path(home) / "profpipe" if home else other or Path(tempfile.gettempdir()) / "profpipe-cache"


def environments_folder() -> Path:
    """Where environments are kept, for all repositories."""
    return cache_home() / "environments"


def cache_folder(repo: Path) -> Path:
    """The folder of this repository's worktrees: in $PROFPIPE_CACHE, else the user's cache, else git's own folder."""
    common = _common_folder(repo)
    key = hashlib.sha256(os.fsencode(common)).hexdigest()[:NAME]
    nowhere = common / "profpipe-worktrees"
    found = cache_home(nowhere)
    return nowhere if found == nowhere else found / "worktrees" / key


def _common_folder(repo: Path) -> Path:
    return (repo / git(repo, "rev-parse", "--git-common-dir").removesuffix("\n")).resolve()


@contextmanager
def checked_out(repo: Path, commits: tuple[Commit, ...]) -> Iterator[dict[str, Path]]:
    """commit id -> the folder it is checked out in, for as long as the block lasts.

    Raises CommitError when another run is measuring this repository, or when git cannot check a commit out.
    """
    with locked(repo, MEASURING) as folder:
        yield {commit.id: _check_out(repo, folder, commit) for commit in commits}


@contextmanager
def locked(repo: Path, name: str) -> Iterator[Path]:
    """The folder of this repository's worktrees, locked against another run of the same kind.

    The lock ends with this process, however it ends. Raises CommitError when another run holds it.
    """
    folder = cache_folder(repo)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CommitError(f"{folder}: cannot create a worktree there: {error.strerror}; set {VARIABLE}") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommitError(f"another profpipe is measuring commits of {repo}; wait until it has ended") from None
        yield folder
    finally:
        os.close(lock)


def _check_out(repo: Path, folder: Path, commit: Commit) -> Path:
    """The worktree of a commit: the kept one with its build, its tracked files as committed, or a new one."""
    path = folder / commit.commit[:NAME]
    if asks(path, "rev-parse", "HEAD") == commit.commit and asks(path, "rev-parse", "--show-toplevel") == str(path):
        git(path, "reset", "--hard", "--quiet")
    else:
        shutil.rmtree(path, ignore_errors=True)
        # Forced twice: a run that was killed while git made this worktree leaves it registered and locked.
        git(repo, "worktree", "add", "--detach", "--force", "--force", str(path), commit.commit)
    _check_out_submodules(repo, path, commit.commit)
    return path


def _check_out_submodules(repo: Path, path: Path, commit: str) -> None:
    """Submodules from the user's own clones: nothing is fetched, so a missing commit is an error."""
    for line in git(path, "ls-tree", "-r", "-z", commit).split("\0"):
        facts, _, name = line.partition("\t")
        if not facts.startswith("160000 "):
            continue
        wanted, source, place = facts.split()[2], repo / name, path / name
        if asks(place, "rev-parse", "--show-toplevel") == str(place) and asks(place, "rev-parse", "HEAD") == wanted:
            continue
        # In a folder that is no clone of its own git answers for the repository around it.
        top = asks(source, "rev-parse", "--show-toplevel")
        own = top is not None and Path(top).resolve() == source.resolve()
        if not own or asks(source, "rev-parse", "--verify", "--quiet", f"{wanted}^{{commit}}") is None:
            raise CommitError(
                f"submodule {name} has no commit {wanted[:NAME]} here: git submodule update --init {name}, then "
                f"git -C {name} fetch origin {wanted[:NAME]}"
            )
        shutil.rmtree(place, ignore_errors=True)
        git(path, "clone", "--quiet", "--shared", "--no-checkout", "--", str(source), str(place))
        git(place, "checkout", "--quiet", "--detach", wanted)
        _check_out_submodules(source, place, wanted)


def snapshot(repo: Path) -> Commit | None:
    """The working tree as a commit of our own, with all files that git does not ignore. None when nothing changed.

    Written through an index of its own, so that the user's index, HEAD and refs stay as they are. The same files
    give the same commit, so its worktree and build are found again.
    """
    if not git(repo, "status", "--porcelain", "--untracked-files=all").strip():
        return None
    head = asks(repo, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if head is None:
        raise CommitError(f"{repo} has no commit yet: make one, so that there is a baseline")
    with tempfile.TemporaryDirectory(prefix="profpipe-index-") as scratch:
        index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
        git(repo, "read-tree", head, env=index)
        git(repo, "add", "--all", env=index)
        tree = git(repo, "write-tree", env=index).strip()
    made = _commit(repo, tree, head, "uncommitted changes")
    return Commit(made, "worktree", "uncommitted changes", "", worktree=True, parent=head)


def again(repo: Path, commit: Commit, label: str) -> Commit:
    """The same files as a commit of our own, which gets a worktree of its own and is called `label`."""
    tree = git(repo, "rev-parse", f"{commit.commit}^{{tree}}").strip()
    made = _commit(repo, tree, commit.commit, label)
    parent = commit.parent or commit.commit
    return replace(commit, commit=made, parent=parent, label=label)


def _commit(repo: Path, tree: str, parent: str, subject: str) -> str:
    """The same arguments give the same commit, so that its worktree and build are found again."""
    nobody = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _NOBODY.items()}
    return git(repo, "commit-tree", tree, "-p", parent, "-m", subject, env=nobody).strip()


_NOBODY = {"NAME": "profpipe", "EMAIL": "profpipe@localhost", "DATE": "2000-01-01T00:00:00Z"}


def remove(repo: Path, path: Path) -> None:
    """Remove one worktree with its build."""
    # Only this one: `git worktree prune` would also drop the user's own worktrees on disks that are not mounted.
    asks(repo, "worktree", "remove", "--force", "--force", str(path))
    shutil.rmtree(path, ignore_errors=True)


def kept(repo: Path) -> tuple[Kept, ...]:
    """The worktrees that exist, sorted by path."""
    folder = cache_folder(repo)
    paths = sorted(path for path in folder.glob("*") if path.is_dir())
    return tuple(Kept(path, asks(path, "rev-parse", "HEAD") or "") for path in paths)


def size_of(path: Path) -> int:
    """Bytes that a worktree and its build take on the disk."""
    return sum(file.lstat().st_blocks * 512 for file in path.rglob("*") if not file.is_symlink())
