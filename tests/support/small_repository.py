"""Commits of one file, in a repository that a test makes."""

from __future__ import annotations

from pathlib import Path

from tests.support.demo_repository import git


def put(repo: Path, name: str, text: str, subject: str) -> str:
    """Write a file and commit it; returns the commit."""
    (repo / name).write_text(text)
    git(repo, "add", "--all")
    git(repo, "commit", "--quiet", "-m", subject)
    return git(repo, "rev-parse", "HEAD")
