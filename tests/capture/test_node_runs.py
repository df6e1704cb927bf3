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

pytestmark = pytest.mark.programs

SERVER = ROOT / "tests" / "servers" / "node"
NAMELESS = """
const routes = {};
const app = { get: (path, answer) => (routes[path] = answer) };
const numbers = [1, 2, 3];
function doubled() {
  return numbers.map((number) => number * 2);
}
function halved() {
  return numbers.filter(Boolean).map(function (number) {
    return number / 2;
  });
}
function later() {
  return () => 1;
}
app.get('/', async (request, response) => {
  response.end(String([doubled(), halved(), later()()]));
});
require('node:http')
  .createServer((request, response) => routes[request.url](request, response))
  .listen(Number(process.argv[2]), '127.0.0.1', () => console.log('ready'));
"""
BUNDLE = ROOT / "tests" / "servers" / "node-bundle"


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
def test_calls_in_a_worker_thread_are_counted_too(tmp_path: Path) -> None:
    require("node")
    record = run(target(env={"WORKERS": "threads"}), tmp_path, "node-calls", root=SERVER, load=Drive(100, 4))
    assert record.reason is None, (record.reason, record.log_tail)
    assert called(record, tmp_path)["item"] == (100 * 50, "application")
    assert record.profiler_facts["threads with an agent"] == "2"


@pytest.mark.real
@pytest.mark.parametrize("tool", ["node-calls", "node-heap"])
def test_functions_of_a_bundle_have_the_names_and_places_of_their_sources(tool: str, tmp_path: Path) -> None:
    """Minified by esbuild 0.28.2: `described` of prices.ts is `n` there, and all is one line."""
    require("node")
    bundled = target(command=("node", "built/bundle.js", "{port}"))
    record = run(bundled, tmp_path, tool, root=BUNDLE, load=Drive(300, 4))
    assert record.reason is None, (record.reason, record.log_tail)
    (capture,) = record.captures
    functions = parse_file(tmp_path / capture.path).functions
    places = dict(zip(functions.name, zip(functions.file, functions.line.tolist(), strict=True), strict=True))
    assert places["described"] == (f"file://{BUNDLE}/prices.ts", 6)
    assert places["answerWithPrices"] == (f"file://{BUNDLE}/main.ts", 5)
    assert places["callback of createServer"] == (f"file://{BUNDLE}/main.ts", 11)


@pytest.mark.real
def test_a_function_without_a_name_is_called_by_whom_it_is_passed_to_and_where(tmp_path: Path) -> None:
    require("node")
    (tmp_path / "server.js").write_text(NAMELESS)
    record = run(target(), tmp_path / "run", "node-calls", root=tmp_path, load=Drive(50, 2))
    assert record.reason is None, (record.reason, record.log_tail)
    (capture,) = record.captures
    rows = hotspot_list(parse_file(tmp_path / "run" / capture.path))
    own = {row.function.name: row.calls for row in rows if row.function.file == f"file://{tmp_path}/server.js"}
    assert own == {
        "callback of app.get('/')": 50,
        "callback of numbers.map in doubled": 150,
        "callback of map in halved": 150,
        "(anonymous) in later": 50,
        "callback of createServer": 50,
        "doubled": 50,
        "halved": 50,
        "later": 50,
    }


@pytest.mark.real
def test_bytes_are_of_all_that_was_allocated_and_not_of_what_is_left(tmp_path: Path) -> None:
    """50 objects and their texts for each of 1,000 requests are 4 MB or more; the collector leaves next to nothing."""
    require("node")
    record = run(target(), tmp_path, "node-heap", 1000, root=SERVER)
    assert record.reason is None, (record.reason, record.log_tail)
    (capture,) = record.captures
    rows = {row.function.name: row for row in hotspot_list(parse_file(tmp_path / capture.path))}
    assert (rows["list"].total["alloc_space"] or 0) > 4_000_000
    assert rows["list"].category == "application"


@pytest.mark.real
def test_processor_time_has_the_functions_of_the_scripts_and_no_waiting(tmp_path: Path) -> None:
    require("node")
    record = run(target(), tmp_path, "node-cpu", 1500, root=SERVER)
    assert record.reason is None, (record.reason, record.log_tail)
    (capture,) = record.captures
    profile = parse_file(tmp_path / capture.path)
    rows = hotspot_list(profile)
    assert "(idle)" not in {row.function.name for row in rows}
    own = {row.function.name: row.function.file for row in rows if row.category == "application"}
    assert own["list"] == f"file://{SERVER}/server.js"
    used = record.usage.cpu_ns if record.usage else None
    assert used is not None
    assert used / 3 < profile.self_sum("cpu_ns") < used * 1.02  # the rest is V8's compiler and collector threads


@pytest.mark.real
def test_a_process_that_only_waits_leaves_no_empty_profile(tmp_path: Path) -> None:
    """The primary process of a cluster: its whole window is (idle), or nearly so."""
    require("node")
    fields = target(env={"WORKERS": "cluster"})
    record = run(fields, tmp_path, "node-cpu", root=SERVER, load=Drive(300, connections=0))
    assert record.reason is None, (record.reason, record.log_tail)
    assert all(parse_file(tmp_path / capture.path).self_sum("samples") > 0 for capture in record.captures)


@pytest.mark.parametrize(
    ("tool", "version", "words"),
    [
        ("node-cpu", "v14.21.3", "is Node 14.21.3; node-cpu needs 16 or newer"),
        ("node-heap", "v18.20.8", "is Node 18.20.8; node-heap needs 20 or newer"),
        ("node-calls", "v18.20.8", None),
    ],
)
def test_a_version_that_is_too_old_is_named_before_the_first_run(
    tool: str, version: str, words: str | None, tmp_path: Path
) -> None:
    program = tmp_path / "node"
    program.write_text(f"#!/bin/sh\necho {version}\n")
    program.chmod(0o755)
    found = profiler(tool).missing(Target(command=(str(program), "server.js"), language="node"), tmp_path)
    assert (words is None and found is None) or (words or "?") in (found or "")
    absent = Target(command=("./absent/node", "server.js"), language="node")
    assert (profiler(tool).missing(absent, tmp_path) or "").startswith("node not found: install Node 16")


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
    with pytest.raises(UsageError, match="node-heap: interval is 10; give bytes between samples, 256 to 1073741824"):
        profiler("node-heap").check({"interval": 10})
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
