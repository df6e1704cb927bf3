"""The packages that a target runs with, whoever installed them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from profpipe.capture.environments.interface import Package
from profpipe.capture.environments.python import installed
from profpipe.capture.environments.registry import KINDS
from profpipe.capture.server.command import interpreter, is_python
from profpipe.study.schema import Target


def packages_of(target: Target, root: Path) -> Mapping[str, Package]:
    """By name: those of the interpreter that runs a Python target, else those of its lock files; {} where unknown."""
    cwd = (root / target.cwd).resolve()
    if is_python(target):
        python = interpreter(target, root)
        return {} if python is None else installed(Path(python).absolute().parent.parent)
    for kind in KINDS:
        there = any((cwd / lock).is_file() for lock in kind.locks)
        if there and (not kind.link or (cwd / kind.link).exists()):
            try:
                return kind.packages(cwd, (cwd / kind.link).resolve().parent if kind.link else cwd)
            except (OSError, ValueError, KeyError):
                return {}
    return {}


def import_names(packages: Mapping[str, Package]) -> Mapping[str, str]:
    """Import name -> the package that has it, where that is called otherwise: PIL -> Pillow, yaml -> PyYAML.

    A name that several packages share, such as `google`, tells none of them and is left out.
    """
    owners: dict[str, set[str]] = {}
    for name, package in packages.items():
        for imported in _imported(package.prefixes):
            owners.setdefault(imported, set()).add(name)
    alone = ((imported, names.pop()) for imported, names in sorted(owners.items()) if len(names) == 1)
    return {imported: name for imported, name in alone if _normal(imported) != _normal(name)}


def _imported(prefixes: Iterable[str]) -> set[str]:
    """`PIL/`, `six.py`, `_cffi_backend.cpython-312-x86_64-linux-gnu.so` -> PIL, six, _cffi_backend."""
    return {first for prefix in prefixes if (first := prefix.rstrip("/").partition(".")[0])}


def _normal(name: str) -> str:
    """Names that an installer takes for the same one (packaging.python.org, "Names and normalization")."""
    return re.sub(r"[-_.]+", "-", name).lower()
