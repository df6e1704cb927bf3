"""`profpipe doctor`: every profiler is really tried; an installed tool that cannot work looks like one that can."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from profpipe.capture.machine import find_tool, read
from profpipe.capture.profilers.registry import PROFILERS, profiler
from profpipe.capture.server.build import absent_modules
from profpipe.capture.server.process import Supervised, inherited_environment

TRY_SECONDS = 30.0
PACKAGES = {"yappi": "yappi", "pyinstrument": "pyinstrument", "cprofile": "cProfile"}
DEBIAN = {"callgrind": "apt install valgrind", "perf": "apt install linux-perf"}
PTRACE = "allow ptrace: run as root, or `sysctl kernel.yama.ptrace_scope=0`, or in a container add SYS_PTRACE"
PERFMON = "sysctl kernel.perf_event_paranoid=0, or run with CAP_PERFMON"
SLEEPER = "import time\nprint('up', flush=True)\nwhile True: time.sleep(0.01)"


@dataclass(frozen=True, slots=True)
class ToolState:
    """What a trial found. `why_not` and `install` are empty when it works; `note` is worth knowing either way."""

    name: str
    kind: str
    works: bool
    why_not: str = ""
    install: str = ""
    note: str = ""


def try_tools(python: str = sys.executable) -> tuple[ToolState, ...]:
    """Try every built-in profiler; `python` is the interpreter whose packages the in-process ones need."""
    trials: dict[str, Callable[[], ToolState]] = {
        "clean": try_clean,
        "callgrind": try_callgrind,
        "perf": try_perf,
        "py-spy": functools.partial(try_pyspy, python),
    }
    names = [*PROFILERS, *(() if "perf" in PROFILERS else ("perf",))]
    return tuple(trials[name]() if name in trials else try_package(name, python) for name in names)


def try_clean() -> ToolState:
    """CPU of a process by its own clock, which some sandboxes do not have."""
    try:
        from profpipe.capture.server.usage import cpu_clock_ns

        cpu_clock_ns(os.getppid())
    except OSError as error:
        return ToolState("clean", "clean", False, f"this system does not tell the CPU time of a process: {error}")
    return ToolState("clean", "clean", True)


def _run(argv: list[str]) -> subprocess.CompletedProcess[str] | str:
    """The finished process, or why it did not finish."""
    try:
        return subprocess.run(
            argv, capture_output=True, text=True, errors="replace", timeout=TRY_SECONDS, check=False,
            stdin=subprocess.DEVNULL, env=inherited_environment(),
        )  # fmt: skip
    except OSError as error:
        return str(error)
    except subprocess.TimeoutExpired:
        return f"it did not end within {TRY_SECONDS:g} s"


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1] if lines else f"exit status {done.returncode}"


def try_callgrind() -> ToolState:
    """A profile of a program that does nothing, and a running one told to start counting (for which ptrace is used)."""
    if find_tool("valgrind") is None or find_tool("vgdb") is None:
        return ToolState("callgrind", "counted", False, "valgrind is not installed", DEBIAN["callgrind"])
    with tempfile.TemporaryDirectory(prefix="profpipe-doctor-") as folder:
        out = Path(folder) / "out"
        done = _run(["valgrind", "--tool=callgrind", "-q", f"--callgrind-out-file={out}", "/bin/true"])
        if isinstance(done, str) or done.returncode != 0:
            return ToolState("callgrind", "counted", False, done if isinstance(done, str) else _last_line(done))
        if not out.exists() or not re.search(rb"^totals: [1-9]", out.read_bytes(), re.MULTILINE):
            return ToolState("callgrind", "counted", False, "valgrind ran /bin/true and wrote no profile")
        prefix = f"--vgdb-prefix={folder}/vgdb"
        argv = ["valgrind", "--tool=callgrind", "-q", "--instr-atstart=no", prefix, f"--callgrind-out-file={out}"]
        with Supervised([*argv, "sleep", "60"], env=inherited_environment(), cwd=Path(folder)) as child:
            told = _run(["vgdb", prefix, "--wait=10", f"--pid={child.pid}", "instrumentation", "on"])
        if isinstance(told, str) or told.returncode != 0:
            why = told if isinstance(told, str) else _last_line(told)
            return ToolState("callgrind", "counted", False, f"a running program cannot be told to count: {why}", PTRACE)
    return ToolState("callgrind", "counted", True)


def try_pyspy(python: str) -> ToolState:
    """Attach to a child of ours and read its stack."""
    program = find_tool("py-spy")
    if program is None:
        install = f"{sys.executable} -m pip install py-spy"
        return ToolState("py-spy", "sampled", False, "py-spy is not installed", install)
    with Supervised([python, "-c", SLEEPER], env=inherited_environment(), cwd=Path.cwd()) as child:
        child.log.watch("up")
        if child.log.matched(TRY_SECONDS) is None:
            return ToolState("py-spy", "sampled", False, f"{python} does not run")
        done = _run([program, "dump", "--nonblocking", "-p", str(child.pid)])
    if isinstance(done, str):
        return ToolState("py-spy", "sampled", False, done)
    if done.returncode != 0:
        denied = re.search(r"permission|not permitted", done.stderr, re.IGNORECASE)
        return ToolState("py-spy", "sampled", False, _last_line(done), PTRACE if denied else "")
    return ToolState("py-spy", "sampled", True)


def try_package(name: str, python: str) -> ToolState:
    """An in-process profiler: whether the target's interpreter has it."""
    kind, module = profiler(name).kind, PACKAGES[name]
    try:
        absent = absent_modules(python, [module])
    except (OSError, subprocess.TimeoutExpired) as error:
        return ToolState(name, kind, False, f"{python} cannot be run: {error}")
    if absent:
        return ToolState(name, kind, False, f"not installed for {python}", f"{python} -m pip install {module}")
    return ToolState(name, kind, True, note="needed in the interpreter of each target")


def try_perf() -> ToolState:
    """A recording of all processors, which is what perf is used for here."""
    if find_tool("perf") is None:
        return ToolState("perf", "sampled", False, "perf is not installed", DEBIAN["perf"])
    with tempfile.TemporaryDirectory(prefix="profpipe-doctor-") as folder:
        out = str(Path(folder) / "perf.data")
        done = _run(["perf", "record", "-q", "-N", "-a", "-e", "cpu-clock", "-F", "99", "-o", out, "--", "true"])
    if not isinstance(done, str) and done.returncode == 0:
        return ToolState("perf", "sampled", True)
    paranoid = read("/proc/sys/kernel/perf_event_paranoid")
    why = done if isinstance(done, str) else _last_line(done)
    return ToolState("perf", "sampled", False, f"{why} (perf_event_paranoid is {paranoid or 'unknown'})", PERFMON)
