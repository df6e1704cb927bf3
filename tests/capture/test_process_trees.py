"""Profilers inside a Python server whose requests are served by several processes: gunicorn's and uvicorn's workers."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest

from profpipe.model.derive import function_table
from profpipe.model.profile import Profile
from profpipe.model.run import LoadResult
from profpipe.study.schema import Ready, Target
from tests.support.capture_driving import Drive, run
from tests.support.captured_profiles import parsed
from tests.support.processes import processes
from tests.support.tools import require

REQUESTS = 60
GUNICORN = ("-m", "gunicorn", "-b", "127.0.0.1:{port}", "prefork_app:wsgi")
UVICORN = ("-m", "uvicorn", "--port", "{port}", "prefork_app:asgi")
EACH_ALONE = Drive(REQUESTS, 0)
WARM_UP = Drive(6, 0)


def server(*command: str, **fields: object) -> Target:
    """A server of tests/servers/prefork_app.py."""
    require("gunicorn" if "gunicorn" in command else "uvicorn")
    program = ("{python}", *command)
    target = {"command": program, "cwd": "tests/servers", "language": "python", "ready": Ready(timeout=20)}
    return Target.model_validate({**target, **fields})


def calls_of(profile: Profile, name: str) -> int:
    table = function_table(profile, profile.metrics[0].key)
    return int(table["calls"][profile.functions.name.index(name)])


class DriveAndReload(Drive):
    """Has the master replace its workers halfway, as a deployment does."""

    def __call__(self, host: str, port: int) -> LoadResult:
        Drive(self.requests, 0)(host, port)
        master = next(p for p in psutil.Process(os.getpid()).children(recursive=True) if len(p.children()) == 2)
        before = {child.pid for child in master.children()}
        master.send_signal(signal.SIGHUP)
        psutil.wait_procs([psutil.Process(pid) for pid in before], timeout=20)
        return Drive(self.requests, 0)(host, port)


@pytest.mark.real
@pytest.mark.parametrize("tool", ["yappi", "cprofile"])
@pytest.mark.parametrize(
    "command",
    [(*GUNICORN, "-w", "1"), (*GUNICORN, "-w", "2"), (*UVICORN, "--workers", "2")],
    ids=["gunicorn 1", "gunicorn 2", "uvicorn 2"],
)
def test_the_calls_of_all_workers_are_those_of_the_requests(
    tmp_path: Path, tool: str, command: tuple[str, ...]
) -> None:
    require(*({"yappi"} & {tool}))
    captured = run(server(*command), tmp_path, tool, warm_up=WARM_UP, load=EACH_ALONE)
    profile = parsed(captured, tmp_path)
    assert len(captured.captures) > 1
    assert calls_of(profile, "work") == REQUESTS
    assert processes(tmp_path) == []


@pytest.mark.real
def test_pyinstrument_has_the_time_of_every_worker(tmp_path: Path) -> None:
    require("pyinstrument")
    captured = run(server(*GUNICORN, "-w", "2"), tmp_path, "pyinstrument", warm_up=WARM_UP, load=Drive(600, 0))
    profile = parsed(captured, tmp_path)
    assert "wsgi" in profile.functions.name
    assert len(profile.meta.threads) == len(captured.captures) == 3


@pytest.mark.real
@pytest.mark.parametrize(
    ("command", "load"),
    [((*GUNICORN, "-w", "2", "--max-requests", "30"), EACH_ALONE), ((*GUNICORN, "-w", "2"), DriveAndReload(REQUESTS))],
    ids=["a worker that ends after 30 requests", "a master that reloads"],
)
def test_workers_that_are_replaced_in_the_window_are_refused(
    tmp_path: Path, command: tuple[str, ...], load: Drive
) -> None:
    require("yappi")
    captured = run(server(*command), tmp_path, "yappi", warm_up=WARM_UP, load=load)
    assert captured.refused
    assert "ended" in (captured.reason or "")
    assert "began while the window was open, and yappi has nothing of the requests served there" in captured.reason


@pytest.mark.real
def test_workers_that_the_agent_cannot_reach_are_named_as_processes(tmp_path: Path) -> None:
    require("yappi")
    command = ("-I", *UVICORN, "--workers", "2", "--app-dir", ".")
    captured = run(server(*command), tmp_path, "yappi", warm_up=WARM_UP, load=EACH_ALONE)
    assert captured.refused
    assert "the serving processes were not seen: yappi runs in 1 of the server's" in (captured.reason or "")


@pytest.mark.real
def test_the_servers_own_sitecustomize_still_runs_in_a_spawned_worker(tmp_path: Path) -> None:
    require("yappi")
    own, seen = tmp_path / "own", tmp_path / "seen"
    own.mkdir()
    seen.mkdir()
    (own / "sitecustomize.py").write_text(
        f"import os, pathlib, sys\npathlib.Path({str(seen)!r}, str(os.getpid())).write_text(' '.join(sys.path))\n"
    )
    target = server(*UVICORN, "--workers", "2", env={"PYTHONPATH": str(own)})
    captured = run(target, tmp_path / "run", "yappi", warm_up=WARM_UP, load=EACH_ALONE)
    assert captured.reason is None
    profiled = {file.path.split(".")[-2] for file in captured.captures}
    paths = {file.name: file.read_text() for file in seen.iterdir()}
    assert profiled <= paths.keys()
    assert not any("in_children" in path for path in paths.values())
