"""callgrind refuses what it would only break, before it starts it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from profpipe.capture import profiler
from profpipe.capture.profilers.callgrind import vgdb
from profpipe.capture.server.replaced import replaced
from profpipe.errors import CaptureError
from profpipe.study import Target


@pytest.mark.parametrize(
    ("command", "refused"),
    [
        (("uvicorn", "--port", "{port}", "--workers", "2", "a:b"), True),
        (("python", "-m", "uvicorn", "--port", "{port}", "--workers=2", "a:b"), True),
        (("uvicorn", "--port", "{port}", "a:b"), False),
        (("uvicorn", "--port", "{port}", "--workers", "2", "--timeout-worker-healthcheck", "300", "a:b"), False),
        (("gunicorn", "-b", "127.0.0.1:{port}", "--workers", "2", "a:b"), False),
    ],
)
def test_workers_of_uvicorn_need_patience_with_their_health_check(command: tuple[str, ...], refused: bool) -> None:
    reason = profiler("callgrind").refuses(Target(command=command, language="python"))
    assert (reason is not None) == refused
    assert reason is None or "--timeout-worker-healthcheck 300" in reason


def vgdb_that(does: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A vgdb on the PATH, and the pipe of process 4711; the prefix of the pipes."""
    program = folder / "vgdb"
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    (folder / "pipes-from-vgdb-to-4711-by-me-on-here").touch()
    return folder / "pipes"


def server(*trees: list[int]) -> Any:
    """A server whose processes are asked for again and again; the last answer stays."""
    left = list(trees)
    log = SimpleNamespace(tail=lambda: ())
    return SimpleNamespace(tree=lambda: left.pop(0) if len(left) > 1 else left[0], log=log)


@pytest.mark.programs
def test_a_worker_that_has_ended_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix = vgdb_that("exec sleep 30", tmp_path, monkeypatch)
    assert vgdb.tell(server([4711], []), prefix, "save", "dump") == set()


@pytest.mark.programs
def test_a_command_that_a_running_process_does_not_take_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = vgdb_that("echo no such gdbserver >&2; exit 1", tmp_path, monkeypatch)
    with pytest.raises(CaptureError, match="`vgdb dump` failed: no such gdbserver"):
        vgdb.tell(server([4711]), prefix, "save", "dump")


def test_the_reason_names_the_processes_and_what_to_do() -> None:
    found = replaced({4198}, {4361}, "yappi has nothing of the requests served there")
    assert found is not None
    assert found.startswith("process 4198 ended, process 4361 began while the window was open, and yappi has nothing")
    assert "keep the workers for the length of a run" in found
    assert replaced(set(), set(), "") is None
