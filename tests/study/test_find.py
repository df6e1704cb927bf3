"""Which file is read: --config, PROFPIPE_CONFIG, the nearest one up to the repository's root."""

from __future__ import annotations

from pathlib import Path

import pytest

from profpipe.errors import ConfigError
from profpipe.study import find_study_file


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """outside/repo/service/src, where repo is a repository."""
    monkeypatch.delenv("PROFPIPE_CONFIG", raising=False)
    (tmp_path / "repo/.git").mkdir(parents=True)
    (tmp_path / "repo/service/src").mkdir(parents=True)
    return tmp_path


def write(path: Path, text: str = "schema = 1\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_nearest_file_up_to_the_repository(tree: Path) -> None:
    outer = write(tree / "repo/profpipe.toml")
    assert find_study_file(tree / "repo/service/src") == outer
    inner = write(tree / "repo/service/profpipe.toml")
    assert find_study_file(tree / "repo/service/src") == inner


def test_a_worktrees_git_file_ends_the_search_too(tree: Path) -> None:
    write(tree / "repo/profpipe.toml")
    write(tree / "repo/service/.git", "gitdir: elsewhere\n")
    with pytest.raises(ConfigError, match=r"no profpipe\.toml"):
        find_study_file(tree / "repo/service/src")


def test_nothing_above_the_repository_is_searched(tree: Path) -> None:
    write(tree / "profpipe.toml")
    with pytest.raises(ConfigError) as caught:
        find_study_file(tree / "repo/service")
    assert f"searched {tree}/repo/service, {tree}/repo." in str(caught.value)
    assert "profpipe init" in str(caught.value)


def test_outside_a_repository_only_the_folder_itself_counts(tree: Path) -> None:
    """A file of somebody else in /tmp holds commands that are not ours to run."""
    above = write(tree / "profpipe.toml")
    (tree / "elsewhere").mkdir()
    with pytest.raises(ConfigError):
        find_study_file(tree / "elsewhere")
    assert find_study_file(tree) == above


def test_pyproject_counts_when_it_has_the_table(tree: Path) -> None:
    write(tree / "repo/service/pyproject.toml", "[project]\nname = 'x'\n")
    outer = write(tree / "repo/pyproject.toml", "[tool.profpipe]\n")
    assert find_study_file(tree / "repo/service") == outer
    own = write(tree / "repo/profpipe.toml")
    assert find_study_file(tree / "repo/service") == own


@pytest.mark.parametrize(
    ("text", "found"), [("[tool.profpipe\n", True), ("[tool.other\n", False), ("tool = 3\n", False)]
)
def test_a_broken_pyproject_counts_when_it_is_meant_for_us(tree: Path, text: str, found: bool) -> None:
    path = write(tree / "repo/pyproject.toml", text)
    if found:
        assert find_study_file(tree / "repo") == path
    else:
        with pytest.raises(ConfigError):
            find_study_file(tree / "repo")


def test_explicit_goes_before_the_variable_and_the_variable_before_the_search(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched = write(tree / "repo/profpipe.toml")
    named = write(tree / "named.toml")
    given = write(tree / "given/profpipe.toml")
    assert find_study_file(tree / "repo") == searched
    monkeypatch.setenv("PROFPIPE_CONFIG", "../named.toml")
    assert find_study_file(tree / "repo") == named
    assert find_study_file(tree / "repo", Path("../given")) == given, "a folder means the profpipe.toml in it"
    monkeypatch.setenv("PROFPIPE_CONFIG", "")
    assert find_study_file(tree / "repo") == searched, "an empty variable is none"


def test_a_missing_file_is_reported_with_what_named_it(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"x\.toml: no such file \(named by --config\)"):
        find_study_file(tree / "repo", Path("x.toml"))
    monkeypatch.setenv("PROFPIPE_CONFIG", "y.toml")
    with pytest.raises(ConfigError, match=r"y\.toml: no such file \(named by PROFPIPE_CONFIG\)"):
        find_study_file(tree / "repo")
