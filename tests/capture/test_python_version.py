"""Asking a server's interpreter leaves nothing behind."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from profpipe.capture.server.python_version import TRY_TRAMPOLINES, has_trampolines, version
from tests.support.capture_driving import ROOT


@pytest.mark.real
def test_an_interpreter_that_is_asked_for_trampolines_leaves_no_map() -> None:
    names = ("python3.12", "python3.13", "python3.14")
    asked = [path for name in names if (path := shutil.which(name)) and version(path)]
    if not asked:
        pytest.skip("no CPython 3.12 or later is installed")
    done = subprocess.Popen([asked[0], "-S", "-c", TRY_TRAMPOLINES], stdout=subprocess.PIPE, text=True)
    assert done.communicate(timeout=20)[0] in {"yes\n", ""}
    assert not Path(f"/tmp/perf-{done.pid}.map").exists()


def test_what_is_no_interpreter_has_none() -> None:
    assert not has_trampolines(str(ROOT / "no" / "python3"))
