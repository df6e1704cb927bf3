"""The page's own build tools. They are no part of profpipe: needed only to build the script again and to run axe."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.paths import FRONTEND

MODULES = FRONTEND / "node_modules"


def require_frontend() -> Path:
    """frontend/node_modules. Where all tools must be there and npm is, it is installed from the lock first."""
    if not (MODULES / "esbuild").is_dir() or not (MODULES / "axe-core").is_dir():
        if os.environ.get("PROFPIPE_REQUIRE_TOOLS") != "1" or shutil.which("npm") is None:
            pytest.skip("frontend/node_modules is missing: cd frontend && npm ci")
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(command, cwd=FRONTEND, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
    if shutil.which("node") is None:
        pytest.skip("node is missing: apt install nodejs npm")
    return MODULES
