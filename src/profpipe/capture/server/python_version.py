"""Which Python runs a server: its own interpreter is asked, once."""

from __future__ import annotations

import functools
import subprocess
import sys
from pathlib import Path

from profpipe.capture.server.command import interpreter, is_python
from profpipe.capture.server.process import inherited_environment
from profpipe.study.schema import Target

ASK_SECONDS = 10.0
# The interpreter begins a map of its functions in /tmp and leaves it there.
TRY_TRAMPOLINES = (
    "import os, sys; sys.activate_stack_trampoline('perf'); print('yes'); sys.deactivate_stack_trampoline()\n"
    "os.path.exists(p := f'/tmp/perf-{os.getpid()}.map') and os.unlink(p)"
)


@functools.cache
def version(python: str) -> tuple[int, int] | None:
    """(3, 13) for an interpreter; None when it cannot be asked."""
    if python == sys.executable:
        return sys.version_info[:2]
    try:
        major, minor = map(int, _answer(python, "import sys; print(*sys.version_info[:2])").split())
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return major, minor


@functools.cache
def has_trampolines(python: str) -> bool:
    """Whether an interpreter can give each Python function code of its own (CPython 3.12 and later, x86-64 and Arm)."""
    try:
        return _answer(python, TRY_TRAMPOLINES).strip() == "yes"
    except (OSError, subprocess.TimeoutExpired):
        return False


def python_of(target: Target, root: Path) -> str | None:
    """What runs a target, "CPython 3.12.1", in its own environment; None where that is no Python or cannot be asked."""
    python = interpreter(target, root) if is_python(target) else None
    return None if python is None else _implementation(python)


@functools.cache
def _implementation(python: str) -> str | None:
    try:
        code = "import platform; print(platform.python_implementation(), platform.python_version())"
        return _answer(python, code).strip() or None
    except (OSError, subprocess.TimeoutExpired):
        return None


def _answer(python: str, code: str) -> str:
    done = subprocess.run(
        [python, "-S", "-c", code],
        capture_output=True, text=True, timeout=ASK_SECONDS, check=False, stdin=subprocess.DEVNULL,
        env=inherited_environment(),
    )  # fmt: skip
    return done.stdout
