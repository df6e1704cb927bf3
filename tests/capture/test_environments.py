"""Environments made from a checkout's own lock file, kept by what they depend on."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from profpipe.capture.environments.built import CARGO, GO
from profpipe.capture.environments.interface import EnvironmentKind, Package, Recipe, Requirement, Wanted
from profpipe.capture.environments.make import COMPLETE, Environment, make_environment
from profpipe.capture.environments.node import NPM
from profpipe.capture.environments.python import REQUIREMENTS, UV
from profpipe.capture.environments.registry import find_lock
from profpipe.errors import CaptureError, UsageError
from tests.support.tools import require


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    path = tmp_path / "checkout"
    path.mkdir()
    return path


def wanted(checkout: Path, lock: str, text: str = "", **more: object) -> Wanted:
    (checkout / lock).write_text(text)
    return Wanted(cwd=checkout, lock=checkout / lock, python=sys.executable, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("files", "kind", "lock"),
    [
        (("uv.lock", "requirements.txt"), UV, "uv.lock"),
        (("requirements.txt", "requirements-dev.txt"), REQUIREMENTS, "requirements.txt"),
        (("requirements-prod.txt",), REQUIREMENTS, "requirements-prod.txt"),
        (("package.json", "package-lock.json"), NPM, "package-lock.json"),
        (("go.mod", "go.sum"), GO, "go.mod"),
        (("Cargo.lock", "Cargo.toml"), CARGO, "Cargo.lock"),
    ],
)
@pytest.mark.programs
def test_the_lock_file_decides_how_an_environment_is_made(
    checkout: Path, files: tuple[str, ...], kind: EnvironmentKind, lock: str
) -> None:
    for file in files:
        (checkout / file).touch()
    assert find_lock(checkout) == (kind, checkout / lock)


def test_a_bump_of_a_node_package_needs_a_lock_of_node(checkout: Path) -> None:
    (checkout / "requirements.txt").touch()
    (checkout / "package-lock.json").touch()
    assert find_lock(checkout, between="@")[0] is NPM


@pytest.mark.parametrize(
    ("named", "message"),
    [("", "has no lock file"), ("requirements.txt", "does not exist in this commit"), ("notes.md", "of no known kind")],
)
def test_a_lock_that_cannot_be_used_is_named(checkout: Path, named: str, message: str) -> None:
    (checkout / "notes.md").touch()
    with pytest.raises(UsageError, match=message):
        find_lock(checkout, named)


@pytest.mark.programs
def test_what_a_requirements_file_includes_is_part_of_what_it_depends_on(checkout: Path) -> None:
    (checkout / "base.txt").write_text("jinja2==3.1.4\n")
    at = wanted(checkout, "requirements.txt", "-r base.txt\nflask\n")
    before = REQUIREMENTS.inputs(at)
    (checkout / "base.txt").write_text("jinja2==3.1.6\n")
    assert REQUIREMENTS.inputs(at) != before


@pytest.mark.programs
@pytest.mark.parametrize(
    ("text", "shared"),
    [("flask==3.0.0\n", True), ("-e .\n", False), (".\n", False), ("./lib\n", False), ("a @ file:///x\n", False)],
)
def test_commits_share_an_environment_unless_the_checkout_is_installed_into_it(
    tmp_path: Path, text: str, shared: bool
) -> None:
    found = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        found.append(REQUIREMENTS.inputs(wanted(tmp_path / name, "requirements.txt", text)))
    assert (found[0] == found[1]) is shared


def test_a_bump_is_installed_after_the_lock_so_that_nothing_else_changes(checkout: Path) -> None:
    at = wanted(checkout, "requirements.txt", "flask\n", bump=(Requirement("jinja2", "3.1.6"),), extra=("yappi",))
    commands = [" ".join(command) for command in REQUIREMENTS.recipe(at, checkout / "env").commands]
    assert [command.rpartition(" ")[2] for command in commands[1:]] == [str(at.lock), "yappi", "jinja2==3.1.6"]


def test_modules_and_crates_are_bumped_in_the_checkout_before_its_build(checkout: Path) -> None:
    at = wanted(checkout, "go.mod", "module x\n", bump=(Requirement("golang.org/x/net", "0.21.0"),))
    assert GO.recipe(at, checkout).commands == (("go", "get", "golang.org/x/net@v0.21.0"),)
    at = wanted(checkout, "Cargo.lock", bump=(Requirement("serde_json", "1.0.108"),))
    assert CARGO.recipe(at, checkout).commands == (("cargo", "update", "-p", "serde_json", "--precise", "1.0.108"),)


def test_versions_are_read_from_go_mod_and_cargo_lock(checkout: Path) -> None:
    text = (
        "module example.com/x\ngo 1.22\nrequire (\n\tgolang.org/x/net v0.20.0 // indirect\n\tgithub.com/a/b v1.2.3\n)\n"
    )
    at = wanted(checkout, "go.mod", text)
    assert GO.packages(at.cwd, checkout) == {
        "github.com/a/b": Package("v1.2.3", ("github.com/a/b",)),
        "golang.org/x/net": Package("v0.20.0", ("golang.org/x/net",)),
    }
    at = wanted(checkout, "Cargo.lock", '[[package]]\nname = "syn"\nversion = "2.0.1"\n')
    assert {name: found.version for name, found in CARGO.packages(at.cwd, checkout).items()} == {"syn": "2.0.1"}


def made(kind: EnvironmentKind, at: Wanted, cache: Path, lines: list[str] | None = None) -> Environment:
    return make_environment(kind, at, cache, (lines if lines is not None else []).append)


@pytest.mark.real
def test_a_python_environment_is_made_once_and_linked_into_each_checkout(tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        found.append(made(REQUIREMENTS, wanted(tmp_path / name, "requirements.txt", "# none\n"), tmp_path / "cache"))
    first, second = found
    assert first.folder == second.folder
    for name, environment in zip(("one", "two"), found, strict=True):
        assert environment.link == tmp_path / name / ".venv"
        assert (tmp_path / name / ".venv/bin/python").exists()
        assert environment.link.resolve() == first.folder


@pytest.mark.real
def test_a_node_environment_is_what_npm_installs_from_the_lock(checkout: Path) -> None:
    require("npm")
    (checkout / "package.json").write_text(json.dumps({"name": "x", "version": "1.0.0"}))
    lock = {"name": "x", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": {"name": "x", "version": "1.0.0"}}}
    at = wanted(checkout, "package-lock.json", json.dumps(lock))
    environment = made(NPM, at, checkout.parent / "cache")
    assert (environment.folder / COMPLETE).is_file()
    assert (checkout / "node_modules").is_symlink()


class FailingTool:
    """A kind of environment whose tool fails."""

    name, locks, link, programs, between = "failing", ("go.mod",), ".venv", "bin", "=="

    def missing(self) -> str | None:
        return None

    def inputs(self, wanted: Wanted) -> tuple[bytes, ...]:
        return ()

    def recipe(self, wanted: Wanted, folder: Path) -> Recipe:
        return Recipe((("sh", "-c", "echo no such version; exit 3"),))

    def packages(self, wanted: Wanted, folder: Path) -> dict[str, str]:
        return {}


@pytest.mark.programs
def test_a_failed_installation_is_reported_with_its_last_lines_and_tried_again(checkout: Path) -> None:
    at = wanted(checkout, "go.mod")
    for _ in range(2):
        with pytest.raises(CaptureError, match="exit status 3") as error:
            made(FailingTool(), at, checkout.parent / "cache")
        assert error.value.log_tail[-1] == "no such version"
    assert not (checkout / ".venv").exists()


def test_a_folder_of_that_name_in_the_commit_is_not_replaced(checkout: Path, tmp_path: Path) -> None:
    class Empty(FailingTool):
        def recipe(self, wanted: Wanted, folder: Path) -> Recipe:
            return Recipe(())

    (checkout / ".venv").mkdir()
    with pytest.raises(CaptureError, match=r"the commit already has a folder \.venv"):
        made(Empty(), wanted(checkout, "go.mod"), tmp_path / "cache")
