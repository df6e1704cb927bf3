"""Programs that profilers need: finding them, asking their version, trying them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from profpipe.capture.complaints import explained, in_one_line
from profpipe.capture.server.process import exit_words, inherited_environment

ASK_SECONDS, TRY_SECONDS = 5.0, 30.0


class Version(NamedTuple):
    """How a program is asked for its version; `pattern` is a regular expression with the version as its group 1."""

    program: str
    arguments: tuple[str, ...]
    pattern: str

    def ask(self) -> str | None:
        """The version, None when the program does not exist or prints something else."""
        path = find_tool(self.program)
        return None if path is None else self.of(path)

    def of(self, path: str) -> str | None:
        """The version of the program at this path, None when it prints something else."""
        return _version(path, self)

    def too_old(self, path: str, least: tuple[int, ...]) -> str | None:
        """The version of the program at this path where it is before `least`; None where it is not, or not known."""
        found = self.of(path)
        numbers = tuple(int(part) for part in re.findall(r"\d+", found or "")[: len(least)])
        return found if numbers and numbers < least else None


@cache
def _version(path: str, asked: Version) -> str | None:
    """Asked once in a process: a study asks for every target."""
    try:
        done = subprocess.run(
            [path, *asked.arguments],
            capture_output=True, text=True, timeout=ASK_SECONDS, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(asked.pattern, done.stdout + done.stderr)
    return found[1] if found else None


def find_tool(program: str) -> str | None:
    """A program next to the interpreter that runs us (a venv that is not activated), then on the PATH."""
    return shutil.which(program, path=str(Path(sys.executable).parent)) or shutil.which(program)


def run_tool(argv: Sequence[str], env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str] | str:
    """The finished process, or why it did not finish. `env` defaults to what a server inherits."""
    try:
        return subprocess.run(
            argv, capture_output=True, text=True, errors="replace", timeout=TRY_SECONDS, check=False,
            stdin=subprocess.DEVNULL, env=inherited_environment() if env is None else env,
        )  # fmt: skip
    except OSError as error:
        return str(error)
    except subprocess.TimeoutExpired:
        return f"{argv[0]} did not exit within {TRY_SECONDS:g} s"


def failure(done: subprocess.CompletedProcess[str] | str) -> str | None:
    """Why a tool failed: what its output means, its complaint, its exit status; None when it succeeded."""
    if isinstance(done, str):
        return done
    if done.returncode == 0:
        return None
    known = explained(done.stderr + done.stdout)
    return known[0] if known else in_one_line(done.stderr or done.stdout) or exit_words(done.returncode)


def remedy(done: subprocess.CompletedProcess[str] | str) -> str:
    """What to do about a failure; empty when it is not a known one."""
    known = None if isinstance(done, str) or done.returncode == 0 else explained(done.stderr + done.stdout)
    return known[1] if known else ""
