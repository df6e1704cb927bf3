"""Paths of source files and objects: the part that other machines share, and which are of libraries."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from profpipe.analyse.names import go_packages, java_names, js_scripts

if TYPE_CHECKING:
    from profpipe.model.report import Origin

# Folders in which package managers install, also inside a checkout.
_PACKAGES = r"site-packages|dist-packages|lib/python3[^/]*|node_modules"
_TOOLCHAINS = r"registry/src/[^/]+|rustc/[0-9a-f]+|go/pkg/mod|go[^/]*/src"
# Where `profpipe diff` checks commits out: what is left is the path in the repository, the same on both sides.
_CHECKOUT = r"(?:profpipe-)?worktrees(?:/[0-9a-f]{12}){1,2}"
_ROOTS = re.compile(rf"^.*/(?:{_PACKAGES}|{_TOOLCHAINS}|{_CHECKOUT})/")
_IN_PACKAGES = re.compile(rf"/(?:{_PACKAGES})/")
_OBJECT = re.compile(r"[/\[]|\.so\b|\.so$|\.exe$|^python\d|^lib")
_INSTALLED = re.compile(rf"^(?:.*/(?:{_PACKAGES}|{_TOOLCHAINS})/|<|/usr/|/lib/|/opt/)")

# What a packager installs below the folder of the standard library itself.
_THIRD = re.compile(r"/(?:site-packages|dist-packages|node_modules)/")
_STANDARD = re.compile(r"/lib(?:64)?/python3[^/]*/|^<frozen ")
_PYTHON_ITSELF = re.compile(r"^(?:lib)?python\d")
# What profpipe puts into a server to profile it is no part of the server.
AGENT = "/profilers/python_agent/"
_OWNERS: Mapping[str | None, Origin] = MappingProxyType({
    "own": "own", "standard": "standard library", "module": "library", None: "",
})  # fmt: skip


def base_name(path: str) -> str:
    return path.rsplit("/", 1)[-1]


@lru_cache(maxsize=65536)
def short_file(path: str) -> str:
    """The part of a path that another machine shares: `/opt/lib/python3.11/asyncio/events.py` -> `asyncio/events.py`.

    Below a known root (site-packages, the standard library, a crate, Go's sources) the rest of the path, else the last
    two parts. No home or build folder gets into a report.
    """
    if not path or path.startswith("<"):
        return path
    cut = _ROOTS.sub("", path, count=1)
    if cut != path:
        return cut
    return "/".join([p for p in path.split("/") if p not in ("", ".", "..")][-2:])


def in_packages(path: str) -> bool:
    """Whether a file lies where a package manager installs: a venv, the standard library of Python, node_modules."""
    return _IN_PACKAGES.search(path) is not None


def installed(path: str) -> bool:
    """Whether a source file belongs to a library or a toolchain: packages, crates, Go modules, folders of the system.

    A whole checkout below /usr or /opt counts as installed; `in_packages` is for paths inside a checkout.
    """
    return _INSTALLED.match(path) is not None


def is_object(name: str) -> bool:
    """Whether this is the name of a program or a shared library, not of a Python module."""
    return _OBJECT.search(name) is not None


def origin(name: str, file: str, object_: str, runtime: str, own: frozenset[str]) -> Origin:
    """Whose code a function is. `own` = base names of the program and its scripts, `runtime` that of its level.

    A built-in of Python has its module for a file. Template engines compile a template under the template's own path,
    or as `<template>`: it is the user's. A Go program holds the standard library and modules as well as its own
    packages, so the package decides, and of JavaScript the script.
    """
    if runtime == "kernel":
        return "kernel"
    if runtime == "java":
        return _OWNERS[java_names.owner(java_names.package_of_file(file), own)] if file else ""
    if runtime == "go" and (package := go_packages.package_of(name)):
        return _OWNERS[go_packages.owner(package, file, own)]
    if runtime == "js":
        return _OWNERS[js_scripts.owner(file)]
    if runtime != "python":
        if base_name(object_) in own:
            return "own"
        return "interpreter" if _PYTHON_ITSELF.match(base_name(object_)) else "library" if object_ else ""
    return _python_origin(file, own)


def _python_origin(file: str, own: frozenset[str]) -> Origin:
    if _THIRD.search(file) or AGENT in file:
        return "library"
    if _STANDARD.search(file):
        return "standard library"
    if file == "<template>" or base_name(file) in own or file.startswith("/"):
        return "own"
    return _short_origin(file)


def _short_origin(file: str) -> Origin:
    """Of a path that a profiler cut short, or of the module of a built-in."""
    module = file.split("/", 1)[0].removesuffix(".py").split(".", 1)[0]
    if not module or module.startswith("<"):
        return ""
    if module in sys.stdlib_module_names:
        return "standard library" if file.endswith(".py") else "interpreter"
    return "own" if file.endswith(".py") and "/" not in file else "library"
