"""Which outside tools a test needs: skipped with the install line, or failed where all must be there."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.paths import FORGE

INSTALL = {
    "valgrind": "apt install valgrind",
    "callgrind_annotate": "apt install valgrind",
    "wrk": "apt install wrk",
    "h2load": "apt install nghttp2-client",
    "openssl": "apt install openssl",
    "perf": "apt install linux-perf",
    "chromium": "apt install chromium",
    "redis-server": "apt install redis-server",
    "redis-benchmark": "apt install redis-tools",
    "gcc": "apt install gcc make",
    "go": "install Go 1.21 or newer from https://go.dev/dl",
    "jcmd": "apt install openjdk-17-jdk-headless",
    "cargo": "install Rust 1.85 or newer with rustup",
    "py-spy": "pip install py-spy",
    "gevent": "pip install gevent",
    "uvloop": "pip install uvloop",
    "gunicorn": "pip install gunicorn",
    "uvicorn": "pip install uvicorn",
    "prism": "npm ci, in tests/forge",
}
BESIDE = str(Path(sys.executable).parent)  # programs of a venv that is not activated
PRISM = FORGE / "node_modules" / ".bin" / "prism"
MODULES = {"gevent", "gunicorn", "uvloop", "uvicorn", "yappi", "pyinstrument"}


def require(*tools: str) -> None:
    """Skip the test unless every tool is there; with PROFPIPE_REQUIRE_TOOLS=1 fail it instead."""
    for tool in tools:
        if _found(tool):
            continue
        reason = f"{tool} is missing: {INSTALL.get(tool, 'install it')}"
        if os.environ.get("PROFPIPE_REQUIRE_TOOLS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)


def _found(tool: str) -> bool:
    if tool in MODULES:
        return importlib.util.find_spec(tool) is not None
    if tool == "prism":
        return PRISM.exists() and shutil.which("node") is not None
    return (shutil.which(tool) or shutil.which(tool, path=BESIDE)) is not None
