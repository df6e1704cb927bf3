"""What is measured from outside, who owns a port, where things run, what is missing: the parts of a run, one by one."""

from __future__ import annotations

import getpass
import os
import platform
import re
import socket
import sys
import threading
from pathlib import Path

import pytest

from docs.house import imports
from profpipe import capture
from profpipe.capture import (
    Placement,
    ToolState,
    build,
    environment_facts,
    missing_requirements,
    place,
    profiler_versions,
    try_tools,
)
from profpipe.capture.server import ports, usage
from profpipe.capture.server.command import environment, fill, interpreter_of, is_python
from profpipe.capture.server.log import KEPT, Log, printable
from profpipe.capture.server.process import INHERITED, exit_words, inherited_environment
from profpipe.capture.server.usage import Moment, Process, cpu_ns
from profpipe.errors import CaptureError
from profpipe.model.run import LoadResult
from profpipe.study.schema import PlacementChoice, Requires, Target
from tests.support.capture_driving import Drive, faulty, ours, run

PYTHON = sys.executable


def process(**fields: float) -> Process:
    numbers = {"cpu_ns": 0, "user_s": 0.0, "system_s": 0.0, "waited_user_s": 0.0, "waited_system_s": 0.0}
    return Process(**{**numbers, "peak_bytes": 1000, **fields})  # type: ignore[arg-type]


def moment(at: float, tree: dict[int, Process], *, waited: float = 0.0, busy: float | None = None) -> Moment:
    return Moment(at, tree, waited, busy, 0)


def load_result(client_cpu_s: float | None) -> LoadResult:
    return LoadResult("t", "0", (), "closed", "none", 1, 1, 10, 1.0, client_cpu_s=client_cpu_s)


# ---- usage


def test_living_processes_are_counted_by_their_own_clocks() -> None:
    before = moment(0, {1: process(cpu_ns=100), 2: process(cpu_ns=50)})
    after = moment(1, {1: process(cpu_ns=160), 2: process(cpu_ns=51), 3: process(cpu_ns=7)})
    assert cpu_ns(before, after) == 68


def test_a_child_that_ended_comes_back_through_its_parent() -> None:
    """It had used 2 s before the window and 3 s in the end; only 1 s belongs to the window."""
    before = moment(0, {1: process(cpu_ns=0), 2: process(cpu_ns=2_000_000_000)})
    after = moment(1, {1: process(cpu_ns=5, waited_user_s=2.5, waited_system_s=0.5)})
    assert cpu_ns(before, after) == 1_000_000_005


def test_a_daemon_that_ended_comes_back_through_the_keeper() -> None:
    before = moment(0, {1: process(cpu_ns=0), 2: process(cpu_ns=1_000_000_000)})
    after = moment(1, {1: process(cpu_ns=5)}, waited=1.5)
    assert cpu_ns(before, after) == 500_000_005


def test_foreign_time_is_what_neither_server_nor_load_used() -> None:
    before = moment(0, {1: process(cpu_ns=0)}, busy=100.0)
    after = moment(2, {1: process(cpu_ns=500_000_000)}, busy=101.5)
    assert usage.usage(before, after, load_result(0.25), (1, 2, 3)).foreign_cpu_s == pytest.approx(0.75)


@pytest.mark.parametrize(("busy", "client"), [(None, 0.1), (1.0, None)])
def test_foreign_time_is_unknown_when_a_part_of_it_is(busy: float | None, client: float | None) -> None:
    before, after = moment(0, {1: process()}, busy=busy), moment(2, {1: process()}, busy=busy)
    assert usage.usage(before, after, load_result(client), None).foreign_cpu_s is None


def test_a_tree_that_is_gone_has_no_figures() -> None:
    used = usage.usage(moment(0, {1: process()}), moment(1, {}), None, None)
    assert (used.cpu_ns, used.rss_peak_bytes, used.voluntary_switches) == (None, None, None)


def test_our_own_cpu_clock_agrees_with_the_one_from_outside() -> None:
    import time

    first = time.process_time_ns()
    outside = usage.cpu_clock_ns(os.getpid())
    assert first <= outside <= time.process_time_ns()


@pytest.mark.alone
@pytest.mark.real
def test_cpu_of_children_that_ended_in_the_window_is_counted(tmp_path: Path) -> None:
    """Ten children burn 50 ms each and are gone when we look."""
    captured = run(faulty("burns-in-children"), tmp_path, warm_up=None, load=Drive(10, 1))
    assert captured.usage is not None
    assert captured.usage.cpu_ns is not None
    assert captured.usage.cpu_ns >= 10 * 50e6 - 20e6  # told in steps of 10 ms


@pytest.mark.alone
@pytest.mark.real
def test_a_clean_run_measures_what_the_window_cost(tmp_path: Path) -> None:
    captured = run(ours("threads"), tmp_path, requests=4000)
    used = captured.usage
    assert captured.reason is None
    assert used is not None
    assert used.cpu_ns is not None
    assert 0 < used.cpu_ns < used.window_s * 1e9 * 1.5
    assert used.processes == 1
    assert used.threads is not None
    assert used.threads >= Drive(1).connections  # the threads have ended with the load, and were seen
    assert used.voluntary_switches is not None
    assert used.voluntary_switches > 0
    assert used.rss_peak_bytes is not None
    assert 4 << 20 < used.rss_peak_bytes < 200 << 20
    assert used.foreign_cpu_s is not None


# ---- log


def piped(*parts: bytes, pattern: str | None = None) -> Log:
    read, write = os.pipe()
    log = Log(read)
    if pattern is not None:
        log.watch(pattern)
    for part in parts:
        os.write(write, part)
    os.close(write)
    log.finish(10)
    return log


def test_the_beginning_and_the_end_of_endless_output_are_kept() -> None:
    log = piped(b"first\n", *[b"x" * 4095 + b"\n"] * 200, b"last\n")
    kept = log.bytes()
    assert kept.startswith(b"first\n")
    assert kept.endswith(b"last\n")
    assert len(kept) < 2 * KEPT + 100
    left_out = int(re.search(rb"\[\.\.\. (\d+) bytes left out", kept)[1])  # type: ignore[index]
    assert left_out == log.size - 2 * KEPT
    assert log.tail()[-1] == "last"


def test_short_output_is_kept_as_it_is() -> None:
    assert piped(b"a\n", b"b").bytes() == b"a\nb"


def test_a_line_in_two_pieces_and_one_without_its_end_are_found() -> None:
    pattern = r"ready port=(?P<port>\d+)$"
    for parts in ((b"rea", b"dy port=8", b"0\nmore"), (b"ready port=80",)):
        found = piped(*parts, pattern=pattern).matched(5)
        assert found is not None
        assert found["port"] == "80"


def test_a_line_printed_before_the_watch_began_is_found() -> None:
    log = piped(b"ready\n")
    log.watch("ready")
    assert log.matched(5)


def test_lines_for_people_hold_no_control_characters() -> None:
    assert printable("a\x1b[31mb\x07\tc") == "a\ufffd[31mb\ufffd    c"
    assert len(printable("x" * 10_000)) == 401


def test_how_a_process_ended_in_words() -> None:
    assert [exit_words(s) for s in (0, 3, -11, -99, None)] == [
        "exit status 0",
        "exit status 3",
        "killed by SIGSEGV",
        "killed by signal 99",
        "still running",
    ]


# ---- environment


def test_only_listed_names_are_inherited() -> None:
    given = {"PATH": "p", "LC_ALL": "C", "AWS_SECRET_ACCESS_KEY": "s", "LCX": "n", "PATHX": "n", "DATABASE_URL": "u"}
    assert inherited_environment(given) == {"PATH": "p", "LC_ALL": "C"}


def test_no_name_on_the_list_is_one_of_a_secret() -> None:
    assert not [name for name in INHERITED if re.search(r"TOKEN|SECRET|KEY|PASS|AUTH|CREDENTIAL|URL", name)]


def test_python_gets_a_fixed_hash_seed_unless_the_target_sets_one() -> None:
    assert environment(ours("threads"), 1)["PYTHONHASHSEED"] == "0"
    assert environment(ours("threads").model_copy(update={"env": {"PYTHONHASHSEED": "7"}}), 1)["PYTHONHASHSEED"] == "7"
    assert "PYTHONHASHSEED" not in environment(Target(command=("/bin/sleep",), language="native"), 1)


def test_port_and_interpreter_are_filled_in_and_other_braces_kept() -> None:
    assert fill(("{python}", "--p={port}", "{json: 1}"), 80) == (PYTHON, "--p=80", "{json: 1}")
    target = Target(command=("x",), env={"BIND": "127.0.0.1:{port}"})
    assert environment(target, 80)["BIND"] == "127.0.0.1:80"


@pytest.mark.parametrize("program", ["python", "python3", "/usr/bin/python3.11", "pypy3", "python3.13t"])
def test_interpreters_are_known_by_name(program: str) -> None:
    assert interpreter_of(program) == program


def test_the_first_line_of_a_script_names_its_interpreter(tmp_path: Path) -> None:
    for first, expected in [
        (f"#!{PYTHON}", PYTHON),
        ("#!/usr/bin/env python3", "python3"),
        ("#!/usr/bin/env -S python3 -u", "python3"),
        ("#!/bin/sh", None),
        ("plain", None),
    ]:
        script = tmp_path / "script"
        script.write_text(first + "\n")
        script.chmod(0o755)
        assert interpreter_of(str(script)) == expected
        assert is_python(Target(command=(str(script),))) == (expected is not None)


# ---- ports


def test_our_listener_is_distinguished_from_another_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert ports.is_ours(port, [os.getpid()]) is True
        assert ports.is_ours(port, [1 if os.getpid() != 1 else 2]) is False
        assert port in ports.own_ports([os.getpid()])
    assert ports.is_ours(port, [os.getpid()]) is None


def test_a_port_shared_with_another_process_is_not_ours(tmp_path: Path) -> None:
    """SO_REUSEPORT: the kernel would give a foreign server half of the connections."""
    table = tmp_path / "tcp"
    row = "0: 0100007F:{:04X} 00000000:0000 0A 0 0 0 0 0 {}"
    table.write_text("head\n" + row.format(8080, 11) + "\n" + row.format(8080, 22) + "\n")
    assert ports.listeners([str(table)]) == {8080: {"11", "22"}}


@pytest.mark.parametrize(
    ("address", "reached"),
    [
        ("0100007F", True),
        ("00000000", True),
        ("0200007F", False),
        ("0" * 32, True),
        ("0000000000000000FFFF00000100007F", True),
        ("00000000000000000000000001000000", False),
    ],
)
def test_which_addresses_loopback_reaches(address: str, reached: bool) -> None:
    assert ports.answers_loopback(address) is reached


# ---- placement


@pytest.mark.parametrize(
    ("choice", "cpus", "server", "load", "text"),
    [
        ("auto", {0}, 0, (0,), "same core: server and load on processor 0 (1 processor usable)"),
        ("auto", {0, 1}, 1, (1,), "same core: server and load on processor 1 (2 processors usable)"),
        ("auto", {0, 1, 2, 3}, 2, (3,), "split: server on processor 2, load on processor 3"),
        ("split", {0, 1}, 0, (1,), "split: server on processor 0, load on processor 1"),
        ("split", {5}, 5, (5,), "same core: server and load on processor 5 (1 processor usable)"),
        ("same-core", {0, 1, 2, 3}, 3, (3,), "same core: server and load on processor 3 (asked for)"),
        (
            "spread",
            {0, 1},
            1,
            (1, 0),
            "spread: server on processor 1, the load's threads in turn on processors 1 and 0",
        ),
        ("spread", {5}, 5, (5,), "same core: server and load on processor 5 (1 processor usable)"),
        ("free", {0, 1}, None, (), "free: the kernel places server and load on 2 processors"),
    ],
)
def test_placement(
    choice: PlacementChoice, cpus: set[int], server: int | None, load: tuple[int, ...], text: str
) -> None:
    assert place(choice, cpus) == Placement(server, load, text)


@pytest.mark.alone
@pytest.mark.real
def test_the_server_runs_where_it_was_placed(tmp_path: Path) -> None:
    seen = []
    placed = place("same-core")

    def look(host: str, port: int) -> LoadResult:
        mine = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if owns(pid, port)]  # noqa: PTH208
        seen.extend(os.sched_getaffinity(pid) for pid in mine)
        return Drive(5)(host, port)

    run(ours("threads"), tmp_path, placement=placed, load=look)
    assert seen == [{placed.server_cpu}]


def owns(pid: int, port: int) -> bool:
    return ports.is_ours(port, [pid]) is True


# ---- requirements and builds


def test_missing_modules_and_programs_are_named_with_the_install_line(tmp_path: Path) -> None:
    needs = Requires(modules=("no_such_module", "json"), programs=("no-such-program",))
    target = Target(command=("{python}", "x.py"), requires=needs)
    line = f"{PYTHON} -m pip install no_such_module"
    assert missing_requirements(target, tmp_path) == f"no-such-program, no_such_module not found: {line}"
    own = target.model_copy(update={"requires": needs.model_copy(update={"install": "make tools"})})
    assert (missing_requirements(own, tmp_path) or "").endswith("not found: make tools")
    assert missing_requirements(Target(command=("{python}",), requires=Requires(modules=("json",))), tmp_path) is None


def test_a_missing_command_is_named_unless_the_build_makes_it(tmp_path: Path) -> None:
    assert missing_requirements(Target(command=("./server",)), tmp_path) == "./server not found"
    assert missing_requirements(Target(command=("./server",), build=(("true",),)), tmp_path) is None


def test_a_build_runs_in_cwd_and_passes_its_output_on(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    lines: list[str] = []
    target = Target(command=("x",), cwd="sub", env={"WORD": "hello"}, build=(("sh", "-c", "echo $WORD; pwd"),))
    build(target, tmp_path, lines.append)
    assert lines == ["hello", str((tmp_path / "sub").resolve())]


def test_a_failed_build_is_reported_with_its_last_lines(tmp_path: Path) -> None:
    target = Target(command=("x",), build=(("sh", "-c", "seq 1 100; exit 4"), ("touch", "never")))
    with pytest.raises(CaptureError, match="failed: exit status 4") as caught:
        build(target, tmp_path, lambda _: None)
    assert caught.value.phase == "build"
    assert caught.value.log_tail[-1] == "100"
    assert not (tmp_path / "never").exists()


def test_a_missing_build_command_is_named(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="no-such-compiler cannot be run"):
        build(Target(command=("x",), build=(("no-such-compiler",),)), tmp_path, lambda _: None)


# ---- facts and doctor


def test_facts_name_no_person_and_no_machine() -> None:
    facts = environment_facts(profiler_versions())
    everything = " ".join(facts.values())
    assert platform.node() not in everything.split()
    assert str(Path.home()) not in everything
    assert getpass.getuser() not in everything.split()
    for name in ("CPU", "processors", "kernel", "libc", "Python", "valgrind", "perf_event_paranoid", "load average"):
        assert facts[name]


@pytest.mark.alone
@pytest.mark.real
def test_doctor_tries_each_profiler_and_gives_the_reason_for_a_failure() -> None:
    states = try_tools(PYTHON)
    assert {"clean", "callgrind", "py-spy", "yappi", "pyinstrument", "cprofile", "perf"} <= {s.name for s in states}
    for state in states:
        assert state.works == (state.why_not == ""), state
    assert next(s for s in states if s.name == "cprofile").works


def test_doctor_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("callgrind.trial", "pyspy", "perf.trial"):
        monkeypatch.setattr(f"profpipe.capture.profilers.{module}.find_tool", lambda _: None)
    states = {state.name: state for state in try_tools(PYTHON)}
    expected = ToolState("callgrind", "counted", False, "valgrind is not installed", "apt install valgrind")
    assert states["callgrind"] == expected
    assert states["py-spy"].install == f"{PYTHON} -m pip install py-spy"
    assert not states["perf"].works


def test_doctor_names_an_interpreter_that_cannot_be_run() -> None:
    states = {state.name: state for state in try_tools("/no/such/python")}
    for name in ("py-spy", "yappi", "pyinstrument", "cprofile"):
        assert not states[name].works
        assert "/no/such/python" in states[name].why_not or "not installed" in states[name].why_not


def test_every_public_name_exists() -> None:
    for name in capture.__all__:
        assert getattr(capture, name) is not None
    with pytest.raises(AttributeError):
        capture.nothing  # noqa: B018


def test_what_runs_inside_a_server_imports_only_the_standard_library() -> None:
    folder = Path(capture.__file__).parent
    allowed = set(sys.stdlib_module_names) | {"yappi", "pyinstrument"}
    inside = sorted((folder / "profilers/python_agent").rglob("in_server.py"))
    assert len(inside) == 3
    for file in (*inside, folder / "profilers/python_agent/agent.py", folder / "server/keeper.py"):
        found = {module.split(".")[0] for module, _ in imports(file)}
        assert found <= allowed, file


def test_threads_of_the_log_end() -> None:
    piped(b"x")
    assert not [t for t in threading.enumerate() if t.name == "server output"]
