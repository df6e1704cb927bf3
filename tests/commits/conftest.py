"""A small repository with a branch, and a cache of worktrees of its own for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.demo_repository import git
from tests.support.small_repository import put


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROFPIPE_CACHE", str(tmp_path / "cache"))
    for name in ("GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")


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
