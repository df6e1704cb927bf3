"""Go's own profilers in a real server: its checkout untouched, allocations exact, functions named by package."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from profpipe.analyse.tables.profile_list import hotspot_list
from profpipe.capture import profiler
from profpipe.capture.profilers.go_agent.building import recipe, split
from profpipe.capture.server.go_program import go_program
from profpipe.capture.server.seen_share import seen_share
from profpipe.errors import UsageError
from profpipe.model.run import RunRecord
from profpipe.parse import parse_file
from profpipe.study.schema import Ready, Target
from tests.support.capture_driving import Drive, run
from tests.support.paths import ROOT
from tests.support.tools import require

SERVER = ROOT / "tests" / "servers" / "go"
# Shared by all runs of the tests: the packages of the standard library take 18 s of CPU to compile.
CACHE = str(Path(tempfile.gettempdir()) / "profpipe-tests-go-cache")


def target(cwd: str = ".", many: int = 200, **more: object) -> Target:
    fields: dict[str, object] = {
        "command": ("./small", "{port}"),
        "cwd": cwd,
        "language": "go",
        "build": (("go", "build", "-o", "small", "."),),
        "env": {"GOCACHE": CACHE, "GOFLAGS": "-buildvcs=false", "GOTOOLCHAIN": "local", "MANY": str(many)},
        "ready": Ready(line="^ready$"),
    }
    return Target.model_validate({**fields, **more})


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("go")
    folder = tmp_path_factory.mktemp("checkout") / "small"
    shutil.copytree(SERVER, folder)
    return folder


@pytest.fixture(scope="module")
def allocations(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunRecord, Path]:
    folder = tmp_path_factory.mktemp("allocs")
    return run(target(), folder, "go-allocs", 100, root=checkout), folder


def rows(record: RunRecord, folder: Path, key: str) -> dict[str, tuple[int, str, str]]:
    """Function -> (self, category, file) of a run's capture."""
    (capture,) = record.captures
    found = hotspot_list(parse_file(folder / capture.path), key)
    return {row.function.name: (row.self[key], row.category, row.function.file) for row in found}


@pytest.mark.real
def test_every_allocation_of_the_window_is_counted(allocations: tuple[RunRecord, Path]) -> None:
    record, folder = allocations
    assert record.reason is None, (record.reason, record.log_tail)
    found = rows(record, folder, "alloc_objects")
    # List makes 200 strings, all longer than the 16 bytes that can share a block.
    # When the rate changes, the runtime records one more on each processor.
    count, category, _ = found["example.com/small/prices.List"]
    assert (count, category) == (pytest.approx(200 * 100, rel=0.001), "application")
    assert float(record.profiler_facts["allocations per request"]) == pytest.approx(300, rel=0.1)


@pytest.mark.real
def test_the_checkout_is_untouched_and_the_module_is_known(allocations: tuple[RunRecord, Path], checkout: Path) -> None:
    record, _ = allocations
    assert sorted(path.name for path in checkout.rglob("*")) == ["go.mod", "main.go", "prices", "prices.go"]
    assert record.profiler_facts["Go module"] == "example.com/small"
    assert record.profiler_facts["Go"].startswith("go1.")


@pytest.mark.real
def test_processor_time_has_the_functions_of_the_server(checkout: Path, tmp_path: Path) -> None:
    record = run(target(many=2000), tmp_path, "go-cpu", 150, root=checkout)
    assert record.reason is None, (record.reason, record.log_tail)
    (capture,) = record.captures
    profile = parse_file(tmp_path / capture.path)
    assert profile.metrics[0].key == "cpu_ns"
    row = next(row for row in hotspot_list(profile) if row.function.name == "example.com/small/prices.List")
    assert row.total["cpu_ns"] or profile.self_sum("cpu_ns") / 2 < 0
    assert row.function.file.endswith("prices/prices.go")


@pytest.mark.real
def test_contention_is_read_or_refused_where_there_is_none(checkout: Path, tmp_path: Path) -> None:
    """The runtime's own locks are rarely contended here, but may be: then there is a profile, and it can be read."""
    alone = target(many=20, env={**target().env, "GOMAXPROCS": "1"})
    record = run(alone, tmp_path, "go-contention", 20, root=checkout, load=Drive(20, 1))
    if record.refused:
        assert record.reason == "no goroutine waited for a mutex while the window was open"
    else:
        (capture,) = record.captures
        assert parse_file(tmp_path / capture.path).metrics[0].key == "delay"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A server with /debug/pprof, built: net/http takes ten seconds of CPU where the cache does not have it."""
    require("go")
    folder = tmp_path_factory.mktemp("served") / "served"
    shutil.copytree(SERVER.with_name("go-pprof"), folder)
    build = ["go", "build", "-o", "served", "."]
    subprocess.run(build, cwd=folder, env=os.environ | dict(target().env), check=True, timeout=300)
    return folder


def with_endpoint(served: Path, folder: Path, path: str, requests: int = 300, **env: str) -> RunRecord:
    given = target(command=("./served", "{port}"), build=(), env={**target().env, **env})
    return run(given, folder, "go-cpu", requests, root=served, options={"endpoint": path})


@pytest.mark.real
@pytest.mark.parametrize("timeout", ["0", "30"])
def test_an_endpoint_that_the_server_has_gives_a_profile_as_long_as_the_window(
    served: Path, tmp_path: Path, timeout: str
) -> None:
    """Its own program, not built again. With a WriteTimeout of 30 s it refuses a profile of minutes."""
    record = with_endpoint(served, tmp_path, "/debug/pprof", TIMEOUT=timeout)
    assert record.reason is None, (record.reason, record.log_tail)
    assert record.command[0] == "./served"
    (capture,) = record.captures
    profile = parse_file(tmp_path / capture.path)
    assert "main.prices" in profile.functions.name
    assert record.usage is not None
    assert record.usage.cpu_ns is not None
    assert profile.self_sum("cpu_ns") == pytest.approx(record.usage.cpu_ns, rel=0.5)


@pytest.mark.real
def test_a_server_without_the_endpoint_is_told_so(served: Path, tmp_path: Path) -> None:
    """This one answers every path, with something else."""
    record = with_endpoint(served, tmp_path, "/internal/pprof", 10)
    assert record.phase == "window"
    assert "no /internal/pprof on the server's ports" in (record.reason or "")
    nobody = with_endpoint(served, tmp_path / "other", "http://127.0.0.1:1/debug/pprof", 10)
    assert "nobody answers at 127.0.0.1:1 (Connection refused)" in (nobody.reason or "")


@pytest.mark.real
def test_blocking_has_the_channel_that_was_waited_for_and_not_our_own(served: Path, tmp_path: Path) -> None:
    require("go")
    waiting = target(
        command=("./served", "{port}"),
        build=(("go", "build", "-o", "served", "."),),
        env={**target().env, "WAIT": "1"},
    )
    record = run(waiting, tmp_path, "go-block", 50, root=served)
    assert record.reason is None, (record.reason, record.log_tail)
    (capture,) = record.captures
    rows = {row.function.name: row for row in hotspot_list(parse_file(tmp_path / capture.path))}
    assert (rows["main.handedOver"].total["delay"] or 0) > 50 * 1_000_000  # each waits for 1 ms
    assert not any("profpipe" in name for name in rows)


@pytest.mark.real
def test_a_build_that_fails_says_what_the_compiler_says(checkout: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(checkout, broken)
    (broken / "main.go").write_text("package main\n\nfunc main() { nothing() }\n")
    record = run(target(), tmp_path / "run", "go-cpu", root=broken)
    assert record.phase == "build"
    assert "undefined: nothing" in (record.reason or "")


@pytest.mark.programs
def test_a_version_that_is_too_old_is_named_before_the_first_run(tmp_path: Path) -> None:
    program = tmp_path / "go"
    program.write_text("#!/bin/sh\necho go version go1.20.14 linux/amd64\n")
    program.chmod(0o755)
    old = Target(command=("./server",), language="go", build=((str(program), "build", "-o", "server", "."),))
    assert f"{program} is Go 1.20.14, which is too old: install Go 1.21" in (profiler("go-cpu").missing(old) or "")


@pytest.mark.parametrize(
    ("seen", "used", "refused", "warned"),
    [(0.3, 1.0, True, False), (0.8, 1.0, False, True), (0.97, 1.0, False, False), (0.0, 0.02, False, False)],
)
def test_cpu_time_that_no_agent_saw_is_said_or_refused(seen: float, used: float, refused: bool, warned: bool) -> None:
    """Children that begin after the window has opened, or programs of another kind."""
    found = seen_share(seen, used)
    assert (found.refused is not None, bool(found.warnings)) == (refused, warned)
    assert found.facts == {"CPU of the profiled processes": f"{seen / used * 100:.0f} % of the server's"}
    assert not seen_share(1.0, None).facts


def test_a_target_that_does_not_say_how_it_is_built() -> None:
    fields = target().model_copy(update={"build": ()})
    assert recipe(fields, fields.command) is None
    assert any("package = " in text for text in profiler("go-cpu").limits(fields))
    assert (profiler("go-cpu").refuses(Target(command=("node", "x.js"))) or "").startswith(
        "go-cpu sees Go programs only"
    )


@pytest.mark.parametrize(
    ("build", "command", "flags", "packages"),
    [
        (("go", "build", "-o", "bin/shop", "./cmd/shop"), ("bin/shop",), (), ("./cmd/shop",)),
        (("go", "build", "-tags", "prod", "-trimpath"), ("./shop",), ("-tags", "prod", "-trimpath"), (".",)),
        (("go", "build", "-ldflags=-s -w", "-o", "bin/", "./..."), ("bin/shop",), ("-ldflags=-s -w",), ("./...",)),
    ],
)
def test_the_build_is_the_targets_own(
    build: tuple[str, ...], command: tuple[str, ...], flags: tuple[str, ...], packages: tuple[str, ...]
) -> None:
    found = recipe(Target(command=command, language="go", build=(build,)), command)
    assert found is not None
    assert (found.flags, found.packages) == (flags, packages)


def test_go_run_is_a_build_too() -> None:
    command = ("go", "run", "-race", "main.go", "more.go", "--port", "1")
    found = recipe(Target(command=command, language="go"), command)
    assert found is not None
    assert (found.flags, found.packages, found.arguments) == (("-race",), ("main.go", "more.go"), ("--port", "1"))
    assert split(("-o", "x", ".")) == ((), (".",))


def test_rates_and_packages_are_checked_before_a_run() -> None:
    with pytest.raises(UsageError, match="go-cpu: rate is 0"):
        profiler("go-cpu").check({"rate": 0})
    with pytest.raises(UsageError, match="go-cpu: endpoint is '6060'; give a path"):
        profiler("go-cpu").check({"endpoint": "6060"})
    with pytest.raises(UsageError, match="go-allocs has no option rate"):
        profiler("go-allocs").check({"rate": 100})


def test_a_program_that_is_not_go_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    assert go_program("/bin/sh", tmp_path) == {}
    assert go_program("./empty", tmp_path) == {}
    assert go_program("./absent", tmp_path) == {}
