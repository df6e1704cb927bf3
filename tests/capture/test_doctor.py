"""Facts of the machine, the trials of doctor, and what the room shows of itself."""

from __future__ import annotations

import getpass
import platform
import sys
from pathlib import Path

import pytest

from docs.house import imports
from profpipe import capture
from profpipe.capture import (
    ToolState,
    environment_facts,
    profiler_versions,
    try_tools,
)

pytestmark = pytest.mark.programs

PYTHON = sys.executable


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
