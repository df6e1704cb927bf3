"""Commits are checked out next to each other; the user's checkout is never touched."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from profpipe.commits.resolve import resolve
from profpipe.commits.worktrees import checked_out, kept, remove, snapshot
from profpipe.errors import CommitError
from tests.support.demo_repository import git
from tests.support.small_repository import put

pytestmark = pytest.mark.programs


def state(repo: Path) -> tuple[str, ...]:
    """All of a checkout that a command could touch."""
    words = (
        ["status", "--porcelain"],
        ["rev-parse", "HEAD"],
        ["symbolic-ref", "HEAD"],
        ["ls-files", "-s"],
        ["stash", "list"],
    )
    files = "".join(f"{p.name}={p.read_text()}" for p in sorted(repo.glob("*.txt")))
    return (*(git(repo, *w) for w in words), files)


def test_worktrees_have_paths_of_one_length(repo: Path) -> None:
    before = state(repo)
    asked = resolve(repo, ("main~1..topic",))
    with checked_out(repo, asked.commits) as folders:
        assert [(folders[c.id] / "a.txt").read_text() for c in asked.commits] == ["1\n", "3\n"]
        assert len({len(str(path)) for path in folders.values()}) == 1
    assert state(repo) == before


def test_a_worktree_is_kept_with_its_build_and_without_what_the_build_changed(repo: Path) -> None:
    asked = resolve(repo, ("main..topic",))
    with checked_out(repo, asked.commits) as folders:
        built = folders[asked.commits[1].id]
        (built / "server").write_text("a program")
        (built / "a.txt").write_text("changed by the build\n")
    with checked_out(repo, asked.commits) as folders:
        assert folders[asked.commits[1].id] == built
        assert (built / "server").read_text() == "a program"
        assert (built / "a.txt").read_text() == "3\n"


def test_a_damaged_worktree_is_made_anew(repo: Path) -> None:
    asked = resolve(repo, ("main..topic",))
    with checked_out(repo, asked.commits) as folders:
        path = folders[asked.commits[0].id]
    (path / ".git").write_text("gitdir: nowhere\n")
    with checked_out(repo, asked.commits) as folders:
        assert (folders[asked.commits[0].id] / "a.txt").read_text() == "2\n"


def test_two_runs_do_not_share_a_worktree(repo: Path) -> None:
    asked = resolve(repo, ("main..topic",))
    with (
        checked_out(repo, asked.commits),
        pytest.raises(CommitError, match="another profpipe is measuring commits"),
        checked_out(repo, asked.commits),
    ):
        pass


def test_kept_worktrees_can_be_removed(repo: Path) -> None:
    asked = resolve(repo, ("main..topic",))
    with checked_out(repo, asked.commits):
        pass
    assert {k.commit for k in kept(repo)} == {c.commit for c in asked.commits}
    for found in kept(repo):
        remove(repo, found.path)
    assert kept(repo) == ()
    assert len(git(repo, "worktree", "list").splitlines()) == 1


def test_worktrees_of_the_user_are_not_touched(repo: Path, tmp_path: Path) -> None:
    """Nor is one with its folder on a disk that is not mounted now."""
    git(repo, "worktree", "add", "--quiet", str(tmp_path / "away"), "main")
    (tmp_path / "away").rename(tmp_path / "unmounted")
    asked = resolve(repo, ("main~1..topic",))
    with checked_out(repo, asked.commits):
        pass
    for found in kept(repo):
        remove(repo, found.path)
    (tmp_path / "unmounted").rename(tmp_path / "away")
    assert git(tmp_path / "away", "status", "--porcelain") == ""


def test_hooks_of_the_repository_are_not_run(repo: Path, tmp_path: Path) -> None:
    hook = repo / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    with checked_out(repo, resolve(repo, ("main..topic",)).commits):
        pass
    assert not (tmp_path / "ran").exists()


def test_uncommitted_changes_are_a_commit_of_our_own(repo: Path) -> None:
    (repo / "a.txt").write_text("staged\n")
    git(repo, "add", "a.txt")
    (repo / "a.txt").write_text("edited after that\n")
    (repo / "new.txt").write_text("untracked\n")
    (repo / "b.txt").unlink()
    before = state(repo)
    found = snapshot(repo)
    assert found is not None
    assert state(repo) == before
    asked = resolve(repo, (), worktree=found)
    assert [c.id for c in asked.commits] == [asked.commits[0].commit[:8], "worktree"]
    with checked_out(repo, asked.commits) as folders:
        path = folders["worktree"]
        assert (path / "a.txt").read_text() == "edited after that\n"
        assert (path / "new.txt").read_text() == "untracked\n"
        assert not (path / "b.txt").exists()
    assert state(repo) == before
    assert snapshot(repo) == found, "the same files are the same commit, so its build is found again"


def test_on_the_default_branch_uncommitted_changes_are_compared_with_head(repo: Path) -> None:
    git(repo, "checkout", "--quiet", "main")
    (repo / "a.txt").write_text("edited\n")
    asked = resolve(repo, (), worktree=snapshot(repo))
    assert [commit.subject for commit in asked.commits] == ["two", "uncommitted changes"]


def test_nothing_uncommitted_is_no_commit(repo: Path) -> None:
    assert snapshot(repo) is None


@pytest.fixture
def with_submodule(repo: Path, tmp_path: Path) -> Path:
    library = tmp_path / "library"
    library.mkdir()
    git(library, "init", "--quiet", "--initial-branch=main")
    put(library, "lib.txt", "old\n", "old")
    git(repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), "lib")
    git(repo, "commit", "--quiet", "-m", "with a library")
    return repo


def test_submodules_come_from_the_users_own_clones(with_submodule: Path) -> None:
    put(with_submodule / "lib", "lib.txt", "new\n", "new")
    git(with_submodule, "commit", "--quiet", "--all", "-m", "a newer library")
    asked = resolve(with_submodule, ("HEAD~1..HEAD",))
    for _ in range(2):
        with checked_out(with_submodule, asked.commits) as folders:
            texts = [(folders[c.id] / "lib" / "lib.txt").read_text() for c in asked.commits]
            assert texts == ["old\n", "new\n"]
    for found in kept(with_submodule):
        remove(with_submodule, found.path)
    assert kept(with_submodule) == ()


def test_a_missing_commit_of_a_submodule_is_reported_with_the_remedy(with_submodule: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(with_submodule), str(clone)], check=True)
    asked = resolve(clone, ("HEAD~1..HEAD",))
    with (
        pytest.raises(CommitError, match=r"submodule lib has no commit .* git submodule update --init lib"),
        checked_out(clone, asked.commits),
    ):
        pass


def test_a_missing_filter_of_git_is_named_with_what_to_install(repo: Path) -> None:
    put(repo, ".gitattributes", "*.bin filter=lfs\n", "lfs")
    put(repo, "a.bin", "pointer\n", "a big file")
    git(repo, "config", "filter.lfs.smudge", "git-lfs-is-not-here smudge -- %f")
    git(repo, "config", "filter.lfs.required", "true")
    commits = resolve(repo, ("HEAD~1..HEAD",)).commits
    why = r"git-lfs-is-not-here: .*not found.*install git-lfs"
    with pytest.raises(CommitError, match=why), checked_out(repo, commits):
        pass
