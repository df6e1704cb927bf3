"""What changed between two commits, and which commit a folder is at."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from profpipe.analyse.commits.diff import parse_diff
from profpipe.commits.changes import changes
from profpipe.commits.resolve import commit_of, resolve
from profpipe.commits.state import CommitState, commit_state
from profpipe.commits.worktrees import cache_folder, checked_out, snapshot
from tests.support.demo_repository import git
from tests.support.small_repository import put

pytestmark = pytest.mark.programs


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


def test_nothing_that_a_repository_configures_is_run(repo: Path, tmp_path: Path) -> None:
    """A clone of somebody else's folder brings its .git/config and hooks with it."""
    ran = tmp_path / "ran"
    script = tmp_path / "script"
    script.write_text(f'#!/bin/sh\necho "$0 $@" >> {ran}\n')
    script.chmod(0o755)
    for name in ("core.fsmonitor", "gpg.program", "diff.external", "core.pager", "core.editor", "core.sshCommand"):
        git(repo, "config", name, str(script))
    git(repo, "config", "log.showSignature", "true")
    for hook in ("post-index-change", "post-checkout", "reference-transaction", "pre-commit"):
        (repo / ".git" / "hooks").mkdir(exist_ok=True)
        (repo / ".git" / "hooks" / hook).symlink_to(script)
    ran.unlink(missing_ok=True)  # what the setting up of this test has run
    (repo / "a.txt").write_text("changed\n")
    assert commit_state(repo) is not None
    changes(repo, "HEAD~1", "HEAD")
    snapshot(repo)
    with checked_out(repo, resolve(repo, ("HEAD~1..HEAD",)).commits):
        pass
    assert not ran.exists(), ran.read_text()


def test_a_subject_an_author_and_a_path_that_are_not_utf_8(repo: Path) -> None:
    path = repo / os.fsdecode(b"caf\xe9.py")
    author = os.fsdecode(b"--author=Ren\xe9 <rene@example.org>")
    for value in (1, 2):
        path.write_text(f"def price():\n    return {value}\n")
        git(repo, "add", "--all")
        git(repo, "commit", "--quiet", author, "-m", os.fsdecode(b"caf\xe9 \xff"))
    asked = resolve(repo, ("HEAD~1", "HEAD"), every=False, worktree=None)
    assert [commit.subject for commit in asked.commits] == ["café ÿ", "café ÿ"]
    (changed,) = parse_diff(changes(repo, "HEAD~1", "HEAD")).files
    assert changed.after == "caf\N{REPLACEMENT CHARACTER}.py"
    assert changed.hunks[0].heading == "price"
