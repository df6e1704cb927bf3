"""What perf can do here, found by trying: an installed perf that is not allowed to record looks like one that is."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import tempfile
from pathlib import Path

from profpipe.capture.complaints import explained, in_one_line
from profpipe.capture.interface import Trial
from profpipe.capture.server.process import inherited_environment
from profpipe.capture.tools import Version, find_tool, run_tool

INSTALL = "apt install linux-perf"
REMEDY = "sysctl kernel.perf_event_paranoid=0, or run with CAP_PERFMON (in a container: --cap-add PERFMON)"
VERSION = Version("perf", ("--version",), r"perf version (\S+)")
PARANOID = Path("/proc/sys/kernel/perf_event_paranoid")
# perf record --control fifo: its answer is how we know that counting has begun.
OLDEST = (5, 10)
CAP_IPC_LOCK = 14


def environment() -> dict[str, str]:
    """The environment perf runs in: the user's perfconfig changes neither what is recorded nor how it is written."""
    return inherited_environment() | {"LC_ALL": "C", "PERF_CONFIG": os.devnull}


def missing() -> str | None:
    """What must be installed or allowed before perf can record whole processors; None when it can."""
    found = try_it()
    return f"{found.why_not}: {found.install}" if found.install else found.why_not


def try_it() -> Trial:
    """A recording of one processor, which is how perf is used here."""
    program = find_tool("perf")
    return Trial("perf not found", INSTALL) if program is None else _try(program)


@functools.cache
def _try(program: str) -> Trial:
    found = VERSION.ask()
    numbers = tuple(int(part) for part in re.findall(r"\d+", found or "")[:2])
    if found is not None and numbers < OLDEST:
        return Trial(f"perf {found} is too old, {'.'.join(map(str, OLDEST))} or newer is needed", INSTALL)
    done = _record(program, ("-e", "cpu-clock", "-F", "99"))
    if isinstance(done, str):
        return Trial(f"perf record does not work here: {done}")
    if done.returncode == 0:
        return Trial()
    output = done.stderr + done.stdout
    if (known := explained(output)) is not None:
        return Trial(*known)
    if re.search(r"not permitted|permission|limited|EACCES|EPERM", output, re.IGNORECASE):
        why = f"perf may not record all processes of a processor (perf_event_paranoid is {_paranoid()})"
        return Trial(why, REMEDY)
    return Trial(f"perf record does not work here: {in_one_line(output) or f'exit status {done.returncode}'}")


def _paranoid() -> str:
    try:
        return PARANOID.read_text().strip()
    except OSError:
        return "unknown"


def _record(program: str, event: tuple[str, ...]) -> subprocess.CompletedProcess[str] | str:
    """Record one processor for as long as `true` runs."""
    cpu = str(min(os.sched_getaffinity(0)))
    with tempfile.TemporaryDirectory(prefix="profpipe-try-") as folder:
        out = str(Path(folder) / "data")
        argv = (program, "record", "-q", "-N", "-C", cpu, *event, "-o", out, "--", "true")
        return run_tool(argv, environment())


@functools.cache
def takes_terms(program: str) -> bool:
    """Whether this perf can run clocks of several frequencies side by side."""
    done = _record(program, ("-e", "cpu-clock/freq=97/", "-e", "cpu-clock/freq=113/"))
    return not isinstance(done, str) and done.returncode == 0


@functools.cache
def counts(program: str, event: str) -> bool:
    """Whether this machine counts the event. perf record takes `cycles` anywhere, and silently samples cpu-clock."""
    done = run_tool((program, "stat", "-x", ",", "-e", event, "--", "true"), environment())
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
    found = re.search(r"^CapEff:\s*([0-9a-f]+)", Path("/proc/self/status").read_text(), re.MULTILINE)
    return found is not None and bool(int(found[1], 16) >> CAP_IPC_LOCK & 1)
