"""callgrind: instructions per function, exact and repeatable, of user code only.

The window is `--instr-atstart=no` with instrumentation on and off through vgdb, then a dump. The other way, `zero`
before and `dump` after with instrumentation on throughout, was measured and keeps what it was told to forget: with no
load at all its dump held 45,364 instructions and 24 syscalls (this one: 494 and 0), and under 2,000 requests 1.45
million instructions (2.3 %) and 2,602 syscalls from before the window, so that `totals:` and `summary:` disagree. It
also starts twice as slowly. It opens at a whole second (clock.py).

`--fair-sched=yes` except for Python: without it two busy threads of a native server share work 90/10. Python's own lock
takes turns already, and under the fair scheduler it was waited for more often: 2,000 requests to 20 threads then ranged
over 0.38 % of their instructions, without it over 0.17 % (five runs each, taken in turns on a busy machine).
`--trace-children=yes` always: without it a command behind `sh -c` runs without valgrind, and vgdb cannot reach forked
workers.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from profpipe.capture.interface import Bare, Collected, Launch, Options, Session, Window, Written, picked
from profpipe.capture.machine import tool_version
from profpipe.capture.server.build import find_program
from profpipe.capture.server.clock import pause, start_at
from profpipe.capture.server.process import Stopped, Supervised, inherited_environment
from profpipe.capture.server.ready import is_python
from profpipe.errors import CaptureError
from profpipe.study.schema import Target
from profpipe.units import Instrument

INSTALL = "apt install valgrind"
COMMAND_SECONDS = 60.0
TUNABLES = "GLIBC_TUNABLES"
HWCAPS = "glibc.cpu.hwcaps"
# valgrind counts every byte of `rep stosb` as an instruction: memset seemed to be 64 % of a server.
NO_ERMS = "-ERMS"
NANOSECONDS_SINCE = (3, 16)
WINDOWS = {"any": "any time", "second": "a whole second", "minute": "a whole second of two digits"}
OPTIONS: Options = {
    "systime": True,
    "fair_sched": "auto",
    "trace_children": True,
    "separate_recs": 2,
    "separate_threads": False,
    "start_at": "second",
}


def merged_tunables(present: str) -> str:
    """The user's own tunables with ERMS taken off; hwcaps of his are kept, ours comes behind them."""
    parts = [part for part in present.split(":") if part]
    names = [part.partition("=")[0] for part in parts]
    if HWCAPS not in names:
        return ":".join([*parts, f"{HWCAPS}={NO_ERMS}"])
    where = names.index(HWCAPS)
    value = parts[where].partition("=")[2].split(",")
    parts[where] = f"{HWCAPS}={','.join(value if NO_ERMS in value else [*value, NO_ERMS])}"
    return ":".join(parts)


def merged_godebug(present: str) -> str:
    """Go's preemption signals make callgrind fail an assertion in one run of four under load."""
    return present if "asyncpreemptoff" in present else ",".join(filter(None, [present, "asyncpreemptoff=1"]))


def chosen(options: Options) -> dict[str, str | int | float | bool]:
    """The defaults with the study's options. Raises UsageError for one that does not exist."""
    return picked("callgrind", OPTIONS, options)


def vgdb_environment(pipe: str) -> dict[str, str]:
    """The environment in which vgdb finds `pipe`, a file name of valgrind's: vgdb-from-vgdb-to-PID-by-USER-on-HOST.

    valgrind takes user and host from the environment of the server, which a target's `env` or its start script may
    change, and vgdb takes them from its own. With another HOSTNAME (containers export it) vgdb finds no server.
    """
    user, _, host = pipe.partition("-by-")[2].partition("-on-")
    return inherited_environment() | {"LOGNAME": user, "USER": user, "HOST": host, "HOSTNAME": host}


def flags(options: Options, version: str | None, *, python: bool) -> tuple[str, ...]:
    """valgrind's options for a study's; `python` = the server has one lock for all its threads."""
    asked = chosen(options)
    fair = not python if asked["fair_sched"] == "auto" else asked["fair_sched"]
    numbers = tuple(int(part) for part in re.findall(r"\d+", version or "")[:2])
    systime = "nsec" if not numbers or numbers >= NANOSECONDS_SINCE else "yes"
    wanted = {
        f"--collect-systime={systime}": asked["systime"],
        "--fair-sched=yes": fair,
        "--trace-children=yes": asked["trace_children"],
        "--separate-threads=yes": asked["separate_threads"],
    }
    recursion = f"--separate-recs={asked['separate_recs']}"
    return ("--instr-atstart=no", recursion, *(flag for flag, on in wanted.items() if on))


def total_of(path: Path) -> int:
    """Sum of the first event over a dump, from its `totals:` line; 0 when the file is empty or has none."""
    total = 0
    with path.open("rb") as file:
        for line in file:
            if line.startswith(b"totals:") and len(line.split()) > 1:
                total += int(line.split()[1])
    return total


def counts_bytes(path: Path) -> str | None:
    """The first string function with `rep` in a dump: where the tunable works, glibc picks none of them."""
    with path.open("rb") as file:
        for line in file:
            if b"_erms" in line and (found := re.match(rb"c?fn=\(\d+\) (__\w+_erms\w*)", line)):
                return found[1].decode()
    return None


def other_libc(argv: tuple[str, ...], cwd: Path) -> str | None:
    """A warning when the program's C library is not glibc, since the tunable is then without effect."""
    path = find_program(argv[0], cwd)
    if path is None:
        return None
    with Path(path).open("rb") as file:
        start = file.read(8192)
    if start[:4] != b"\x7fELF":
        return None
    if b"ld-musl" in start:
        return f"{argv[0]} uses musl: {TUNABLES} has no effect, string functions may count `rep` bytes one by one"
    if b"/ld-linux" not in start:
        return f"{argv[0]} is linked statically: whether {TUNABLES} has an effect is not known"
    return None


class Callgrind:
    name = "callgrind"
    kind: Instrument = "counted"
    emits: str | None = "callgrind"
    patience = 10.0
    stop_patience = 3.0
    options: Options = OPTIONS

    def check(self, options: Options) -> None:
        start_at(chosen(options)["start_at"])

    def missing(self, target: Target, root: Path | None = None) -> str | None:  # noqa: ARG002
        absent = [name for name in ("valgrind", "vgdb") if shutil.which(name) is None]
        return f"{', '.join(absent)} not found: {INSTALL}" if absent else None

    def refuses(self, target: Target) -> str | None:  # noqa: ARG002
        return None

    def limits(self, target: Target) -> tuple[str, ...]:
        said = [
            "callgrind counts instructions of user code: kernel time, 34-86 % of a small server's CPU, is not in it",
            "valgrind runs one thread at a time and offers no AVX-512: waiting, caches and the newest string "
            "functions are not seen",
            "totals (callees included) are false where a program switches stacks (greenlets, stackful coroutines)",
        ]
        if is_python(target):
            said.append("of a Python server callgrind sees the interpreter's C functions, never Python functions")
        return tuple(said)

    def session(self, launch: Launch) -> Session:
        return CallgrindSession(launch)


class CallgrindSession(Bare):
    def __init__(self, launch: Launch) -> None:
        super().__init__(launch)
        version = tool_version("valgrind", ("--version",), r"valgrind-(\S+)")
        self.raw = launch.raw
        self.fifos = self.scratch = Path(tempfile.mkdtemp(prefix="profpipe-vgdb-"))
        self.prefix = str(self.fifos / "vgdb")
        given = flags(launch.options, version, python=is_python(launch.target))
        # valgrind expands % in the whole path, not in the file's name alone.
        out = f"--callgrind-out-file={str(launch.raw).replace('%', '%%')}/callgrind.out.%p"
        valgrind = ("valgrind", "--tool=callgrind", "-q", f"--vgdb-prefix={self.prefix}", *given, out)
        self.argv = (*valgrind, *launch.argv)
        tunables = merged_tunables(launch.env.get(TUNABLES, ""))
        self.env = {**launch.env, TUNABLES: tunables}
        self.begin = start_at(chosen(launch.options)["start_at"])
        if launch.target.language == "go":
            self.env["GODEBUG"] = merged_godebug(launch.env.get("GODEBUG", ""))
        self.facts: Mapping[str, str] = {
            "valgrind": version or "unknown",
            "options": " ".join(given),
            TUNABLES: tunables,
            "window": f"instrumentation on and off, from {WINDOWS[self.begin]}",
        }
        self.warning = other_libc(launch.argv, launch.cwd)

    def open(self, server: Supervised) -> None:
        time.sleep(pause(time.time(), self.begin))
        if not self._tell(server, "window", "instrumentation on"):
            raise CaptureError("window", "no process of the server runs under valgrind", log_tail=server.log.tail())

    def close(self, server: Supervised, window: Window) -> None:  # noqa: ARG002
        """Off, then a dump at once: a server that has to be killed later has lost nothing."""
        self._tell(server, "save", "instrumentation off")
        self._tell(server, "save", "dump")

    def _tell(self, server: Supervised, phase: str, command: str) -> int:
        """Give a monitor command to every process of the server that valgrind runs; how many there were."""
        pipes = {pid: pipe.name for pid in server.tree() for pipe in self.fifos.glob(f"vgdb-from-vgdb-to-{pid}-*")}
        for pid, pipe in pipes.items():
            argv = ["vgdb", f"--pid={pid}", f"--vgdb-prefix={self.prefix}", *command.split()]
            try:
                done = subprocess.run(
                    argv, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False,
                    stdin=subprocess.DEVNULL, env=vgdb_environment(pipe),
                )  # fmt: skip
            except subprocess.TimeoutExpired as error:
                text = f"valgrind did not take `{command}` within {COMMAND_SECONDS:g} s: is ptrace allowed here?"
                raise CaptureError(phase, text, log_tail=server.log.tail()) from error
            if done.returncode != 0:
                last = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
                raise CaptureError(phase, f"`vgdb {command}` failed: {last}", log_tail=server.log.tail())
        return len(pipes)

    def collect(self, stopped: Stopped) -> Collected:
        """Every part of every process that counted something; the plain files left after a dump hold nothing."""
        parts = {path: total_of(path) for path in sorted(self.raw.glob("callgrind.out.*"))}
        if not any(parts.values()):
            how = "it was killed before valgrind could write" if stopped.killed else "nothing was counted in the window"
            raise CaptureError("save", f"callgrind brought no profile: {how}")
        for path, total in parts.items():
            if not total:
                path.unlink()
        files = tuple(Written(path, "callgrind") for path, total in parts.items() if total)
        facts = {"instructions in the window": f"{sum(parts.values()):,}"}
        return Collected(files, facts, (*([self.warning] if self.warning else []), *self._without_effect(files)))

    def _without_effect(self, files: tuple[Written, ...]) -> tuple[str, ...]:
        found = next((name for file in files if (name := counts_bytes(file.path))), None)
        if found is None:
            return ()
        text = f"{TUNABLES} had no effect: {found} ran, and valgrind counts every byte of its `rep` as an instruction"
        return (text,)

    def abandon(self) -> None:
        shutil.rmtree(self.fifos, ignore_errors=True)


PROFILER = Callgrind()
