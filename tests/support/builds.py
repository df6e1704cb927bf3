"""Builds of the servers in targets/."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path


@cache
def run_build(*command: str, cwd: Path) -> None:
    """Build once a session: to find that there is nothing to do takes cargo a second."""
    # Cargo's own variables would move the binaries or override the workspace's flags.
    environment = {k: v for k, v in os.environ.items() if k not in {"CARGO_TARGET_DIR", "RUSTFLAGS"}}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=1200, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
