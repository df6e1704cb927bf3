"""A tool's whole complaint is read: the reason is named, with the remedy that fits."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from profpipe.capture.complaints import ALLOW_PTRACE, CAUSES, LONGEST, explained, in_one_line
from profpipe.capture.profilers.callgrind.trial import try_it as try_callgrind
from profpipe.capture.profilers.perf.trial import try_it as try_perf

LOADER = """==7== Callgrind, a call-graph generating cache profiler
valgrind:  Fatal error at startup: a function redirection
valgrind:  which is mandatory for this platform-tool combination
valgrind:  cannot be set up.  Details of the redirection are:
valgrind:
valgrind:  A must-be-redirected function
valgrind:  whose name matches the pattern:      strlen
valgrind:  in an object with soname matching:   ld-linux-x86-64.so.2
valgrind:  was not found whilst processing
valgrind:  symbols from the object with soname: ld-linux-x86-64.so.2
valgrind:
valgrind:  Cannot continue -- exiting now.  Sorry.
"""
WSL = """WARNING: perf not found for kernel 5.15.153.1-microsoft

  You may need to install the following packages for this specific kernel:
    linux-tools-5.15.153.1-microsoft-standard-WSL2
"""
KERNEL = "WARNING: perf not found for kernel 6.8.0-31\n\n  You may need to install linux-tools-6.8.0-31-generic\n"
SETUID = "valgrind: Can't execute setuid/setgid/setcap executable: /usr/bin/ping\nvalgrind: Try --trace-children=yes\n"
SECCOMP = "Error:\nThe sys_perf_event_open() syscall returned with 38 (Function not implemented) for (cpu-clock)\n"
NO_PMU = "Error:\ncycles: PMU Hardware doesn't support sampling/overflow-interrupts. Try 'perf stat'\n"
PTRACE = (
    "syscall failed: Operation not permitted\nerror opening process: ptrace(PTRACE_ATTACH): Operation not permitted\n"
)
FORMAT = "/opt/perf: cannot execute binary file: Exec format error\n"
LIBRARY = "perf: error while loading shared libraries: libbfd-2.42.so: cannot open shared object file\n"
MEMORY = "valgrind: mmap(0x58000000, 2236416) failed in UME with error 12 (Cannot allocate memory).\n"


@pytest.mark.parametrize(
    ("output", "meaning", "remedy"),
    [
        (LOADER, "the debugging symbols of ld-linux-x86-64.so.2, which are not installed", "apt install libc6-dbg"),
        (WSL, "none is packaged for the WSL kernel 5.15.153.1-microsoft", "WSL2-Linux-Kernel"),
        (KERNEL, "perf not found for kernel 6.8.0-31", "apt install linux-tools-$(uname -r)"),
        (SETUID, "cannot run a program with setuid, setgid or capabilities: /usr/bin/ping", "a copy of the program"),
        (SECCOMP, "a filter (seccomp) forbids perf_event_open", "--cap-add PERFMON"),
        (NO_PMU, "no such hardware counter (PMU)", "cpu-clock"),
        (PTRACE, "ptrace is not permitted here", ALLOW_PTRACE),
        (FORMAT, "another kind of processor", "uname -m"),
        (LIBRARY, "error while loading shared libraries: libbfd-2.42.so", "package that has this library"),
        (MEMORY, "too little memory", "ulimit -v"),
    ],
)
def test_each_known_complaint_has_its_meaning_and_remedy(output: str, meaning: str, remedy: str) -> None:
    found = explained(output)
    assert found is not None
    assert meaning in found[0]
    assert remedy in found[1]


def test_every_cause_is_reached_by_a_complaint_above() -> None:
    outputs = (LOADER, WSL, KERNEL, SETUID, SECCOMP, NO_PMU, PTRACE, FORMAT, LIBRARY, MEMORY)
    first = {next(cause for cause in CAUSES if cause.found_in(output)) for output in outputs}
    assert first == set(CAUSES)


def test_any_other_complaint_is_shown_whole_in_one_line() -> None:
    assert explained("something else") is None
    assert in_one_line("==7== \nvalgrind: the cause\n\nvalgrind: Sorry.\n") == "the cause; Sorry"
    assert len(in_one_line("word " * 1000)) <= LONGEST + 5


def fake(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, output: str) -> None:
    path = folder / name
    quoted = output.replace("'", "'\\''")
    version = f"case \"$*\" in *--version*) echo '{name}-3.19.0'; exit 0;; esac"
    path.write_text(f"#!/bin/sh\n{version}\nprintf '%s' '{quoted}' >&2\nexit 1\n")
    path.chmod(0o755)
    for module in ("callgrind.trial", "perf.trial"):
        monkeypatch.setattr(f"profpipe.capture.profilers.{module}.find_tool", lambda tool: str(folder / tool))
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.programs
def test_doctor_says_why_callgrind_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(tmp_path, monkeypatch, "valgrind", LOADER)
    found = try_callgrind()
    assert "debugging symbols of ld-linux-x86-64.so.2" in (found.why_not or "")
    assert "libc6-dbg" in found.install


@pytest.mark.programs
def test_doctor_says_that_perf_is_only_a_wrapper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(tmp_path, monkeypatch, "perf", WSL)
    found = try_perf()
    assert "WSL kernel" in (found.why_not or "")
    assert "linux-tools" not in found.install
