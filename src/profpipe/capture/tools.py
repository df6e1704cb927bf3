"""Programs that profilers need: finding them, asking their version, trying them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from profpipe.capture.server.process import inherited_environment

ASK_SECONDS, TRY_SECONDS = 5.0, 30.0
# What profilers that attach to a running process need.
ALLOW_PTRACE = "allow ptrace: run as root, or `sysctl kernel.yama.ptrace_scope=0`, or in a container add SYS_PTRACE"


class Version(NamedTuple):
    """How a program is asked for its version; `pattern` is a regular expression with the version as its group 1."""

    program: str
    arguments: tuple[str, ...]
    pattern: str

    def ask(self) -> str | None:
        """The version, None when the program does not exist or prints something else."""
        path = find_tool(self.program)
        if path is None:
            return None
        try:
            done = subprocess.run(
                [path, *self.arguments],
                capture_output=True, text=True, timeout=ASK_SECONDS, check=False, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            return None
        found = re.search(self.pattern, done.stdout + done.stderr)
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
    """Why a tool failed: its last line, its exit status or why it did not run; None when it succeeded."""
    if isinstance(done, str):
        return done
    if done.returncode == 0:
        return None
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1] if lines else f"exit status {done.returncode}"
