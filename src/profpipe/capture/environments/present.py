"""The packages that a target runs with, whoever installed them."""

from __future__ import annotations

from collections.abc import Mapping
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
