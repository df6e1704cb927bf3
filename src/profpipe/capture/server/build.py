"""Before a run: is what a target needs there, and is it built."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from profpipe.capture.server.process import Supervised, exit_words, inherited_environment
from profpipe.capture.server.ready import fill, interpreter_of
from profpipe.errors import CaptureError
from profpipe.study.schema import Target

ASK_SECONDS = 30.0
TELL_SECONDS = 0.2
FIND_SPEC = "import importlib.util, sys\nprint(*(m for m in sys.argv[1:] if importlib.util.find_spec(m) is None))"


def find_program(name: str, cwd: Path) -> str | None:
    """A program on the PATH; with a slash in it a file relative to cwd."""
    return shutil.which(str(cwd / name) if os.sep in name else name)


def interpreter(target: Target, root: Path | None = None) -> str | None:
    """The Python that runs this target, as a path that can be executed, or None."""
    cwd = (root / target.cwd) if root is not None else Path.cwd()
    found = interpreter_of(target.command[0], cwd)
    return None if found is None else find_program(found, cwd)


def absent_modules(python: str, modules: Sequence[str]) -> tuple[str, ...]:
    """Which of these modules that interpreter cannot find; found, not imported. OSError if it cannot be run."""
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
    """What must be installed before this target can run, with the line that does it; None when all is there."""
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
            return f"modules {', '.join(target.requires.modules)} are required, but {program} is no Python program"
        try:
            absent += absent_modules(python, target.requires.modules)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"{python} cannot be asked for its modules: {error}"
    if not absent:
        return None
    install = target.requires.install or _install_line(target, python, absent)
    return f"{', '.join(absent)} not found" + (f": {install}" if install else "")


def built_without(target: Target, root: Path) -> tuple[str, ...]:
    """The build tools that are missing where the program is there from an earlier build; empty otherwise."""
    cwd = root / target.cwd
    program = find_program(fill(target.command[:1], 0)[0], cwd)
    return tuple(_absent_build_tools(target, cwd)) if program is not None else ()


def _absent_build_tools(target: Target, cwd: Path) -> list[str]:
    tools = [fill(command[:1], 0)[0] for command in target.build]
    return [tool for tool in dict.fromkeys(tools) if find_program(tool, cwd) is None]


def _install_line(target: Target, python: str | None, absent: Sequence[str]) -> str:
    modules = [name for name in absent if name in target.requires.modules]
    return f"{python} -m pip install {' '.join(modules)}" if python and modules else ""


def build(target: Target, root: Path, on_line: Callable[[str], None]) -> None:
    """Run the target's build commands in its cwd, every line of output to `on_line`.

    Raises CaptureError(build) with the last lines when one cannot be run or fails. Not bounded in time: a first
    build of a native target downloads and compiles for minutes; however profpipe ends, so does the build.
    """
    cwd = (root / target.cwd).resolve()
    env = inherited_environment() | {name: fill((value,), 0)[0] for name, value in target.env.items()}
    for command in target.build:
        argv = fill(command, 0)
        lines: SimpleQueue[str] = SimpleQueue()
        try:
            with Supervised(argv, env=env, cwd=cwd, on_line=lines.put) as process:
                while (status := process.wait(TELL_SECONDS)) is None:
                    _pass_on(lines, on_line)
        except CaptureError as error:
            raise CaptureError("build", f"{argv[0]} cannot be run: {str(error).rpartition(': ')[2]}") from error
        _pass_on(lines, on_line)
        if status != 0:
            tail = process.log.tail()
            raise CaptureError("build", f"`{' '.join(argv)}` failed: {exit_words(status)}", log_tail=tail)


def _pass_on(lines: SimpleQueue[str], on_line: Callable[[str], None]) -> None:
    with suppress(Empty):
        while True:
            on_line(lines.get_nowait())
