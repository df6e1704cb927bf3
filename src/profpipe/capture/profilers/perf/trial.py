"""What perf can do here, found by trying: an installed perf that may not record looks like one that can."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import tempfile
from pathlib import Path

from profpipe.capture.machine import find_tool, read, tool_version
from profpipe.capture.server.process import inherited_environment

INSTALL = "apt install linux-perf"
REMEDY = "sysctl kernel.perf_event_paranoid=0, or run with CAP_PERFMON (in a container: --cap-add PERFMON)"
TRY_SECONDS = 30.0
# perf record --control fifo: is what tells that counting has begun.
OLDEST = (5, 10)
CAP_IPC_LOCK = 14


def environment() -> dict[str, str]:
    """The environment perf runs in: no perfconfig of the user changes what is recorded or how it is written."""
    return inherited_environment() | {"LC_ALL": "C", "PERF_CONFIG": os.devnull}


def version() -> str | None:
    return tool_version("perf", ("--version",), r"perf version (\S+)")


def missing() -> str | None:
    """What must be installed or allowed before perf can record whole processors; None when it can."""
    program = find_tool("perf")
    if program is None:
        return f"perf not found: {INSTALL}"
    return _refused(program)


@functools.cache
def _refused(program: str) -> str | None:
    """Why it may not or cannot record, by trying."""
    found = version()
    numbers = tuple(int(part) for part in re.findall(r"\d+", found or "")[:2])
    if found is not None and numbers < OLDEST:
        return f"perf {found} is too old: {'.'.join(map(str, OLDEST))} or newer is needed; {INSTALL}"
    done = _record(program, ("-e", "cpu-clock", "-F", "99"))
    if isinstance(done, str):
        return f"perf record does not work here: {done}"
    if done.returncode == 0:
        return None
    said = done.stderr + done.stdout
    if (absent := re.search(r"perf not found for kernel \S+", said)) is not None:
        return f"{absent[0]}: apt install linux-tools-$(uname -r)"
    if re.search(r"not permitted|permission|limited|EACCES|EPERM", said, re.IGNORECASE):
        paranoid = read("/proc/sys/kernel/perf_event_paranoid") or "unknown"
        return f"perf may not record all processes of a processor (perf_event_paranoid is {paranoid}): {REMEDY}"
    lines = [line for line in said.splitlines() if line.strip()]
    return f"perf record does not work here: {lines[0].strip() if lines else f'exit status {done.returncode}'}"


def _record(program: str, event: tuple[str, ...]) -> subprocess.CompletedProcess[str] | str:
    """Record one processor for as long as `true` runs."""
    cpu = str(min(os.sched_getaffinity(0)))
    with tempfile.TemporaryDirectory(prefix="profpipe-try-") as folder:
        out = str(Path(folder) / "data")
        return _run((program, "record", "-q", "-N", "-C", cpu, *event, "-o", out, "--", "true"))


@functools.cache
def takes_terms(program: str) -> bool:
    """Whether this perf can run clocks of several frequencies side by side."""
    done = _record(program, ("-e", "cpu-clock/freq=97/", "-e", "cpu-clock/freq=113/"))
    return not isinstance(done, str) and done.returncode == 0


def _run(argv: tuple[str, ...]) -> subprocess.CompletedProcess[str] | str:
    """The finished process, or why it did not finish."""
    try:
        return subprocess.run(
            argv, capture_output=True, text=True, errors="replace", timeout=TRY_SECONDS, check=False,
            stdin=subprocess.DEVNULL, env=environment(),
        )  # fmt: skip
    except OSError as error:
        return str(error)
    except subprocess.TimeoutExpired:
        return f"it did not end within {TRY_SECONDS:g} s"


@functools.cache
def counts(program: str, event: str) -> bool:
    """Whether this machine counts the event. perf record takes `cycles` anywhere, and silently samples cpu-clock."""
    done = _run((program, "stat", "-x", ",", "-e", event, "--", "true"))
    if isinstance(done, str) or done.returncode != 0:
        return False
    values = [line.partition(",")[0] for line in done.stderr.splitlines() if line.count(",") >= 3]
    return any(re.fullmatch(r"[\d.]+", value) for value in values)


def kernel_symbols() -> bool:
    """Whether the kernel shows the addresses of its functions; hidden ones are all zeros."""
    try:
        with Path("/proc/kallsyms").open() as file:
            return int(file.readline().split()[0], 16) != 0
    except (OSError, IndexError, ValueError):
        return False


def may_lock() -> bool:
    """Whether buffers may be larger than perf_event_mlock_kb."""
    found = re.search(r"^CapEff:\s*([0-9a-f]+)", read("/proc/self/status") or "", re.MULTILINE)
    return found is not None and bool(int(found[1], 16) >> CAP_IPC_LOCK & 1)
