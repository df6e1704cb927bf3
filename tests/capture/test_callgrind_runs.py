"""callgrind on real servers: it counts the window and nothing else, however the server is started."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from profpipe.capture.profilers.callgrind import PROFILER, options, python_functions, vgdb
from profpipe.capture.profilers.callgrind.dumps import total_of
from profpipe.capture.server.python_version import has_trampolines
from profpipe.errors import UsageError
from profpipe.model.derive import function_table
from profpipe.parse import parse_files
from profpipe.study.schema import Target
from tests.support.capture_driving import FAULTY, ROOT, Drive, faulty, ours, run
from tests.support.captured_profiles import parsed
from tests.support.processes import processes
from tests.support.pythons import pythons
from tests.support.tools import require

REQUESTS = 200
NEEDS = {"gevent_server": ("gevent",)}
PYTHON = sys.executable


@pytest.mark.real
@pytest.mark.parametrize("name", ["threads", "asyncio_protocol", "gevent_server"])
def test_callgrind_counts_the_window_and_nothing_else(tmp_path: Path, name: str) -> None:
    require("valgrind", *NEEDS.get(name, ()))
    captured = run(ours(name), tmp_path, "callgrind", REQUESTS)
    profile = parsed(captured, tmp_path)
    assert profile.declared is not None
    total = int(profile.declared["instructions"])
    # Start and imports are 80 million and more; a request is 15,000 to 60,000.
    assert 10_000 < total / REQUESTS < 120_000
    assert total == total_of(tmp_path / captured.captures[0].path)
    assert processes(tmp_path) == []


@pytest.mark.real
def test_callgrind_of_an_idle_window_is_invalid_in_words_or_next_to_nothing(tmp_path: Path) -> None:
    """What another window control kept from before: 45,364 instructions where nothing was asked."""
    require("valgrind")
    captured = run(ours("asyncio_protocol"), tmp_path, "callgrind", load=Drive(0, 0))
    if captured.reason is None:
        assert total_of(tmp_path / captured.captures[0].path) < 5_000
    else:
        assert captured.reason == "callgrind wrote no profile: nothing was counted in the window"


@pytest.mark.real
def test_callgrind_repeats_with_a_fixed_count_and_counts_the_same_without_systime(tmp_path: Path) -> None:
    """One connection at a time, so that neither batching nor the garbage collector's turn differs.

    With C's malloc: Python's own takes one of two paths for every request, for a whole run, depending on where its
    pools lie. Runs of one server then differ by up to 0.38 %.
    """
    require("valgrind")
    totals = []
    target = ours("asyncio_protocol").model_copy(update={"env": {"PYTHONMALLOC": "malloc"}})
    for systime in (True, False):
        folder, options = tmp_path / str(systime), {"systime": systime}
        captured = run(target, folder, "callgrind", load=Drive(300, 1), options=options)
        totals.append(total_of(folder / captured.captures[0].path))
    assert abs(totals[0] - totals[1]) / totals[0] < 0.001


@pytest.mark.real
def test_callgrind_reaches_a_server_behind_a_shell_and_its_forked_worker(tmp_path: Path) -> None:
    require("valgrind")
    command = ("sh", "-c", f"{PYTHON} {FAULTY} daemonizes {{port}}; true")
    target = Target(command=command, env={"RUN_FOLDER": str(tmp_path)}, stop_timeout=5.0)
    captured = run(target, tmp_path, "callgrind", REQUESTS)
    profile = parsed(captured, tmp_path)
    assert profile.declared is not None
    assert profile.declared["instructions"] / REQUESTS > 10_000
    assert processes(tmp_path) == []


@pytest.mark.programs
@pytest.mark.parametrize(
    ("user", "host"), [("root", "web-1"), ("???", "???"), ("a-on-b", "c-by-d"), ("", "x"), ("jane doe", "")]
)
def test_vgdb_gets_the_user_and_host_that_valgrind_put_into_the_name_of_its_pipe(user: str, host: str) -> None:
    pipe = f"vgdb-from-vgdb-to-4711-by-{user}-on-{host}"
    env = vgdb.environment(pipe)
    assert f"vgdb-from-vgdb-to-4711-by-{env['LOGNAME']}-on-{env['HOST']}" == pipe
    assert (env["USER"], env["HOSTNAME"]) == (env["LOGNAME"], env["HOST"])


@pytest.mark.real
@pytest.mark.parametrize(
    ("env", "script"),
    [({}, ""), ({"HOSTNAME": "web-2", "LOGNAME": "jane"}, ""), ({}, "HOST=web-3 USER= exec ")],
    ids=["exported by the caller", "set by the target", "changed by the start script"],
)
def test_callgrind_works_whatever_the_host_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, env: dict[str, str], script: str
) -> None:
    """Containers export HOSTNAME; valgrind and vgdb must still agree on the name of their pipe."""
    require("valgrind")
    monkeypatch.setenv("HOSTNAME", "web-1")
    server = f"{script}{PYTHON} {ROOT}/targets/python/asyncio_protocol.py --port {{port}}"
    target = Target(command=("sh", "-c", server), env=env, language="python")
    captured = run(target, tmp_path, "callgrind", 20)
    assert parsed(captured, tmp_path).declared


@pytest.mark.real
def test_callgrind_writes_a_file_for_each_thread_and_they_are_read_as_one_run(tmp_path: Path) -> None:
    require("valgrind")
    captured = run(ours("threads"), tmp_path, "callgrind", REQUESTS, options={"separate_threads": True})
    files = [tmp_path / file.path for file in captured.captures]
    threads = {path.name.rpartition("-")[2] for path in files}
    assert len(threads) == len(files) > 1
    profile = parse_files(files)
    assert profile.declared is not None
    assert profile.declared["instructions"] == sum(map(total_of, files))
    assert profile.declared["instructions"] / REQUESTS > 5_000


@pytest.mark.real
def test_a_tunable_that_did_not_work_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With another tunable in its place, as on a C library that does not know ours. Old processors have no ERMS."""
    require("valgrind")
    monkeypatch.setattr(options, "merged_tunables", lambda _: "glibc.malloc.check=0")
    captured = run(ours("asyncio_protocol"), tmp_path, "callgrind", REQUESTS)
    profile = parsed(captured, tmp_path)
    said = [text for text in captured.warnings if "GLIBC_TUNABLES had no effect" in text]
    assert bool(said) == any(name.endswith("_erms") for name in profile.functions.name)


@pytest.mark.real
def test_callgrind_keeps_its_profile_when_the_server_must_be_killed(tmp_path: Path) -> None:
    require("valgrind")
    captured = run(faulty("ignores-sigterm", stop_timeout=0.2), tmp_path, "callgrind", 50)
    assert captured.reason is None
    assert "was killed" in captured.warnings[0]
    assert parsed(captured, tmp_path).declared


def python_with_trampolines() -> str:
    """A CPython 3.12 or later that can; skips the test where there is none."""
    found = next((path for path in pythons((3, 12)) if has_trampolines(path)), None)
    if found is None:
        pytest.skip("no CPython 3.12 or later is installed")
    return found


@pytest.mark.real
def test_python_functions_are_counted_where_the_interpreter_can(tmp_path: Path) -> None:
    require("valgrind")
    server = (python_with_trampolines(), str(ROOT / "tests/servers/known_calls.py"), "{port}")
    captured = run(Target(command=server, language="python"), tmp_path, "callgrind", warm_up=None, load=Drive(5, 0))
    profile = parsed(captured, tmp_path)
    calls = function_table(profile, "instructions")["calls"]
    assert calls[profile.functions.name.index("price")] == 5 * 43
    assert calls[profile.functions.name.index("key")] == 5 * 5
    assert captured.profiler_facts["functions"] == "Python"
    pids = [file.path.split("perf-")[1].removesuffix(".map") for file in captured.captures if "perf-" in file.path]
    assert len(pids) == 1
    assert not Path(f"/tmp/perf-{pids[0]}.map").exists()


@pytest.mark.real
def test_c_functions_are_counted_where_the_study_asks_for_them(tmp_path: Path) -> None:
    require("valgrind")
    server = (python_with_trampolines(), str(ROOT / "tests/servers/known_calls.py"), "{port}")
    target = Target(command=server, language="python")
    options = {"python_functions": False}
    captured = run(target, tmp_path, "callgrind", warm_up=None, load=Drive(5, 0), options=options)
    profile = parsed(captured, tmp_path)
    assert "_PyEval_EvalFrameDefault" in profile.functions.name
    assert "price" not in profile.functions.name


def test_a_value_of_python_functions_that_does_not_exist_is_refused_before_any_run() -> None:
    with pytest.raises(UsageError, match="callgrind has no python_functions 'yes'; it takes: auto, true, false"):
        PROFILER.check({"python_functions": "yes"})


def test_only_maps_written_since_the_run_began_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers of processes come again, and maps of processes that were killed stay in /tmp."""
    monkeypatch.setattr(python_functions, "FOLDER", tmp_path)
    raw = tmp_path / "raw"
    raw.mkdir()
    for pid, age in ((1, 0), (2, 3600)):
        (tmp_path / f"perf-{pid}.map").write_text("1000 b py::f:/f.py\n")
        os.utime(tmp_path / f"perf-{pid}.map", (time.time() - age,) * 2)
    (tmp_path / "perf-3.map").symlink_to(tmp_path / "perf-1.map")
    kept = python_functions.keep_maps({1, 2, 3}, time.time(), raw)
    assert [path.name for path in kept] == ["perf-1.map"]
    python_functions.remove_maps({1, 2, 3}, time.time())
    assert sorted(path.name for path in tmp_path.glob("perf-*")) == ["perf-2.map", "perf-3.map"]
