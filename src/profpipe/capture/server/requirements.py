"""What a target needs before it can run: programs, Python modules, build tools, and how to install them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from profpipe.capture.server.command import fill, find_program, interpreter
from profpipe.capture.server.process import inherited_environment
from profpipe.study.schema import Target

ASK_SECONDS = 30.0
FIND_SPEC = "import importlib.util, sys\nprint(*(m for m in sys.argv[1:] if importlib.util.find_spec(m) is None))"


def absent_modules(python: str, modules: Sequence[str]) -> tuple[str, ...]:
    """Which of these modules the interpreter cannot find, without importing them. OSError if it cannot be run."""
    if not modules:
        return ()
    done = subprocess.run(
        [python, "-c", FIND_SPEC, *modules],
        capture_output=True, text=True, timeout=ASK_SECONDS, env=inherited_environment(),
        check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode != 0:
        raise OSError(f"{python} exits with {done.returncode}: {done.stderr.strip().splitlines()[-1:]}")
    return tuple(done.stdout.split())


def missing_requirements(target: Target, root: Path) -> str | None:
    """What must be installed before this target can run, with the command for it; None when nothing is missing."""
    cwd = root / target.cwd
    absent = [
        name for name in target.requires.programs if find_program(name, cwd) is None and not (cwd / name).exists()
    ]
    program = fill(target.command[:1], 0)[0]
    if find_program(program, cwd) is None:
        absent += _absent_build_tools(target, cwd) if target.build else [program]
    python = interpreter(target, root)
    if target.requires.modules:
        if python is None:
            return f"modules {', '.join(target.requires.modules)} are required, but {program} is not a Python program"
        try:
            absent += absent_modules(python, target.requires.modules)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"{python} cannot list its modules: {error}"
    if not absent:
        return None
    install = target.requires.install or _install_line(target, python, absent)
    return f"{', '.join(absent)} not found" + (f": {install}" if install else "")


def absent_program(target: Target, root: Path) -> str | None:
    """The program of a target's command where it cannot be found; None when it can."""
    program = fill(target.command[:1], 0)[0]
    return program if find_program(program, root / target.cwd) is None else None


def built_without(target: Target, root: Path) -> tuple[str, ...]:
    """The missing build tools where the program exists from an earlier build; empty otherwise."""
    cwd = root / target.cwd
    program = find_program(fill(target.command[:1], 0)[0], cwd)
    return tuple(_absent_build_tools(target, cwd)) if program is not None else ()


def _absent_build_tools(target: Target, cwd: Path) -> list[str]:
    tools = [fill(command[:1], 0)[0] for command in target.build]
    return [tool for tool in dict.fromkeys(tools) if find_program(tool, cwd) is None]


def _install_line(target: Target, python: str | None, absent: Sequence[str]) -> str:
    modules = [name for name in absent if name in target.requires.modules]
    return install_line(python, tuple(modules)) if python and modules else ""


@cache
def install_line(python: str, modules: tuple[str, ...]) -> str:
    """The command that installs modules for this interpreter: by uv in an environment that uv made, else by its pip.

    An environment made without pip is given one by the interpreter's ensurepip, which Debian leaves out.
    """
    wanted = " ".join(modules)
    if _made_by_uv(python):
        return f"uv pip install --python {python} {wanted}"
    absent = absent_modules(python, ["pip", "ensurepip"])
    if "pip" not in absent:
        return f"{python} -m pip install {wanted}"
    if "ensurepip" not in absent:
        return f"{python} -m ensurepip && {python} -m pip install {wanted}"
    return f"python3 -m pip --python {python} install {wanted}"


def _made_by_uv(python: str) -> bool:
    """Whether pyvenv.cfg says so, in the environment whose bin folder holds this path; a link is not followed."""
    try:
        lines = (Path(python).parent.parent / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    return any(line.partition("=")[0].strip() == "uv" for line in lines)
