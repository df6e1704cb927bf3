"""py-spy: samples of a running Python server from outside, with nothing in it. Wall time, biased to system calls.

Attached with `record -p PID --nonblocking` for an hour and ended by SIGINT when the window closes: it saves on SIGINT
and loses everything on SIGTERM. In launch mode the server would outlive it.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from profpipe.capture.complaints import ALLOW_PTRACE
from profpipe.capture.interface import (
    Bare,
    Collected,
    Launch,
    Options,
    Profiler,
    Session,
    Trial,
    Window,
    Written,
    picked,
)
from profpipe.capture.server.command import is_python
from profpipe.capture.server.process import Stopped, Supervised, exit_words, inherited_environment
from profpipe.capture.tools import Version, failure, find_tool, run_tool
from profpipe.errors import CaptureError
from profpipe.study.schema import Target
from profpipe.units import Instrument, Language

ATTACH_SECONDS, SAVE_SECONDS = 20.0, 30.0
LONGEST_S = 3600
OPTIONS: Mapping[str, str | int | float | bool] = {"rate": 200, "threads": False, "native": False}
INSTALL = f"{sys.executable} -m pip install py-spy"
SLEEPER = "import time\nprint('up', flush=True)\nwhile True: time.sleep(0.01)"
TRY_SECONDS = 30.0
VERSION = Version("py-spy", ("--version",), r"py-spy (\S+)")
REFUSED = re.compile(r"permission|not permitted|EPERM", re.IGNORECASE)
FEW_SAMPLES = 20
LIMITS = (
    "py-spy's samples are elapsed time and biased to system calls (transport.write 60 % where the truth was 35 %): "
    "it shows which functions serve, not how much they cost",
    "without stopping the server up to 7 % of py-spy's samples are torn stacks",
)


class PySpy:
    name = "py-spy"
    kind: Instrument = "sampled"
    emits: str | None = "folded"
    patience = 1.0
    stop_patience = 1.0
    options: Options = OPTIONS
    version: Version | None = VERSION
    default_for: frozenset[Language] = frozenset()
    starter: tuple[str, ...] = ()

    def check(self, options: Options) -> None:
        picked(self.name, self.options, options)

    def missing(self, target: Target, root: Path | None = None) -> str | None:  # noqa: ARG002
        return None if find_tool("py-spy") else f"py-spy not found: {INSTALL}"

    def try_it(self, python: str) -> Trial:
        """Attach to a child of ours and read its stack."""
        program = find_tool("py-spy")
        if program is None:
            return Trial("py-spy is not installed", INSTALL)
        with Supervised([python, "-c", SLEEPER], env=inherited_environment(), cwd=Path.cwd()) as child:
            child.log.watch("up")
            if child.log.matched(TRY_SECONDS) is None:
                return Trial(f"{python} does not run")
            why = failure(run_tool([program, "dump", "--nonblocking", "-p", str(child.pid)]))
        return Trial(why, ALLOW_PTRACE if why is not None and REFUSED.search(why) else "")

    def refuses(self, target: Target) -> str | None:
        return None if is_python(target) else f"py-spy sees Python programs only, and {target.command[0]} is not one"

    def limits(self, target: Target) -> tuple[str, ...]:  # noqa: ARG002
        return LIMITS

    def session(self, launch: Launch) -> Session:
        return PySpySession(launch)

    def together(self, targets: Sequence[Target], options: Options) -> Profiler | None:  # noqa: ARG002
        """A py-spy for each server. It leaves out threads that wait, so a server has samples in its own slices only."""
        return self


class PySpySession(Bare):
    def __init__(self, launch: Launch) -> None:
        super().__init__(launch)
        self.options = picked("py-spy", OPTIONS, launch.options)
        self.out = launch.raw / "py-spy.folded.txt"
        self.cpus = _other_cpus(launch.cpus)
        self.sampler: Supervised | None = None
        self.facts: Mapping[str, str] = {
            "py-spy": VERSION.ask() or "unknown",
            "options": " ".join(self._flags()),
        }

    def _flags(self) -> tuple[str, ...]:
        flags = [f"--{name}" for name in ("threads", "native") if self.options[name]]
        # --native needs the process stopped while it is read; py-spy refuses the two together.
        blocking = () if self.options["native"] else ("--nonblocking",)
        return ("-r", str(self.options["rate"]), "-f", "raw", *blocking, *flags)

    def open(self, server: Supervised) -> None:
        program = find_tool("py-spy") or "py-spy"
        # With --subprocesses every stack begins with a process and its command line, so only for several processes.
        several = ("--subprocesses",) if len(server.tree()) > 1 else ()
        what = ("-p", str(server.pid), "-d", str(LONGEST_S), "-o", str(self.out))
        argv = (program, "record", *what, *self._flags(), *several)
        self.sampler = Supervised(argv, env=inherited_environment(), cwd=self.out.parent, cpus=self.cpus)
        self.sampler.log.watch(r"Sampling process")
        if self.sampler.log.matched(ATTACH_SECONDS) is None or self.sampler.wait() is not None:
            raise CaptureError("window", self._why("could not attach"), log_tail=self.sampler.log.tail())

    def _why(self, what: str) -> str:
        assert self.sampler is not None
        lines = [line for line in self.sampler.log.tail() if not line.startswith("py-spy>")]
        text = f"py-spy {what} ({exit_words(self.sampler.wait())}): {' '.join(lines) or 'it printed nothing'}"
        return f"{text}; {ALLOW_PTRACE}" if any(REFUSED.search(line) for line in lines) else text

    def helpers(self) -> tuple[int, ...]:
        return (self.sampler.pid,) if self.sampler is not None else ()

    def close(self, server: Supervised, window: Window) -> None:  # noqa: ARG002
        assert self.sampler is not None
        ended = self.sampler.wait()
        if ended is not None:
            raise CaptureError("save", self._why("ended before the window did"), log_tail=self.sampler.log.tail())
        self.sampler.signal(signal.SIGINT)
        if self.sampler.wait(SAVE_SECONDS) is None:
            raise CaptureError(
                "save", f"py-spy did not save within {SAVE_SECONDS:g} s", log_tail=self.sampler.log.tail()
            )

    def collect(self, stopped: Stopped) -> Collected:  # noqa: ARG002
        assert self.sampler is not None
        samples = samples_in(self.out) if self.out.exists() else 0
        if not samples:
            raise CaptureError("save", self._why("took no sample of the server"), log_tail=self.sampler.log.tail())
        facts = {"samples": f"{samples:,}"}
        torn = re.search(r"(?:Samples: \d+ )?Errors: (\d+)", "\n".join(self.sampler.log.tail()))
        if torn:
            facts["samples that could not be read"] = torn[1]
        few = (f"py-spy took {samples} samples, too few to rank functions: use a longer load",)
        return Collected((Written(self.out, "folded"),), facts, few if samples < FEW_SAMPLES else ())

    def abandon(self) -> None:
        if self.sampler is not None:
            self.sampler.kill()


def samples_in(path: Path) -> int:
    """The counts of a folded file added up."""
    with path.open("rb") as file:
        return sum(int(count) for line in file if (count := line.rpartition(b" ")[2].strip()).isdigit())


def _other_cpus(server: frozenset[int] | None) -> frozenset[int] | None:
    """Where the sampler runs: not on the server's processor when another exists."""
    return None if server is None else (frozenset(os.sched_getaffinity(0)) - server) or None


PROFILER = PySpy()
