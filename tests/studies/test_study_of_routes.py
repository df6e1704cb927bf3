"""A study of a load with several requests, by the real command line: costs by route, failing routes by name."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import SERVERS
from tests.support.study_driving import LOAD, StudyFolder

pytestmark = pytest.mark.real
ROUTES = [
    {"name": "cheap", "path": "/cheap", "weight": 3},
    {"name": "dear", "path": "/dear", "weight": 1},
    {"name": "other", "path": "/other", "weight": 1, "status": ["2xx", 404]},
]


def server(*costs: str) -> dict[str, Any]:
    """A target of tests/servers/routes.py."""
    command = ["{python}", "routes.py", "{port}", *costs]
    return {"command": command, "language": "python", "stop_timeout": 1.0}


def study(tmp_path: Path, targets: dict[str, dict[str, Any]], **settings: Any) -> StudyFolder:
    folder = StudyFolder(tmp_path)
    load = {**LOAD, "connections": 2, "warmup": 10, "request": ROUTES}
    folder.write(targets, slices="auto", budget=3.0, seed=7, load=load, **settings)
    shutil.copy(SERVERS / "routes.py", folder.root)
    return folder


def test_each_route_has_its_cost_and_the_mix_is_what_they_add_up_to(tmp_path: Path) -> None:
    targets = {"old": server("cheap=100", "dear=500"), "new": server("cheap=100", "dear=1000")}
    folder = study(tmp_path, targets)
    done = folder.do("run", "s")
    assert done.code == 0, done.err
    report = folder.report()
    cheap, dear, other = report["routes"]["routes"]
    assert [route["weight"] for route in (cheap, dear, other)] == [0.6, 0.2, 0.2]
    assert [cost["variant"] for cost in dear["costs"]] == ["old", "new"]
    planted = dear["costs"][1]["cpu"]["median"] - dear["costs"][0]["cpu"]["median"]
    assert 400 < planted < 800, "500 us were planted"
    assert 0.8 < cheap["costs"][1]["against"]["ratio"] < 1.25
    assert dear["costs"][1]["against"]["ratio"] > 1.3
    for mix in report["routes"]["mix"]:
        assert 0.85 < mix["ratio"] < 1.15
    slices = report["study"]["slices"]
    assert slices["contenders"] == 4  # of one contender: the mix and three routes
    assert "dear (GET /dear)" in done.out
    folder.check_left_nothing()


def test_a_route_that_fails_in_one_variant_is_left_out_by_name_and_nothing_else_is_lost(tmp_path: Path) -> None:
    targets = {"old": server("cheap=!500", "dear=200"), "new": server("cheap=100", "dear=200")}
    folder = study(tmp_path, targets)
    done = folder.do("run", "s")
    said = "Route cheap (GET /cheap) is left out of the load: old: it answered with status 500, 200 was expected"
    assert said in done.err
    assert done.code == 0, done.err
    report = folder.report()
    assert any(limit["text"] == f"{said}." for limit in report["limits"])
    dear, other, cheap = report["routes"]["routes"]
    assert (cheap["name"], cheap["why"], cheap["costs"]) == (
        "cheap",
        "old: it answered with status 500, 200 was expected",
        [],
    )
    assert [dear["weight"], other["weight"]] == [0.5, 0.5]
    assert all(cost["cpu"]["median"] is not None for cost in dear["costs"])
    assert report["invalid"] == []
    assert report["study"]["slices"]["lost"] == []
