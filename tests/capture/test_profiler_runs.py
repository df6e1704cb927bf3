"""Each profiler on real servers: it sees the threads and greenlets that serve, in the window only, or refuses."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from profpipe.capture import profiler
from profpipe.capture.profilers.pyspy import samples_in
from profpipe.study.schema import Ready, Target
from tests.support.capture_driving import ROOT, Drive, faulty, ours, run
from tests.support.captured_profiles import parsed
from tests.support.processes import processes
from tests.support.tools import require

REQUESTS = 200
NEEDS = {"gevent_server": ("gevent",), "uvloop_protocol": ("uvloop",)}
PYTHON = sys.executable


def calls_of(document: Path, name: str, file: str) -> int:
    """How often yappi saw a function called."""
    functions = json.loads(document.read_text())["functions"]
    return sum(f["calls"] for f in functions if f["name"] == name and f["module"].endswith(file))


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "function", "file", "backend"),
    [
        ("threads", "parse", "request_head.py", "native_thread"),
        ("asyncio_protocol", "Hello.data_received", "protocol.py", "native_thread"),
        ("gevent_server", "parse", "request_head.py", "greenlet"),
        ("uvloop_protocol", "Hello.data_received", "protocol.py", "native_thread"),
    ],
)
def test_yappi_sees_every_request_of_the_window_once(
    tmp_path: Path, name: str, function: str, file: str, backend: str
) -> None:
    require("yappi", *NEEDS.get(name, ()), *(["uvloop"] if name == "uvloop_protocol" else []))
    captured = run(ours(name), tmp_path, "yappi", REQUESTS)
    profile = parsed(captured, tmp_path)
    document = tmp_path / captured.captures[0].path
    assert calls_of(document, function, file) == REQUESTS
    assert profile.meta.notes["backend"] == backend
    assert captured.profiler_facts["contexts"] == backend


@pytest.mark.real
def test_yappi_sees_threads_that_ran_before_it_began(tmp_path: Path) -> None:
    require("yappi")
    target = Target(command=("{python}", str(ROOT / "tests/servers/pool.py"), "{port}"), language="python")
    captured = run(target, tmp_path, "yappi", REQUESTS)
    assert captured.reason is None
    assert calls_of(tmp_path / captured.captures[0].path, "answer_one", "pool.py") == REQUESTS


@pytest.mark.real
def test_yappi_follows_a_server_into_its_forked_worker(tmp_path: Path) -> None:
    require("yappi")
    captured = run(faulty("daemonizes", env={"RUN_FOLDER": str(tmp_path)}), tmp_path, "yappi", REQUESTS)
    assert captured.reason is None
    documents = [tmp_path / file.path for file in captured.captures]
    assert sum(calls_of(document, "answer", "faulty.py") for document in documents) == Drive(1).connections
    assert processes(tmp_path) == []


@pytest.mark.real
@pytest.mark.parametrize("name", ["pyinstrument", "cprofile"])
def test_one_thread_instruments_refuse_a_thread_per_connection(tmp_path: Path, name: str) -> None:
    if name == "pyinstrument":
        require("pyinstrument")
    captured = run(ours("threads"), tmp_path, name, 2000)
    assert captured.refused
    assert captured.phase == "save"
    assert "the serving threads were not seen" in (captured.reason or "")


@pytest.mark.real
@pytest.mark.parametrize("name", ["asyncio_protocol", "gevent_server"])
def test_pyinstrument_samples_the_loop(tmp_path: Path, name: str) -> None:
    require("pyinstrument", *NEEDS.get(name, ()))
    captured = run(ours(name), tmp_path, "pyinstrument", 2000)
    profile = parsed(captured, tmp_path)
    assert {"parse", "data_received", "handle"} & set(profile.functions.name)


@pytest.mark.real
@pytest.mark.parametrize("name", ["asyncio_protocol", "gevent_server"])
def test_cprofile_counts_calls_of_the_loop(tmp_path: Path, name: str) -> None:
    require(*NEEDS.get(name, ()))
    profile = parsed(run(ours(name), tmp_path, "cprofile", REQUESTS), tmp_path)
    assert "parse" in profile.functions.name


@pytest.mark.real
@pytest.mark.parametrize("name", ["threads", "asyncio_protocol", "gevent_server"])
def test_pyspy_samples_a_running_server(tmp_path: Path, name: str) -> None:
    require("py-spy", *NEEDS.get(name, ()))
    captured = run(ours(name), tmp_path, "py-spy", 4000)
    profile = parsed(captured, tmp_path)
    assert any("handle" in f or "data_received" in f for f in profile.functions.name)
    assert samples_in(tmp_path / captured.captures[0].path) > 0
    assert processes(tmp_path) == []


@pytest.mark.real
def test_pyspy_that_may_not_trace_fails_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from profpipe.capture.profilers import pyspy

    fake = tmp_path / "py-spy"
    fake.write_text("#!/bin/sh\necho 'Error: Permission denied (os error 13)' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setattr(pyspy, "find_tool", lambda _: str(fake))
    captured = run(ours("threads"), tmp_path / "run", "py-spy", 10)
    assert captured.phase == "window"
    assert "Permission denied" in (captured.reason or "")
    assert "allow ptrace" in (captured.reason or "")


@pytest.mark.real
def test_an_agent_that_cannot_import_its_profiler_ends_before_ready(tmp_path: Path) -> None:
    """The package is missing in the target's interpreter and nobody asked before."""
    target = ours("threads").model_copy(update={"command": (PYTHON, "-S", "-I", "threads.py", "--port", "{port}")})
    captured = run(target, tmp_path, "yappi", 10)
    assert captured.phase == "ready"
    assert any("No module named 'yappi'" in line for line in captured.log_tail)


@pytest.mark.real
def test_a_package_missing_in_the_targets_interpreter_is_named_with_the_line_that_installs_it(tmp_path: Path) -> None:
    bare = tmp_path / "python3"
    bare.write_text(f'#!/bin/sh\nexec {PYTHON} -S -I "$@"\n')
    bare.chmod(0o755)
    target = Target(command=(str(bare), "serve.py"), language="python")
    expected = f"yappi is not installed for {bare}: {bare} -m ensurepip && {bare} -m pip install yappi"
    assert profiler("yappi").missing(target, tmp_path) == expected
    assert profiler("cprofile").missing(target, tmp_path) is None


@pytest.mark.real
def test_the_targets_own_ways_are_kept_under_the_agent(tmp_path: Path) -> None:
    """argv, __main__, the path, SIGUSR1 and a clean SIGTERM are as without it."""
    script = tmp_path / "look.py"
    script.write_text(
        "import json, os, pickle, signal, sys\n"
        "sys.path.insert(0, os.environ['TARGETS'])\n"
        "class Here: pass\n"
        "pickle.dumps(Here())\n"
        "told = {'argv': sys.argv[1:], 'main': __name__, 'file': __file__, 'usr1': signal.getsignal(10) == 0,\n"
        "        'capture': any(p.endswith('profpipe/capture') for p in sys.path)}\n"
        "open(os.environ['TOLD'], 'w').write(json.dumps(told))\n"
        "sys.argv = ['threads.py', *sys.argv[2:]]\n"
        "import threads; threads.main()\n"
    )
    told = tmp_path / "told.json"
    target = Target(
        command=("{python}", str(script), "first", "--port", "{port}"),
        env={"TOLD": str(told), "TARGETS": str(ROOT / "targets/python")},
        ready=Ready(line=r"ready port=(?P<port>\d+)"),
    )
    captured = run(target, tmp_path / "run", "yappi", 20)
    assert captured.reason is None
    assert captured.warnings == ()
    looked = json.loads(told.read_text())
    assert looked["argv"][:2] == ["first", "--port"]
    assert looked["main"] == "__main__"
    assert looked["file"] == str(script)
    assert looked["usr1"]
    assert not looked["capture"]


@pytest.mark.real
def test_a_module_is_profiled_as_a_module(tmp_path: Path) -> None:
    command = ("{python}", "-m", "threads", "--port", "{port}")
    captured = run(ours("threads").model_copy(update={"command": command}), tmp_path, "yappi", REQUESTS)
    assert captured.reason is None
    assert calls_of(tmp_path / captured.captures[0].path, "parse", "request_head.py") == REQUESTS


@pytest.mark.real
def test_captures_of_two_runs_never_mix(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "callgrind.out.1.1").write_text("totals: 5\n")
    captured = run(ours("threads"), tmp_path, "clean", 10)
    assert captured.phase == "start"
    assert "holds captures of another run" in (captured.reason or "")


@pytest.mark.real
def test_no_temporary_folder_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require("valgrind", "yappi")
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    for name in ("callgrind", "yappi"):
        run(ours("threads"), tmp_path / name, name, 20)
    assert os.listdir(tmp_path / "tmp") == []  # noqa: PTH208
    shutil.rmtree(tmp_path / "tmp")
