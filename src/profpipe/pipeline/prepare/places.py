"""A target where it runs: {checkout} and {env} filled in, its programs taken from its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from profpipe.capture import Environment
from profpipe.study import Target

CHECKOUT, ENVIRONMENT, PYTHON = "{checkout}", "{env}", "{python}"
# Where a target's environment is unless profpipe makes it: the usual name of a Python server's.
USUAL = ".venv"


def placed(target: Target, root: Path, environment: Environment | None) -> Target:
    """The target with {checkout} and {env} filled in; None = its environment is whatever is in the checkout."""
    cwd = (root / target.cwd).resolve()
    names = {CHECKOUT: str(root), ENVIRONMENT: str(cwd / USUAL)}
    env: dict[str, str] = {}
    if environment is not None:
        names[ENVIRONMENT] = str(environment.link)
        if environment.programs is not None:
            path = target.env.get("PATH") or os.environ.get("PATH", os.defpath)
            env["PATH"] = f"{environment.programs}{os.pathsep}{path}"
        if environment.python is not None:
            names[PYTHON] = str(environment.python)
            env["VIRTUAL_ENV"] = str(environment.folder)
    fill = partial(_filled, names)
    program, *rest = map(fill, target.command)
    return target.model_copy(
        update={
            "command": (_own_program(program, environment), *rest),
            "env": {name: fill(value) for name, value in target.env.items()} | env,
            "build": tuple(tuple(map(fill, command)) for command in target.build),
        }
    )


def _own_program(program: str, environment: Environment | None) -> str:
    """`uvicorn` by its path in the environment, where it is there."""
    if environment is None or environment.programs is None or os.sep in program:
        return program
    own = environment.programs / program
    return str(own) if own.exists() else program


def _filled(names: Mapping[str, str], text: str) -> str:
    for name, value in names.items():
        text = text.replace(name, value)
    return text
