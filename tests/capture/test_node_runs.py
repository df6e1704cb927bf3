"""V8's own profilers in a real Node server: calls exact, all processes seen, functions with their scripts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from profpipe.analyse.tables.profile_list import hotspot_list
from profpipe.capture import profiler
from profpipe.errors import UsageError
from profpipe.model.run import RunRecord
from profpipe.parse import parse_file
from profpipe.study.schema import Ready, Target
from tests.support.capture_driving import Drive, run
from tests.support.paths import ROOT
from tests.support.tools import require

SERVER = ROOT / "tests" / "servers" / "node"


def target(**more: object) -> Target:
    fields: dict[str, object] = {
        "command": ("node", "server.js", "{port}"),
        "language": "node",
        "ready": Ready(line="^ready$"),
    }
    return Target.model_validate({**fields, **more})


def called(record: RunRecord, folder: Path) -> dict[str, tuple[int, str]]:
    """Function -> (calls, category), over all threads of a run."""
    found: dict[str, tuple[int, str]] = {}
    for capture in record.captures:
        for row in hotspot_list(parse_file(folder / capture.path)):
            before = found.get(row.function.name, (0, ""))[0]
            found[row.function.name] = (before + row.self["calls"], row.category)
    return found


@pytest.mark.real
@pytest.mark.parametrize("workers", ["", "cluster"])
def test_every_call_of_the_window_is_counted_in_every_process(workers: str, tmp_path: Path) -> None:
    require("node")
    fields = target(env={"WORKERS": workers})
    record = run(fields, tmp_path, "node-calls", root=SERVER, load=Drive(200, connections=0 if workers else 4))
    assert record.reason is None, (record.reason, record.log_tail)
    found = called(record, tmp_path)
    assert found["item"] == (200 * 50, "application")
    assert found["respond"] == (200, "application")
    assert found["parserOnIncoming"] == (200, "http-server")
    assert len(record.captures) == (3 if workers else 1)


@pytest.mark.real
def test_time_has_the_functions_of_the_scripts_and_no_waiting(tmp_path: Path) -> None:
    require("node")
    record = run(target(), tmp_path, "node-cpu", 1500, root=SERVER)
    assert record.reason is None, (record.reason, record.log_tail)
    (capture,) = record.captures
    profile = parse_file(tmp_path / capture.path)
    rows = hotspot_list(profile)
    assert "(idle)" not in {row.function.name for row in rows}
    own = {row.function.name: row.function.file for row in rows if row.category == "application"}
    assert own["list"] == f"file://{SERVER}/server.js"
    assert profile.self_sum("wall_ns") / 1e9 < record.load.seconds if record.load else False


@pytest.mark.real
def test_a_server_that_drops_the_environment_is_named(tmp_path: Path) -> None:
    require("node")
    bare = target(command=("env", "-i", "/usr/bin/env", "PATH=/usr/bin:/usr/local/bin", "node", "server.js", "{port}"))
    record = run(bare, tmp_path, "node-cpu", root=SERVER)
    assert record.phase == "window"
    assert "keep NODE_OPTIONS" in (record.reason or "")


def test_the_options_of_the_target_are_kept() -> None:
    with pytest.raises(UsageError, match="node-cpu: interval is 0"):
        profiler("node-cpu").check({"interval": 0})
    assert profiler("node-cpu").refuses(Target(command=("./server",), language="go")) is not None
    assert profiler("node-calls").refuses(Target(command=("npm", "start"))) is None


def test_calls_of_two_functions_on_one_line_are_told_apart(tmp_path: Path) -> None:
    functions = [
        {"functionName": "f", "url": "file:///srv/a.js", "lineNumber": 3, "columnNumber": column, "calls": calls}
        for column, calls in ((0, 5), (40, 7))
    ]
    path = tmp_path / "calls.json"
    path.write_text(json.dumps({"format": "profpipe-v8-calls/1", "functions": functions}))
    rows = hotspot_list(parse_file(path))
    assert {row.function.name: row.calls for row in rows} == {"f [column 1]": 5, "f [column 41]": 7}
