"""Commits of real repositories: which are meant, side by side in worktrees, the user's checkout never touched."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from profpipe.commits.changes import changes
from profpipe.commits.resolve import Asked, commit_of, default_branch, repository, resolve
from profpipe.commits.state import CommitState, commit_state
from profpipe.commits.worktrees import cache_folder, checked_out, kept, remove, snapshot
from profpipe.errors import CommitError, UsageError
from tests.support.demo_repository import git


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROFPIPE_CACHE", str(tmp_path / "cache"))
    for name in ("GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")


def put(repo: Path, name: str, text: str, subject: str) -> str:
    (repo / name).write_text(text)
    git(repo, "add", "--all")
    git(repo, "commit", "--quiet", "-m", subject)
    return git(repo, "rev-parse", "HEAD")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """main: one, two; topic (checked out): one, two, three, four."""
    path = tmp_path / "repo"
    path.mkdir()
    git(path, "init", "--quiet", "--initial-branch=main")
    put(path, "a.txt", "1\n", "one")
    put(path, "a.txt", "2\n", "two")
    git(path, "checkout", "--quiet", "-b", "topic")
    put(path, "a.txt", "3\n", "three")
    put(path, "b.txt", "4\n", "four")
    return path


def subjects(asked: Asked) -> list[str]:
    return [commit.subject for commit in asked.commits]


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


# --- which commits ------------------------------------------------------------------------------------------------


def test_without_words_a_branch_is_compared_with_where_it_left_the_default_branch(repo: Path) -> None:
    asked = resolve(repo, ())
    assert subjects(asked) == ["two", "four"]
    assert "where this branch left main" in asked.notes[0]


def test_on_the_default_branch_itself_it_is_the_commit_before(repo: Path) -> None:
    git(repo, "checkout", "--quiet", "main")
    asked = resolve(repo, ())
    assert subjects(asked) == ["one", "two"]
    assert "the commit before" in asked.notes[0]


@pytest.mark.parametrize(
    ("words", "every", "expected"),
    [
        (("main",), False, ["two", "four"]),
        (("main~1..topic~1",), False, ["one", "three"]),
        (("main~1..",), False, ["one", "four"]),
        (("main...topic",), False, ["two", "four"]),
        (("main~1..topic",), True, ["one", "two", "three", "four"]),
        (("topic~2", "topic", "main~1"), False, ["two", "four", "one"]),
    ],
)
def test_ranges_and_lists(repo: Path, words: tuple[str, ...], every: bool, expected: list[str]) -> None:
    assert subjects(resolve(repo, words, every=every)) == expected


def test_ci_names_the_branch_a_pull_request_goes_to(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(repo, "branch", "release", "main~1")
    monkeypatch.setenv("GITHUB_BASE_REF", "release")
    assert default_branch(repo) == "release"
    assert subjects(resolve(repo, ())) == ["one", "four"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nothing-there",), "no commit 'nothing-there'"),
        (("topic..topic",), "the same commit"),
        (("main..topic", "main"), "either one range"),
        (("--output=/tmp/x",), "no commit '--output=/tmp/x'"),
    ],
)
def test_an_impossible_request_is_refused_with_the_reason(repo: Path, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        resolve(repo, words)


def test_a_shallow_clone_is_reported_with_the_command_that_fetches_the_rest(repo: Path, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow"
    subprocess.run(
        ["git", "clone", "--quiet", "--depth", "1", "--branch", "topic", f"file://{repo}", str(shallow)], check=True
    )
    with pytest.raises(UsageError, match=r"shallow clone; `git fetch --unshallow`"):
        resolve(shallow, ("main~1",))
    with pytest.raises(UsageError, match=r"no commit before it here: this is a shallow clone"):
        resolve(shallow, ())


def test_a_folder_outside_a_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommitError, match="in no git checkout"):
        repository(tmp_path)


def test_histories_without_a_common_commit_are_refused(repo: Path) -> None:
    git(repo, "checkout", "--quiet", "--orphan", "other")
    put(repo, "c.txt", "5\n", "five")
    with pytest.raises(CommitError, match="no common commit"):
        resolve(repo, ())


# --- side by side --------------------------------------------------------------------------------------------------


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


# --- uncommitted changes ---------------------------------------------------------------------------------------------


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
    assert subjects(asked) == ["two", "uncommitted changes"]


def test_nothing_uncommitted_is_no_commit(repo: Path) -> None:
    assert snapshot(repo) is None


# --- submodules ------------------------------------------------------------------------------------------------------


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


# --- what changed ----------------------------------------------------------------------------------------------------


def test_changes_are_git_diff_without_context(repo: Path) -> None:
    text = changes(repo, commit_of(repo, "main").commit, commit_of(repo, "topic").commit)
    assert "@@ -1 +1 @@\n-2\n+3\n" in text
    assert "+++ b/b.txt" in text


@pytest.mark.parametrize(
    ("name", "text", "heading"),
    [
        ("a.py", "class A:\n    def first(self):\n        pass\n    def last(self):\n        7\n", "def last"),
        ("a.rs", "impl A {\n    fn first() {\n    }\n    fn last() -> u8 {\n        7\n    }\n}\n", "fn last"),
        ("a.go", "func (a A) first() int {\n\treturn 1\n}\nfunc (a A) last() int {\n\treturn 7\n}\n", "last() int"),
    ],
)  # fmt: skip
def test_changes_name_the_function_they_lie_in(repo: Path, name: str, text: str, heading: str) -> None:
    before = put(repo, name, text, "before")
    after = put(repo, name, text.replace("7", "9"), "after")
    (line,) = [line for line in changes(repo, before, after).splitlines() if line.startswith("@@")]
    assert heading in line


def test_the_cache_is_named_by_the_repository(repo: Path, tmp_path: Path) -> None:
    assert cache_folder(repo).parent == tmp_path / "cache" / "worktrees"
    git(repo, "worktree", "add", "--quiet", str(tmp_path / "second"), "main")
    assert cache_folder(tmp_path / "second") == cache_folder(repo)


# --- the state of a folder -------------------------------------------------------------------------------------------


def test_the_state_of_a_checkout_is_its_commit_and_whether_tracked_files_differ(repo: Path, tmp_path: Path) -> None:
    head = git(repo, "rev-parse", "HEAD").strip()
    (repo / "new.txt").write_text("not tracked\n")
    assert commit_state(repo) == CommitState(head, dirty=False)
    (repo / "a.txt").write_text("changed\n")
    found = commit_state(repo)
    assert found == CommitState(head, dirty=True)
    assert found.text == f"{head[:12]} with uncommitted changes"
    assert commit_state(tmp_path) is None


def test_asking_for_the_state_runs_no_program_of_the_repository(repo: Path, tmp_path: Path) -> None:
    """git would run a configured file-system monitor on `status`."""
    ran = tmp_path / "ran"
    monitor = tmp_path / "monitor"
    monitor.write_text(f"#!/bin/sh\ntouch {ran}\n")
    monitor.chmod(0o755)
    git(repo, "config", "core.fsmonitor", str(monitor))
    assert commit_state(repo) is not None
    assert not ran.exists()


def test_the_state_is_that_of_the_folder_even_inside_a_git_hook(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """git sets GIT_DIR for its hooks; the folder's own repository is meant all the same."""
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    put(other, "x.txt", "x\n", "other")
    expected = commit_state(repo)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    assert commit_state(repo) == expected
