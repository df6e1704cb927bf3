"""`--bump`: a package in two versions at one commit, as two commits with the same files."""

from __future__ import annotations

from pathlib import Path

import pytest

from profpipe.capture import Package, Requirement
from profpipe.commits.worktrees import checked_out
from profpipe.errors import CaptureError, UsageError
from profpipe.pipeline.commits.bump import Bump, check_installed, read_bump, requirements, twice
from tests.support.demo_repository import git
from tests.support.small_repository import put


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PROFPIPE_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "repo"
    path.mkdir()
    git(path, "init", "--quiet", "--initial-branch=main")
    put(path, "app.py", "1\n", "first")
    return path


@pytest.mark.parametrize(
    ("text", "name", "before", "after", "between"),
    [
        ("jinja2==3.1.4..3.1.6", "jinja2", "3.1.4", "3.1.6", "=="),
        ("jinja2==..3.1.6", "jinja2", "", "3.1.6", "=="),
        ("uvicorn[standard]==0.30.0..0.31.0rc1", "uvicorn[standard]", "0.30.0", "0.31.0rc1", "=="),
        ("express@4.18.0..4.19.2", "express", "4.18.0", "4.19.2", "@"),
        ("@hapi/hapi@21.0.0..21.1.0", "@hapi/hapi", "21.0.0", "21.1.0", "@"),
        ("golang.org/x/net@v0.20.0..v0.21.0", "golang.org/x/net", "v0.20.0", "v0.21.0", "@"),
    ],
)
def test_a_bump_names_a_package_and_two_versions(text: str, name: str, before: str, after: str, between: str) -> None:
    assert read_bump(text) == Bump(name, before, after, between)
    assert read_bump(text).text == text


@pytest.mark.parametrize(
    "text", ["jinja2", "jinja2==3.1.4", "jinja2==3.1.4..", "==1..2", "--index-url==1..2", "a==1..--pre", "a b==1..2"]
)
def test_what_is_no_bump_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="expected a package and two versions, such as jinja2"):
        read_bump(text)


def test_two_equal_versions_are_refused() -> None:
    with pytest.raises(UsageError, match=r"both versions are 3\.1\.4"):
        read_bump("jinja2==3.1.4..3.1.4")


@pytest.mark.programs
def test_both_sides_have_the_files_of_the_commit_in_worktrees_of_their_own(repo: Path) -> None:
    asked = twice(repo, (), None, [read_bump("jinja2==..3.1.6")])
    assert [c.id for c in asked.commits] == ["jinja2-as-locked", "jinja2-3.1.6"]
    with checked_out(repo, asked.commits) as folders:
        first, second = folders.values()
        assert first != second
        assert len(str(first)) == len(str(second))
        assert [(folder / "app.py").read_text() for folder in (first, second)] == ["1\n", "1\n"]
    assert {c.parent for c in asked.commits} == {git(repo, "rev-parse", "HEAD")}
    assert git(repo, "status", "--porcelain") == ""


@pytest.mark.programs
def test_the_same_bump_finds_its_worktrees_again(repo: Path) -> None:
    bump = [read_bump("jinja2==3.1.4..3.1.6")]
    assert twice(repo, (), None, bump) == twice(repo, ("HEAD",), None, bump)


@pytest.mark.programs
def test_only_what_differs_from_the_lock_is_asked_for(repo: Path) -> None:
    bumps = [read_bump("jinja2==..3.1.6"), read_bump("werkzeug==3.0.0..3.0.1")]
    asked = twice(repo, (), None, bumps)
    assert list(requirements(asked, bumps).values()) == [
        (Requirement("werkzeug", "3.0.0"),),
        (Requirement("jinja2", "3.1.6"), Requirement("werkzeug", "3.0.1")),
    ]


@pytest.mark.programs
def test_a_range_of_commits_is_refused(repo: Path) -> None:
    with pytest.raises(UsageError, match="at one commit"):
        twice(repo, ("HEAD~1..HEAD",), None, [read_bump("jinja2==..3.1.6")])


@pytest.mark.programs
def test_bumps_of_two_languages_are_refused(repo: Path) -> None:
    with pytest.raises(UsageError, match="one language at a time"):
        twice(repo, (), None, [read_bump("jinja2==..3.1.6"), read_bump("express@..4.19.2")])


@pytest.mark.parametrize(
    ("wanted", "packages"),
    [
        (Requirement("markupsafe", "3.0.2"), {"MarkupSafe": "3.0.2"}),
        (Requirement("zope.interface", "6.0"), {"zope-interface": "6.0"}),
        (Requirement("uvicorn[standard]", "0.31"), {"uvicorn": "0.31"}),
        (Requirement("golang.org/x/net", "0.21.0"), {"golang.org/x/net": "v0.21.0"}),
        (Requirement("syn", "1.0.109"), {"syn": "1.0.109, 2.0.1"}),
    ],
)
def test_a_package_is_found_under_its_own_spelling(wanted: Requirement, packages: dict[str, str]) -> None:
    check_installed("x", [wanted], {name: Package(version) for name, version in packages.items()})


def test_a_build_that_puts_the_old_version_back_is_named() -> None:
    with pytest.raises(CaptureError, match=r"jinja2 is 3.1.4, 3.1.6 was asked for: does the target's `build` install"):
        check_installed("jinja2-3.1.6", [Requirement("jinja2", "3.1.6")], {"Jinja2": Package("3.1.4")})
