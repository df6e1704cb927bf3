"""Which commits a command line means."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from profpipe.commits.resolve import TARGET_BRANCHES, Asked, default_branch, is_commit, repository, resolve
from profpipe.errors import CommitError, ProfpipeError, UsageError
from tests.support.demo_repository import git
from tests.support.small_repository import put

pytestmark = pytest.mark.programs


def subjects(asked: Asked) -> list[str]:
    return [commit.subject for commit in asked.commits]


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


def shallow_clone(repo: Path, folder: Path, branch: str) -> Path:
    words = ["git", "clone", "--quiet", "--depth", "1", "--branch", branch, f"file://{repo}", str(folder)]
    subprocess.run(words, check=True)
    return folder


def run_the_line(error: pytest.ExceptionInfo[ProfpipeError], folder: Path) -> None:
    """Type what the message says, in a shell."""
    line = re.search(r"`(git fetch [^`]*)`", str(error.value))
    assert line, error.value
    subprocess.run(line[1], shell=True, cwd=folder, check=True, capture_output=True, timeout=60)


def test_a_shallow_clone_is_reported_with_the_line_that_fetches_the_rest(repo: Path, tmp_path: Path) -> None:
    shallow = shallow_clone(repo, tmp_path / "shallow", "topic")
    with pytest.raises(UsageError, match=r"no commit before it here: this is a shallow clone"):
        resolve(shallow, ())
    for word in ("HEAD~1", git(repo, "rev-parse", "main")):
        with pytest.raises(UsageError, match=r"this is a shallow clone; fetch the rest with `git fetch") as error:
            resolve(shallow, (word,))
    run_the_line(error, shallow)
    assert subjects(resolve(shallow, ("HEAD~1",))) == ["three", "four"]


def test_a_target_branch_that_a_shallow_clone_lacks_is_never_replaced(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Measured against the commit before, the pull request would be blamed for a part of itself only."""
    monkeypatch.setenv("GITHUB_BASE_REF", "main")
    shallow = shallow_clone(repo, tmp_path / "shallow", "topic")
    with pytest.raises(CommitError, match=r"goes to main, which this clone does not have") as error:
        resolve(shallow, ())
    run_the_line(error, shallow)
    assert subjects(resolve(shallow, ())) == ["two", "four"]


def test_a_commit_that_was_not_fetched_is_named_with_the_line_that_fetches_it(repo: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", "--single-branch", "-b", "main", f"file://{repo}", clone], check=True)
    other = git(repo, "rev-parse", "topic")
    with pytest.raises(UsageError, match=f"git fetch origin {other}") as error:
        resolve(clone, (other,))
    git(repo, "config", "uploadpack.allowAnySHA1InWant", "true")
    run_the_line(error, clone)
    assert subjects(resolve(clone, (f"{other}~2..{other}",))) == ["two", "four"]


@pytest.mark.parametrize("variable", TARGET_BRANCHES)
def test_after_the_target_moved_the_baseline_is_still_the_merge_base(
    repo: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    git(repo, "checkout", "--quiet", "main")
    put(repo, "other", "5", "five")
    git(repo, "checkout", "--quiet", "--detach", "topic")
    monkeypatch.setenv(variable, "main")
    assert subjects(resolve(repo, ())) == ["two", "four"]


def test_a_folder_outside_a_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommitError, match="in no git checkout"):
        repository(tmp_path)


def test_histories_without_a_common_commit_are_refused(repo: Path) -> None:
    git(repo, "checkout", "--quiet", "--orphan", "other")
    put(repo, "c.txt", "5\n", "five")
    with pytest.raises(CommitError, match="no common commit"):
        resolve(repo, ())


@pytest.mark.parametrize(
    "words", [("^HEAD",), ("HEAD", "^HEAD"), ("^HEAD~1..HEAD",), ("HEAD~1..^HEAD",), ("^main", "^HEAD")]
)
def test_a_ref_with_gits_word_for_not_is_no_commit(repo: Path, words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match=r"no commit '\^"):
        resolve(repo, words)
    assert not is_commit(repo, "^HEAD")
