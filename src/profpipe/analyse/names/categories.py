"""The category of a function across languages, by ordered rules: the user's own, then the built-in ones.

The built-in rules are written in categories*.toml and read from categories.json, which `make docs` makes from them:
reading the TOML took a fifth of a small `profpipe parse`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from profpipe.analyse.names import java_names, js_scripts
from profpipe.analyse.names.demangle import path_of
from profpipe.analyse.names.globs import GlobIndex, glob_index
from profpipe.analyse.names.go_packages import owner, package_of
from profpipe.analyse.names.source_paths import base_name, in_packages, origin

if TYPE_CHECKING:
    from profpipe.model.report import Origin
    from profpipe.study.schema import CategoryRule

OTHER = "other"
APPLICATION = "application"
STANDARD_LIBRARY, LIBRARY, PROFILING = "standard-library", "library", "profiling"
# Of a function of Python that no rule names: by whose code it is.
_BY_ORIGIN: Mapping[Origin, str] = {
    "own": APPLICATION,
    "library": LIBRARY,
    "standard library": STANDARD_LIBRARY,
    "interpreter": "built-ins",
}


@dataclass(frozen=True, slots=True)
class Category:
    """`group` joins related categories, for example those that together write a response."""

    key: str
    label: str
    group: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """Functions with a name that one of `names` matches, in an object and a file that the other globs match if any.

    `whole` = the names are matched with the whole name, generic arguments included; otherwise only with its path.
    """

    category: str
    names: tuple[str, ...]
    objects: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    runtime: str = ""
    examples: tuple[str, ...] = ()
    whole: bool = False


@dataclass(frozen=True)
class RuleSet:
    """Rules in order of precedence, and one index of their globs per field; a rule's number is its place.

    An index is made when it is first asked: most captures have functions of one or two runtimes.
    """

    rules: tuple[Rule, ...]

    @cached_property
    def on_path(self) -> GlobIndex:
        return glob_index([() if rule.whole else rule.names for rule in self.rules])

    @cached_property
    def on_name(self) -> GlobIndex:
        return glob_index([rule.names if rule.whole else () for rule in self.rules])

    @cached_property
    def on_object(self) -> GlobIndex:
        return glob_index([rule.objects for rule in self.rules])

    @cached_property
    def on_file(self) -> GlobIndex:
        return glob_index([rule.files for rule in self.rules])

    def first(self, name: str, path: str, object: str, file: str) -> str | None:
        """The category of the first rule that matches, or None.

        A thousand globs are answered by about thirty look-ups and a hundred searches for a fixed text; trying each
        rule in turn took ten times as long, most of `profpipe parse`.
        """
        objects: set[int] | None = None
        files: set[int] | None = None
        for number in sorted(self.on_path.matching(path) | self.on_name.matching(name)):
            rule = self.rules[number]
            if rule.objects:
                objects = self.on_object.matching(base_name(object)) if objects is None else objects
                if number not in objects:
                    continue
            if rule.files:
                files = self.on_file.matching(file) if files is None else files
                if number not in files:
                    continue
            return rule.category
        return None


@dataclass(frozen=True, slots=True)
class Categories:
    """Categories and the rules that find them: `user` for functions of every runtime, before `built_in` by runtime."""

    categories: tuple[Category, ...]
    user: RuleSet
    built_in: Mapping[str, RuleSet]
    version: int

    def of(
        self, name: str, object: str = "", file: str = "", runtime: str = "native", own: frozenset[str] = frozenset()
    ) -> str:
        """The category key of a function by its normalised name, object and source file; `other` without a rule.

        `own` = base names of the program and of its scripts, the path of its Go module, and its Java packages. A Python
        script, a Go or a Java package of the target is the application whatever its functions are called; in a native
        program, functions that no rule matches are. `runtime` is the level: python, go, js, java, native, kernel or
        synthetic.
        """
        if found := self.user.first(name, name, object, file):
            return found
        if runtime == "python" and (base_name(file) in own or _outside_libraries(file)):
            return APPLICATION
        if runtime == "js":
            return self._of_script(name, file)
        if runtime == "java":
            return self._of_class(name, file, own)
        if runtime == "go" and (package := package_of(name)):
            return self._of_package(name, package, file, own)
        path = path_of(name) if runtime in ("native", "go") else name
        for level in (runtime, "native") if runtime == "go" else (runtime,):
            if found := self.built_in[level].first(name, path, object, file):
                return found
        if runtime == "python":
            return _BY_ORIGIN.get(origin(name, file, object, runtime, own), OTHER)
        return APPLICATION if base_name(object) in own else OTHER

    def _of_script(self, name: str, url: str) -> str:
        """JavaScript: the server's own scripts first, whatever their functions are called, then the rules."""
        whose = js_scripts.owner(url)
        found = self.built_in["js"].first(name, name, "", url)
        if whose == "own" and found != PROFILING:
            return APPLICATION
        return found or (STANDARD_LIBRARY if whose == "standard" else LIBRARY if whose == "module" else OTHER)

    def _of_class(self, name: str, file: str, own: frozenset[str]) -> str:
        """Java: the program's own packages first, whatever their methods are called, then the rules."""
        whose = java_names.owner(java_names.package_of(name), own)
        if whose == "own" and file:
            return APPLICATION
        found = self.built_in["java"].first(name, name, "", file)
        return found or (STANDARD_LIBRARY if whose == "standard" else LIBRARY if file else OTHER)

    def _of_package(self, name: str, package: str, file: str, own: frozenset[str]) -> str:
        """Go: the program's own packages first, whatever their functions are called, then the rules."""
        whose = owner(package, file, own)
        found = self.built_in["go"].first(name, name, "", file)
        if whose == "own" and found != PROFILING:
            return APPLICATION
        return found or (STANDARD_LIBRARY if whose == "standard" else LIBRARY)


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


def categories(own: Iterable[CategoryRule] = ()) -> Categories:
    """The built-in rules with the user's own before them. A user's rule applies to every runtime."""
    found, built_in, version = _built_in()
    known = {c.key for c in found}
    new: dict[str, Category] = {}
    user: list[Rule] = []
    for rule in own:
        if rule.category not in known:
            new.setdefault(rule.category, Category(rule.category, rule.label or rule.category, rule.category))
        objects, files_ = ((pattern,) if pattern else () for pattern in (rule.object, rule.file))
        user.append(Rule(category=rule.category, names=rule.match, objects=objects, files=files_, whole=True))
    return Categories(categories=(*new.values(), *found), user=RuleSet(tuple(user)), built_in=built_in, version=version)


@lru_cache(maxsize=1)
def _built_in() -> tuple[tuple[Category, ...], Mapping[str, RuleSet], int]:
    """Categories, rules by runtime, and the version of categories.toml.

    A rule without a runtime is for native code: Python's names would match patterns of C functions such as `time.*`.
    """
    data = json.loads(files("profpipe.analyse.names").joinpath("categories.json").read_bytes())
    rules = [_rule(entry) for entry in data["rule"]]
    listed = ("", "python", "kernel", "go", "js", "java")
    by_runtime = {runtime: RuleSet(tuple(r for r in rules if r.runtime == runtime)) for runtime in listed}
    by_runtime |= {"native": by_runtime[""], "synthetic": by_runtime.pop("")}
    return tuple(Category(**entry) for entry in data["category"]), by_runtime, int(data["version"])


def _rule(entry: Mapping[str, Any]) -> Rule:
    return Rule(
        category=entry["category"],
        names=tuple(entry["match"]),
        objects=tuple(entry.get("object", ())),
        files=tuple(entry.get("file", ())),
        runtime=entry.get("runtime", ""),
        examples=tuple(entry.get("examples", ())),
        whole=entry.get("whole", False),
    )
