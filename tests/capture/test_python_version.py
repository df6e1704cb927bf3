"""Asking a server's interpreter leaves nothing behind."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from profpipe.capture.server.python_version import TRY_TRAMPOLINES, has_trampolines
from tests.support.capture_driving import ROOT
from tests.support.pythons import pythons

pytestmark = pytest.mark.programs


@pytest.mark.real
def test_an_interpreter_that_is_asked_for_trampolines_leaves_no_map() -> None:
    asked = next(pythons((3, 12)), None)
    if asked is None:
        pytest.skip("no CPython 3.12 or later is installed")
    done = subprocess.Popen([asked, "-S", "-c", TRY_TRAMPOLINES], stdout=subprocess.PIPE, text=True)
    assert done.communicate(timeout=20)[0] in {"yes\n", ""}
    assert not Path(f"/tmp/perf-{done.pid}.map").exists()


def test_what_is_no_interpreter_has_none() -> None:
    assert not has_trampolines(str(ROOT / "no" / "python3"))
