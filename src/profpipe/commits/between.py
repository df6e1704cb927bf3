"""What lies between two commits: the commits themselves, and the packages whose locked versions differ."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from profpipe.commits.git import asks

MOST_COMMITS, MOST_PACKAGES = 5, 8
# Larger lock files than this are not read.
MOST_BYTES = 4 << 20

_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)
_TABLE = re.compile(r'^name = "([^"]+)"\r?\nversion = "([^"]+)"', re.MULTILINE)
_GO = re.compile(r"^\s*(?:require\s+)?([\w.-]+\.[\w-]+/\S+)\s+(v\d\S*)", re.MULTILINE)


def commits_between(repo: Path, old: str, new: str) -> tuple[tuple[tuple[str, str], ...], int]:
    """(hash, subject) of the newest commits that `new` has and `old` has not, and how many more there are.

    Empty where this clone lacks one of the two.
    """
    listed = asks(repo, "log", "--format=%H %s", f"{old}..{new}", "--")
    lines = (listed or "").splitlines()
    found = [(line.partition(" ")[0], line.partition(" ")[2]) for line in lines]
    return tuple(found[:MOST_COMMITS]), max(len(found) - MOST_COMMITS, 0)


def packages_between(repo: Path, old: str, new: str) -> tuple[str, ...]:
    """`MarkupSafe 2.1.5 → 3.0.2` for every package whose version differs in a lock file of both commits."""
    listed = asks(repo, "diff", "--name-only", "--no-renames", "-z", old, new, "--")
    found: dict[str, None] = {}
    for path in (listed or "").split("\0"):
        read = _reader(path)
        if read is None:
            continue
        before, after = (read(_text(repo, commit, path)) for commit in (old, new))
        for name in sorted(before.keys() | after.keys(), key=str.lower):
            if before.get(name) != after.get(name):
                found[_words(name, before.get(name), after.get(name))] = None
    words = tuple(found)
    more = len(words) - MOST_PACKAGES
    return words if more <= 0 else (*words[:MOST_PACKAGES], f"and {more} more")


def _words(name: str, before: str | None, after: str | None) -> str:
    if before is None or after is None:
        return f"{name} {after or before} ({'gone' if after is None else 'new'})"
    return f"{name} {before} → {after}"


def _text(repo: Path, commit: str, path: str) -> str:
    text = asks(repo, "show", f"{commit}:{path}") or ""
    return text if len(text) <= MOST_BYTES else ""


def _reader(path: str) -> Callable[[str], Mapping[str, str]] | None:
    name = PurePosixPath(path).name
    if re.fullmatch(r"requirements.*\.(txt|lock|in)", name):
        return lambda text: dict(_PINNED.findall(text))
    if name in ("uv.lock", "poetry.lock", "pdm.lock", "Cargo.lock"):
        return lambda text: dict(_TABLE.findall(text))
    if name == "go.mod":
        return lambda text: dict(_GO.findall(text))
    if name in ("package-lock.json", "npm-shrinkwrap.json"):
        return _of_npm
    return None


def _of_npm(text: str) -> Mapping[str, str]:
    """The packages of a lock file of version 2 or 3 by their folder, `node_modules/` left out."""
    try:
        packages = json.loads(text)["packages"]
        return {
            path.rpartition("node_modules/")[2]: str(package["version"])
            for path, package in packages.items()
            if path and "version" in package
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
