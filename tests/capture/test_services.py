"""A service beside the servers: started with data of its own, watched, and gone without a trace however it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from profpipe.capture.services import needs
from profpipe.capture.services.beside import Beside
from profpipe.capture.services.needs import missing_for, search_path
from profpipe.capture.services.running import running_service
from profpipe.errors import CaptureError
from profpipe.study.schema import Target
from profpipe.study.service import Service
from tests.support.processes import wait_until
from tests.support.services_driving import POSTGRES, REDIS, require_postgres
from tests.support.tools import require


def service(given: dict[str, Any], **more: Any) -> Service:
    return Service.model_validate({**given, "cwd": "/", **more})


@pytest.mark.real
def test_a_service_is_ready_and_targets_know_where_it_is(tmp_path: Path) -> None:
    require("redis-server", "redis-benchmark")
    asked = [["redis-cli", "-h", "{host}", "-p", "{port}", "SET", "key", "value"]]
    with running_service("cache", service(REDIS, fixture=asked)) as cache:
        with socket.create_connection((cache.host, cache.port)) as redis:
            redis.sendall(b"GET key\r\n")
            assert redis.recv(100) == b"$5\r\nvalue\r\n"
        target = Target(command=("serve", "{service.cache.port}"), env={"AT": "{service.cache.data}/x"})
        told = Beside({"cache": cache}).told(target, ("cache",))
        assert told.command == ("serve", str(cache.port))
        assert told.env == {"CACHE": f"127.0.0.1:{cache.port}", "AT": f"{cache.data}/x"}
        assert Beside({"cache": cache}).told(target, ()) == target
    assert not cache.data.exists()
    assert cache.process.tree() == []


@pytest.mark.real
def test_a_target_keeps_its_own_variable() -> None:
    require("redis-server")
    with running_service("cache", service(REDIS)) as cache:
        told = Beside({"cache": cache}).told(Target(command=("x",), env={"CACHE": "elsewhere"}), ("cache",))
        assert told.env == {"CACHE": "elsewhere"}


@pytest.mark.real
def test_a_service_that_ends_says_so_with_its_last_lines() -> None:
    require("redis-server")
    with running_service("cache", service(REDIS)) as cache:
        assert Beside({"cache": cache}).ended() is None
        os.kill(cache.process.pid, signal.SIGKILL)
        cache.process.wait(5)
        error = Beside({"cache": cache}).ended()
    assert error is not None
    assert error.text == "the service cache ended: killed by SIGKILL"
    assert any("Ready to accept connections" in line for line in error.log_tail)


@pytest.mark.programs
@pytest.mark.parametrize(
    ("more", "text"),
    [
        (
            {"prepare": [["sh", "-c", "echo no room; exit 3"]]},
            "`sh -c echo no room; exit 3` failed: exit status 3\n    no room",
        ),
        (
            {"command": ["sh", "-c", "echo no room; exit 4; {port}"]},
            "the service db: it ended before it was ready: exit status 4\n    no room",
        ),
        ({"prepare": [["not-there-at-all"]]}, "not-there-at-all not found on the PATH"),
    ],
)
def test_a_service_that_cannot_be_started_is_named(more: dict[str, Any], text: str) -> None:
    given = {"command": ["sleep", "60", "{port}"], **more}
    with pytest.raises(CaptureError, match="the service db") as caught, running_service("db", service(given)):
        pass
    assert text in caught.value.text
    assert caught.value.log_tail == (() if "not found" in text else ("no room",))


@pytest.mark.programs
@pytest.mark.parametrize("where", ["prepare", "command"])
def test_nothing_is_left_where_profpipe_is_killed(tmp_path: Path, where: str) -> None:
    """Its process is killed while the service is prepared, or while it waits for it to be ready."""
    hold = ["sh", "-c", f"echo {{data}} > {tmp_path}/data; sleep 60; echo {{port}}"]
    given = {"command": hold if where == "command" else ["sleep", "{port}"]}
    given |= {"prepare": [hold] if where == "prepare" else []}
    script = (
        "from profpipe.capture.services.running import running_service\n"
        "from profpipe.study.service import Service\n"
        f"with running_service('db', Service.model_validate({dict(given, cwd='/')!r})): pass\n"
    )
    with subprocess.Popen([sys.executable, "-c", script]) as owner:
        noted = tmp_path / "data"
        wait_until(lambda: noted.exists() and noted.read_text().endswith("\n"), 20)
        data = Path(noted.read_text().strip())
        assert data.is_dir()
        owner.kill()
    wait_until(lambda: not data.exists(), 20)


@pytest.mark.programs
def test_prepare_and_command_share_the_folder_of_data(tmp_path: Path) -> None:
    serve = "import os, socket, sys; assert os.path.exists(sys.argv[1] + '/made')\n"
    serve += "s = socket.create_server(('127.0.0.1', int(sys.argv[2]))); s.listen(); s.accept(); s.accept()"
    given = {"prepare": [["touch", "{data}/made"]], "command": ["{python}", "-c", serve, "{data}", "{port}"]}
    with running_service("db", service(given)) as db:
        assert (db.data / "made").exists()
    assert not db.data.exists()


def test_of_several_versions_the_highest_is_found_first(tmp_path: Path) -> None:
    for version in ("9", "15", "10"):
        (tmp_path / version).mkdir()
    found = search_path(service({"command": ["x"], "path": [f"{tmp_path}/*"]})).split(os.pathsep)
    assert [Path(folder).name for folder in found[:3]] == ["15", "10", "9"]


def test_root_is_told_which_line_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs.shutil, "which", lambda name, path: name)
    monkeypatch.setattr(needs.os, "geteuid", lambda: 0)
    why = missing_for(service({"command": ["postgres", "{port}"]}))
    assert why == 'postgres refuses to run as root: set user = "postgres", or the name of another user without rights'
    assert missing_for(service({"command": ["postgres", "{port}"], "user": "nobody"})) is None
    assert missing_for(service({"command": ["postgres", "{port}"], "user": "root"})) is not None
    absent = missing_for(service({"command": ["x", "{port}"], "user": "no-such-user"}))
    assert absent is not None
    assert 'there is no user "no-such-user"' in absent
    monkeypatch.setattr(needs.os, "geteuid", lambda: 1000)
    assert missing_for(service({"command": ["postgres", "{port}"]})) is None


@pytest.mark.real
def test_postgresql_runs_as_its_user_and_is_filled() -> None:
    require_postgres()
    ask = ["psql", "-h", "{host}", "-p", "{port}", "-U", "postgres", "-qc"]
    given = service(POSTGRES, fixture=[[*ask, "create table kept (a int)"], [*ask, "insert into kept values (7)"]])
    lines: list[str] = []
    with running_service("db", given, on_line=lines.append) as db:
        socket_folder = ["psql", "-h", str(db.data), "-p", str(db.port), "-U", "postgres", "-XAtc", "table kept"]
        assert subprocess.run(socket_folder, capture_output=True, text=True, check=True).stdout == "7\n"
        assert {Path(f"/proc/{pid}").stat().st_uid for pid in db.process.tree()} == {db.data.stat().st_uid}
    assert not db.data.exists()
    assert any("ok" in line for line in lines)
