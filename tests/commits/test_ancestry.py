"""Commits are ordered by ancestry, whatever their times say."""

from __future__ import annotations

from pathlib import Path

import pytest

from profpipe.commits.ancestry import by_ancestry
from tests.support.demo_repository import git
from tests.support.small_repository import put

pytestmark = pytest.mark.programs


def test_parents_come_before_children_whatever_the_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):
        monkeypatch.setenv(name, "2026-01-01T00:00:00+00:00")
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    made = [put(tmp_path, "a.txt", f"{number}\n", f"commit {number}") for number in range(6)]
    found = by_ancestry(tmp_path, sorted(made))
    assert sorted(made, key=found.__getitem__) == made
    found = by_ancestry(tmp_path, [made[4], made[1], "ab" * 20])
    assert sorted(found, key=found.__getitem__) == [made[1], made[4]]


def test_a_clock_that_was_wrong_does_not_put_a_child_before_its_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    made = []
    for number, year in enumerate((2026, 2031, 2024, 2027)):
        for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):
            monkeypatch.setenv(name, f"{year}-01-01T00:00:00+00:00")
        made.append(put(tmp_path, "a.txt", f"{number}\n", f"commit {number}"))
    found = by_ancestry(tmp_path, sorted(made))
    assert sorted(made, key=found.__getitem__) == made


def test_without_a_repository_there_is_no_order(tmp_path: Path) -> None:
    assert by_ancestry(tmp_path, ["ab" * 20, "cd" * 20]) == {}
