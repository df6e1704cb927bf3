"""What lies between two commits: subjects, and packages by every kind of lock file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from profpipe.commits.between import commits_between, packages_between
from tests.support.small_repository import put

pytestmark = pytest.mark.programs

NPM = {"": {"name": "shop"}, "node_modules/a/node_modules/debug": {"version": "2.6.9"}}


def npm(version: str) -> str:
    return json.dumps({"lockfileVersion": 3, "packages": NPM | {"node_modules/express": {"version": version}}})


@pytest.mark.parametrize(
    ("name", "before", "after", "expected"),
    [
        ("requirements.txt", "MarkupSafe==2.1.5\nflask==3\n", "MarkupSafe==3.0.2 \\\n  --hash=sha256:0\nflask==3\n",
         ("MarkupSafe 2.1.5 → 3.0.2",)),
        ("uv.lock", '[[package]]\nname = "yarl"\nversion = "1.9"\n', '[[package]]\nname = "yarl"\nversion = "1.17"\n',
         ("yarl 1.9 → 1.17",)),
        ("Cargo.lock", '[[package]]\nname = "hyper"\nversion = "1.0.0"\n', "",
         ("hyper 1.0.0 (gone)",)),
        ("go.mod", "module x\nrequire (\n\tgolang.org/x/net v0.20.0\n)\n",
         "module x\nrequire (\n\tgolang.org/x/net v0.21.0\n\tgithub.com/a/b v1.0.0 // indirect\n)\n",
         ("github.com/a/b v1.0.0 (new)", "golang.org/x/net v0.20.0 → v0.21.0")),
        ("package-lock.json", npm("4.18.2"), npm("4.19.2"), ("express 4.18.2 → 4.19.2",)),
        ("package-lock.json", "not JSON", npm("4.19.2"), ("debug 2.6.9 (new)", "express 4.19.2 (new)")),
        ("server.py", 'name = "a"\nversion = "1"\n', 'name = "a"\nversion = "2"\n', ()),
    ],
)  # fmt: skip
def test_packages_are_those_whose_locked_version_differs(
    repo: Path, name: str, before: str, after: str, expected: tuple[str, ...]
) -> None:
    (repo / "sub").mkdir()
    old, new = (put(repo, f"sub/{name}", text, "a lock") for text in (before, after))
    assert packages_between(repo, old, new) == expected


def test_many_packages_are_counted(repo: Path) -> None:
    old, new = (
        put(repo, "requirements.txt", "".join(f"p{n}=={version}\n" for n in range(20)), "all") for version in (1, 2)
    )
    assert packages_between(repo, old, new)[-1] == "and 12 more"


def test_the_newest_commits_come_first_and_the_rest_is_counted(repo: Path) -> None:
    old, *others = (put(repo, "file", str(n), f"change {n}") for n in range(8))
    found, more = commits_between(repo, old, others[-1])
    assert [subject for _, subject in found] == ["change 7", "change 6", "change 5", "change 4", "change 3"]
    assert (found[0][0], more) == (others[-1], 2)


def test_a_commit_that_the_clone_lacks_has_nothing_behind_it(repo: Path) -> None:
    head = put(repo, "file", "x", "one")
    assert commits_between(repo, "ab" * 20, head) == ((), 0)
    assert packages_between(repo, "ab" * 20, head) == ()
