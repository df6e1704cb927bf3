"""Whole studies with Redis beside the servers: where they fail, what is told, and what is kept."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import profpipe
from tests.support.processes import processes, wait_until
from tests.support.services_driving import REDIS, asks_redis
from tests.support.study_driving import StudyFolder, toml
from tests.support.tools import require

pytestmark = pytest.mark.real


def write(folder: StudyFolder, targets: dict[str, Any], service: dict[str, Any] | None = None, **study: Any) -> None:
    folder.write(targets, services=["cache"], **study)
    lines = [f"{key} = {toml(value)}" for key, value in {**REDIS, **(service or {})}.items()]
    with (folder.root / "profpipe.toml").open("a") as file:
        file.write("\n".join(["[service.cache]", *lines]) + "\n")


def test_a_study_may_have_a_new_service_for_each_run(tmp_path: Path) -> None:
    require("redis-server")
    folder = StudyFolder(tmp_path)
    write(folder, {"one": asks_redis(1), "three": asks_redis(3)}, {"per": "start"})
    done = folder.do("run", "s")
    assert done.code == 0, done.err
    assert [run["valid"] for run in folder.report()["runs"]] == [True, True]
    folder.check_left_nothing()


def test_a_service_that_dies_costs_its_run_alone(tmp_path: Path) -> None:
    """It is started again for the next run."""
    require("redis-server")
    folder = StudyFolder(tmp_path)
    ends = asks_redis(1, str(tmp_path / "ended"), "40")
    write(folder, {"one": ends, "other": ends})
    done = folder.do("run", "s")
    assert "the service cache ended: exit status 0; it is started again" in done.err
    runs = folder.report()["runs"]
    assert [run["valid"] for run in runs].count(False) == 1
    (invalid,) = folder.report()["invalid"]
    assert invalid["reason"] == "the service cache ended: exit status 0"
    assert any("ready to exit, bye bye" in line for line in invalid["log_tail"])
    folder.check_left_nothing()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_service_is_left_where_a_study_is_ended(tmp_path: Path, number: signal.Signals) -> None:
    require("redis-server")
    folder = StudyFolder(tmp_path)
    write(folder, {"one": asks_redis(1)}, load={"generator": "builtin", "requests": 1_000_000, "connections": 4})
    started = folder.start("run", "s")
    started.wait_for(lambda: processes(tmp_path, "redis-server") and processes(tmp_path, "asks_redis.py"))
    started.process.send_signal(number)
    started.end()
    wait_until(lambda: not processes(tmp_path), 20)
    wait_until(lambda: not list(folder.temporary.glob("profpipe-data-*")), 20)


def test_what_a_service_lacks_is_told_before_anything_runs(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    lacking = {"command": ["no-such-database", "{port}"], "install": "apt install no-such-database"}
    write(folder, {"one": asks_redis(1)}, lacking)
    told = "no-such-database not found on the PATH: apt install no-such-database"
    assert f"service cache cannot run here: {told}" in profpipe("check", cwd=tmp_path).stdout
    assert f"service cache               cannot run: {told}" in profpipe("list", cwd=tmp_path).stdout
    done = profpipe("run", "s", cwd=tmp_path)
    assert done.returncode == 2
    assert f"study s: the service cache cannot run: {told}" in done.stderr
    assert not folder.folders()
