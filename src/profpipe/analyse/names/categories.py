"""The role of a function across languages, by ordered rules: categories.toml, the user's own rules before it."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from profpipe.analyse.names.demangle import path_of
from profpipe.analyse.names.source_paths import base_name, in_packages
from profpipe.study.schema import CategoryRule

OTHER = "other"
APPLICATION = "application"


@dataclass(frozen=True, slots=True)
class Category:
    """`group` joins categories that tell one story, for example what it takes to write a response."""

    key: str
    label: str
    group: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Patterns:
    """Globs of one field: whole names in a set, the rest in one expression that runs in linear time each."""

    exact: frozenset[str]
    wild: re.Pattern[str] | None

    def match(self, text: str) -> bool:
        return text in self.exact or (self.wild is not None and self.wild.match(text) is not None)


@dataclass(frozen=True, slots=True)
class Rule:
    """`whole` = it is tried on the whole name, generic arguments included; the others on its path alone."""

    category: str
    name: Patterns
    object: Patterns | None = None
    file: Patterns | None = None
    runtime: str = ""
    examples: tuple[str, ...] = ()
    whole: bool = False

    def match(self, name: str, object: str, file: str, runtime: str) -> bool:
        """A rule without runtime is for native code: Python's names would fall into C patterns like `time.*`."""
        if runtime != self.runtime and not (self.runtime == "" and runtime in ("native", "synthetic")):
            return False
        if self.object is not None and not self.object.match(base_name(object)):
            return False
        if self.file is not None and not self.file.match(file):
            return False
        return self.name.match(name)


def glob(pattern: str) -> str:
    """A glob with * as a regular expression without backtracking over earlier stars (atomic groups)."""
    head, *rest = [re.escape(part) for part in re.sub(r"\*+", "*", pattern).split("*")]
    if not rest:
        return head + r"\Z"
    *middle, tail = rest
    return head + "".join(f"(?>.*?{part})" for part in middle) + (f".*{tail}\\Z" if tail else "")


def patterns(globs: Iterable[str]) -> Patterns:
    listed = tuple(globs)
    wild = [glob(g) for g in listed if "*" in g]
    return Patterns(
        frozenset(g for g in listed if "*" not in g),
        re.compile("|".join(f"(?:{w})" for w in wild), re.DOTALL) if wild else None,
    )


@dataclass(frozen=True, slots=True)
class Categories:
    """Rules in order, the user's before the built-in ones."""

    categories: tuple[Category, ...]
    user: tuple[Rule, ...]
    rules: tuple[Rule, ...]
    version: int

    def of(
        self, name: str, object: str = "", file: str = "", runtime: str = "native", own: frozenset[str] = frozenset()
    ) -> str:
        """The category key of a function by its normalised name, object and source file. `other` when no rule knows.

        `own` = base names of the program and of its scripts. A Python script of the target is the application whatever
        its functions are called; in a native program only what no rule claims is.
        """
        script = runtime == "python" and (base_name(file) in own or _outside_libraries(file))
        for rule in self.user:
            if rule.match(name, object, file, runtime):
                return rule.category
        path = path_of(name) if runtime == "native" else name
        for rule in () if script else self.rules:
            if rule.match(name if rule.whole else path, object, file, runtime):
                return rule.category
        return APPLICATION if script or base_name(object) in own else OTHER


def _outside_libraries(file: str) -> bool:
    """A source file that is neither installed nor of the standard library is the target's own.

    Samplers cut paths short (`asyncio/events.py`, `server.py`): there, a lone file name that is no module of the
    standard library is the target's; one inside a package is taken for a library's.
    """
    if not file.endswith(".py") or file.startswith("<"):
        return False
    if file.startswith("/"):
        return not in_packages(file)
    return "/" not in file and file.removesuffix(".py") not in sys.stdlib_module_names


@lru_cache(maxsize=1)
def _built_in() -> tuple[tuple[Category, ...], tuple[Rule, ...], int]:
    data = tomllib.loads(files("profpipe.analyse.names").joinpath("categories.toml").read_text(encoding="utf-8"))
    found = tuple(Category(**entry) for entry in data["category"])
    return found, tuple(_rule(entry) for entry in data["rule"]), int(data["version"])


def _rule(entry: Mapping[str, Any]) -> Rule:
    return Rule(
        entry["category"],
        patterns(entry["match"]),
        patterns(entry["object"]) if entry.get("object") else None,
        patterns(entry["file"]) if entry.get("file") else None,
        entry.get("runtime", ""),
        tuple(entry.get("examples", ())),
        entry.get("whole", False),
    )


def categories(own: Iterable[CategoryRule] = ()) -> Categories:
    """The built-in rules with the user's own before them. A user's rule applies to every runtime."""
    found, rules, version = _built_in()
    known = {c.key for c in found}
    user: list[Rule] = []
    new: dict[str, Category] = {}
    for rule in own:
        if rule.category not in known:
            new.setdefault(rule.category, Category(rule.category, rule.label or rule.category, rule.category))
        file = patterns([rule.file]) if rule.file else None
        object_ = patterns([rule.object]) if rule.object else None
        user += [
            Rule(rule.category, patterns(rule.match), object_, file, runtime, rule.examples)
            for runtime in ("", "python", "kernel")
        ]
    return Categories((*new.values(), *found), tuple(user), rules, version)
