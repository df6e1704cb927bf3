"""Which commits are meant: BASE..HEAD, a list, or nothing (this branch against the one it started from)."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from profpipe.characters import well_formed
from profpipe.commits.git import answer, asks, git
from profpipe.errors import CommitError, UsageError

SHORT = 8
HASH = 40
MOST = 50
LONGEST_ID = 60
# Where CI says which branch a pull request goes to: GitHub, Gitea and Forgejo; GitLab; Woodpecker.
TARGET_BRANCHES = ("GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "CI_COMMIT_TARGET_BRANCH")
USUAL = ("main", "master")


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of the repository. `ref` = the name it was given by; `worktree` = it includes uncommitted changes.

    `commit` is what is checked out. Where `worktree` or `label` is set that is a commit of our own, and `parent` is
    the user's. `label` = how the variant is called instead, `jinja2 3.1.6`.
    """

    commit: str
    ref: str
    subject: str
    time: str
    worktree: bool = False
    parent: str = ""
    label: str = ""

    @property
    def id(self) -> str:
        """What the variant is called: eight hex digits, `worktree`, or the label as far as a name can have it."""
        if self.label:
            return re.sub(r"[^A-Za-z0-9._]+", "-", self.label).strip("-.")[:LONGEST_ID]
        return "worktree" if self.worktree else self.commit[:SHORT]

    @property
    def words(self) -> str:
        """The commit for a sentence: its id and subject."""
        if self.label:
            return self.label
        if self.worktree:
            return f"the uncommitted changes on top of {self.parent[:SHORT]}"
        return f"{self.id} ({self.subject})" if self.subject else self.id


@dataclass(frozen=True, slots=True)
class Asked:
    """The commits to measure, the baseline first, and notes about what was chosen for the user."""

    commits: tuple[Commit, ...]
    notes: tuple[str, ...] = ()


def repository(folder: Path) -> Path:
    """The top folder of the checkout that holds `folder`. Raises CommitError, with the remedy, where git names none."""
    top, complaint = answer(folder, "rev-parse", "--show-toplevel")
    if top:
        return Path(top)
    if owner := re.search(r"git config --global --add safe\.directory .+", complaint):
        raise CommitError(f"git refuses {folder}, which belongs to another user: {owner[0].strip()}")
    if asks(folder, "rev-parse", "--is-bare-repository") == "true":
        raise CommitError(
            f"{folder} is a bare repository, without files: make a checkout of it by `git worktree add PATH BRANCH`, "
            "and compare there"
        )
    raise CommitError(
        f"{folder} is in no git checkout, so there are no commits to compare; "
        "two captures are compared by `profpipe compare`"
    )


def resolve(repo: Path, words: Sequence[str], *, every: bool = False, worktree: Commit | None = None) -> Asked:
    """The commits that `words` name: nothing, REF, A..B, A...B, or several refs; `every` = all between A and B.

    `worktree` is the contender if it is given. Raises UsageError for an unknown ref or an empty range, CommitError
    where a shallow clone lacks a commit.
    """
    if len(words) > 1:
        if every or any(".." in word for word in words):
            raise UsageError("give either one range A..B, or several commits without --all")
        named = [commit_of(repo, word) for word in words]
        return Asked(_distinct([*named, *([worktree] if worktree else [])]))
    base_ref, _, head_ref = _ends(words[0]) if words else ("", "", "")
    head = worktree or commit_of(repo, head_ref or "HEAD")
    if worktree is not None and head_ref:
        raise UsageError(f"--worktree is already the contender: leave {head_ref} out")
    notes: tuple[str, ...] = ()
    if base_ref:
        base = commit_of(repo, base_ref)
        if words and "..." in words[0]:
            base = _common(repo, base, head, base_ref)
    else:
        base, notes = _default_base(repo, head)
    if every:
        return Asked(_distinct([base, *_between(repo, base, head)]), notes)
    return Asked(_distinct([base, head]), notes)


def commit_of(repo: Path, ref: str) -> Commit:
    """The commit that a ref names. Raises UsageError, with how to fetch it, when it does not exist here."""
    full = asks(repo, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if not full or full.startswith("^"):  # ^REF is git's word for "not REF"
        if asks(repo, "rev-list", "--all", "--max-count=1") == "":
            raise UsageError(f"{repo} has no commit yet: make two, so that there is something to compare")
        raise UsageError(f"no commit {ref!r} in {repo}{how_to_get(repo, ref)}")
    subject, time = git(repo, "show", "--no-patch", "--format=%s%x00%cI", full).rstrip("\n").split("\0")
    return Commit(full, well_formed(ref), well_formed(subject), time)


def is_commit(repo: Path, ref: str) -> bool:
    """Whether this argument could be a commit or a range."""
    if ref.startswith("^"):
        return False
    return (
        ".." in ref
        or asks(repo, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}") is not None
    )


def how_to_get(repo: Path, ref: str = "") -> str:
    """The end of a message about a commit that this clone does not have: the line that fetches it."""
    if asks(repo, "rev-parse", "--is-shallow-repository") == "true":
        return ": this is a shallow clone; fetch the rest with `git fetch --unshallow` (in CI: set fetch-depth: 0)"
    if len(ref) == HASH and all(sign in "0123456789abcdef" for sign in ref):
        return f"; fetch it with `git fetch origin {ref}`"
    return "; `git fetch` may fetch it, `git log --oneline` lists local commits"


def _ends(word: str) -> tuple[str, str, str]:
    return word.partition("...") if "..." in word else word.partition("..")


def _distinct(commits: Sequence[Commit]) -> tuple[Commit, ...]:
    distinct = tuple({c.commit: c for c in reversed(commits)}.values())[::-1]
    if len(distinct) < 2:
        only = distinct[0]
        raise UsageError(
            f"{commits[0].ref} and {commits[-1].ref} are the same commit {only.id}: nothing to compare; "
            "`profpipe calibrate` compares a commit with itself"
        )
    _not_too_many(len(distinct))
    return distinct


def _not_too_many(commits: int) -> None:
    if commits > MOST:
        raise UsageError(f"{commits} commits are more than {MOST}: `profpipe bisect GOOD BAD` finds one of them")


def _between(repo: Path, base: Commit, head: Commit) -> list[Commit]:
    last = head.parent if head.worktree else head.commit
    names = git(repo, "rev-list", "--reverse", "--first-parent", f"{base.commit}..{last}").split()
    _not_too_many(len(names) + 1)
    found = [commit_of(repo, name) for name in names]
    return [*found, head] if head.worktree else found


def _common(repo: Path, base: Commit, head: Commit, ref: str) -> Commit:
    last = head.parent if head.worktree else head.commit
    common = asks(repo, "merge-base", base.commit, last)
    if not common:
        raise CommitError(f"{ref} and {last[:SHORT]} have no common commit here{how_to_get(repo)}")
    found = commit_of(repo, common)
    return Commit(found.commit, f"merge-base with {ref}", found.subject, found.time)


def _default_base(repo: Path, head: Commit) -> tuple[Commit, tuple[str, ...]]:
    """The merge-base with the default branch; on that branch itself the commit before."""
    branch = default_branch(repo)
    last = head.parent if head.worktree else head.commit
    if branch is not None:
        base = _common(repo, commit_of(repo, _full(branch)), head, branch)
        if base.commit != last:
            return base, (f"baseline {base.id}: where this branch left {branch}",)
        if head.worktree:
            return base, (f"baseline {base.id}: HEAD, without the uncommitted changes",)
    elif head.worktree:
        return commit_of(repo, "HEAD"), ("baseline HEAD, without the uncommitted changes",)
    before = asks(repo, "rev-parse", "--verify", "--quiet", f"{last}^{{commit}}~1")
    if not before:
        raise UsageError(
            f"{head.id} has no commit before it here{how_to_get(repo)}; name a baseline: profpipe diff BASE"
        )
    found = commit_of(repo, before)
    why = f"this is {branch}" if branch else "no default branch was found"
    return found, (f"baseline {found.id}: the commit before, since {why}",)


def default_branch(repo: Path) -> str | None:
    """The branch pull requests go to, `origin/main` or `main`, that exists here; None when nothing says which.

    Raises CommitError when CI names a target branch that this clone does not have: any other baseline would be wrong.
    """
    named = [name for variable in TARGET_BRANCHES if (name := os.environ.get(variable))]
    remote = asks(repo, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
    names = [*named, *([remote.removeprefix("origin/")] if remote else []), *USUAL]
    for name in dict.fromkeys(names):
        for ref in (f"origin/{name}", name):
            if asks(repo, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{_full(ref)}^{{commit}}"):
                return ref
        if name in named:
            raise CommitError(_no_target(repo, name))
    return None


def _full(branch: str) -> str:
    """The whole name of a branch: git takes a short one for a tag first."""
    return f"refs/remotes/{branch}" if branch.startswith("origin/") else f"refs/heads/{branch}"


def _no_target(repo: Path, name: str) -> str:
    shallow = asks(repo, "rev-parse", "--is-shallow-repository") == "true"
    branch = shlex.quote(f"+refs/heads/{name}:refs/remotes/origin/{name}")
    return (
        f"the pull request goes to {name}, which this clone does not have, so the commit where the branch began is "
        f"unknown: fetch it with `git fetch {'--unshallow ' if shallow else ''}origin {branch}` (in CI: set "
        "fetch-depth: 0)"
    )
