"""Profilers inside a Python server: the agent (agent.py) runs in its interpreter, two signals bound the window.

A profiler of this kind does not know what it does not see, so the harness measures it: when the profiled threads used
less than half of the CPU the server used, the run is refused, not shown.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from profpipe.capture.interface import Bare, Collected, Launch, Options, Trial, Window, Written, picked
from profpipe.capture.server.agent_files import Asked, ask, pids_of
from profpipe.capture.server.command import find_program, interpreter, interpreter_of, is_python
from profpipe.capture.server.process import Stopped, Supervised
from profpipe.capture.server.replaced import replaced
from profpipe.capture.server.requirements import absent_modules, install_line
from profpipe.capture.tools import Version
from profpipe.errors import CaptureError
from profpipe.study.schema import Target
from profpipe.units import Instrument, Language

AGENT = Path(__file__).with_name("agent.py")
START, STOP = signal.SIGRTMIN + 7, signal.SIGRTMIN + 8
BEGIN = Asked(sign=START, answer="started", phase="window", timeout=10.0)
END = Asked(sign=STOP, answer="saved", phase="save", timeout=60.0)
SETTLE_SECONDS, SETTLE_MOST_SECONDS = 0.3, 5.0
SEEN_SHARE = 0.5
# Arming and saving use 3 to 12 ms of the window that no profile holds: half of what few requests need.
SHORT_S, SEEN_SHARE_OF_SHORT = 0.05, 0.25
# Interpreter options that take a value in the next argument.
WITH_VALUE = frozenset({"-W", "-X", "--check-hash-based-pycs"})


@dataclass(frozen=True, slots=True)
class Seen:
    """What one agent reports after the window. Seconds are CPU; `seen_s` = the sum over its functions, if it knows."""

    pid: int
    out: Path
    functions: int
    process_s: float
    main_s: float
    seen_s: float | None
    tool: str
    python: str
    backend: str | None

    @staticmethod
    def read(path: Path) -> Seen:
        saved: dict[str, Any] = json.loads(path.read_text())
        pid = int(path.name.rpartition(".")[2])
        fields = ("functions", "process_s", "main_s", "seen_s", "tool", "python", "backend")
        return Seen(pid, Path(saved["out"]), *(saved[name] for name in fields))

    @property
    def version(self) -> tuple[int, ...]:
        return tuple(int(part) for part in re.findall(r"\d+", self.python)[:2])


@dataclass(frozen=True, slots=True)
class InProcess:
    """A profiler of this kind: `module` is imported by the server's interpreter, `install` is how it gets there,
    where that is not by pip or uv.

    `collector` is its file that runs in the server (see agent.py), `limits_of` its limits for a target. `profiled_s`
    gives how much of a process's CPU it saw, `spoilt` the reason when what it saw is wrong.
    """

    name: str
    kind: Instrument
    emits: str | None
    suffix: str
    collector: Path
    module: str
    options: Mapping[str, str | int | float | bool]
    limits_of: Callable[[Target], tuple[str, ...]]
    profiled_s: Callable[[Seen], float]
    install: str = ""
    spoilt: Callable[[Seen], str | None] = lambda _: None
    patience: float = 1.0
    stop_patience: float = 1.0
    version: Version | None = None  # its version is a fact of each run, from the server's interpreter
    default_for: frozenset[Language] = frozenset()
    starter: tuple[str, ...] = ()

    def check(self, options: Options) -> None:
        picked(self.name, self.options, options)

    def missing(self, target: Target, root: Path | None = None) -> str | None:
        """Why the target's own interpreter lacks the package; asked once per interpreter."""
        python = interpreter(target, root)
        if python is None or (found := _try_import(python, self.module, self.install)).why_not is None:
            return None
        return f"{found.why_not}: {found.install}" if found.install else found.why_not

    def try_it(self, python: str) -> Trial:
        """Whether the given interpreter has the package."""
        found = _try_import(python, self.module, self.install)
        return Trial(note="needed in the interpreter of each target") if found.why_not is None else found

    def refuses(self, target: Target) -> str | None:
        program = target.command[0]
        relative = os.sep in program and not program.startswith(os.sep)
        if not is_python(target) or (interpreter_of(program) is None and not relative):
            return (
                f"{self.name} runs inside a Python interpreter, and {program} is neither one nor a Python script: "
                "start the server with its interpreter or console script, such as .venv/bin/gunicorn"
            )
        return None

    def limits(self, target: Target) -> tuple[str, ...]:
        return self.limits_of(target)

    def session(self, launch: Launch) -> InProcessSession:
        return InProcessSession(self, launch)


@functools.cache
def _try_import(python: str, module: str, install: str) -> Trial:
    try:
        if not absent_modules(python, [module]):
            return Trial()
        line = install.format(python=python) if install else install_line(python, (module,))
    except (OSError, subprocess.TimeoutExpired) as error:
        return Trial(f"{python} cannot be run: {error}")
    return Trial(f"{module} is not installed for {python}", line)


def split_command(argv: tuple[str, ...], cwd: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(interpreter and its flags, script or -m module or -c code with its arguments).

    Raises CaptureError(start) when the agent cannot be put into the command.
    """
    found = interpreter_of(argv[0], cwd)
    if found is None:
        raise CaptureError("start", f"{argv[0]} is neither a Python interpreter nor a Python script")
    if found != argv[0]:
        script = find_program(argv[0], cwd)
        return (found,), (script or argv[0], *argv[1:])
    at = 1
    while at < len(argv) and argv[at].startswith("-") and argv[at] != "-":
        if argv[at] in {"-m", "-c"}:
            return argv[:at], argv[at:]
        if argv[at].startswith(("-m", "-c")):
            return argv[:at], (argv[at][:2], argv[at][2:], *argv[at + 1 :])
        at += 2 if argv[at] in WITH_VALUE else 1
    if at >= len(argv) or argv[at] == "-":
        raise CaptureError("start", f"`{' '.join(argv)}` names no script and no module")
    return argv[:at], argv[at:]


class InProcessSession(Bare):
    def __init__(self, profiler: InProcess, launch: Launch) -> None:
        super().__init__(launch)
        self.profiler = profiler
        python, program = split_command(launch.argv, launch.cwd)
        options = picked(profiler.name, profiler.options, launch.options)
        self.folder = self.scratch = Path(tempfile.mkdtemp(prefix="profpipe-agent-"))
        out = str(launch.raw / f"{profiler.name}.%p.{profiler.suffix}")
        agent = (str(AGENT), str(profiler.collector), str(self.folder), out, json.dumps(options), "--")
        self.argv = (*python, *agent, *program)
        self.facts: Mapping[str, str] = {"options": " ".join(f"{k}={v}" for k, v in options.items())}
        self.window: Window | None = None
        self.seen: tuple[Seen, ...] = ()
        self.replaced: str | None = None
        self.without_agent = 0

    def open(self, server: Supervised) -> None:
        self._settle(server)
        agents = pids_of(self.folder, "ready") & set(server.tree())
        if not agents:
            raise CaptureError("window", "the agent is in no process of the server", log_tail=server.log.tail())
        self._ask(server, agents, BEGIN)

    def close(self, server: Supervised, window: Window) -> None:
        started, ready, running = pids_of(self.folder, "started"), pids_of(self.folder, "ready"), set(server.tree())
        lost = f"{self.profiler.name} has nothing of the requests served there"
        self.replaced = replaced(started - running, (ready & running) - started, lost)
        self.without_agent = len(running - ready)
        self._ask(server, started & running, END)
        self.window = window
        self.seen = tuple(Seen.read(path) for path in sorted(self.folder.glob("saved.*[0-9]")))

    def _settle(self, server: Supervised) -> None:
        """Wait until no process of a prefork server begins any more: its first worker answers before the last is there.

        Without it one of two gunicorn workers began after the window had opened in 4 of 10 runs.
        """
        limit, before, since = time.monotonic() + SETTLE_MOST_SECONDS, set[int](), time.monotonic()
        while time.monotonic() < limit:
            found = set(server.tree()) | pids_of(self.folder, "ready")
            if found != before:
                before, since = found, time.monotonic()
            if len(found) <= 1 or time.monotonic() - since >= SETTLE_SECONDS:
                return
            time.sleep(0.02)

    def _ask(self, server: Supervised, pids: set[int], asked: Asked) -> None:
        def failed(path: Path) -> str:
            told = json.loads(path.read_text())
            return f"{self.profiler.name} could not {told['step']}: {told['error']}"

        ask(server, self.folder, pids, asked, failed=failed, silent="the main thread runs no Python code")

    def collect(self, stopped: Stopped) -> Collected:  # noqa: ARG002
        if not self.seen:
            raise CaptureError("save", self.replaced or f"{self.profiler.name} saved no profile")
        if not any(seen.functions for seen in self.seen):
            raise CaptureError("save", f"{self.profiler.name} saw nothing of the loaded window")
        files = tuple(Written(seen.out, self.profiler.emits or "") for seen in self.seen if seen.functions)
        facts = {"tool": self.seen[0].tool, "Python of the target": self.seen[0].python}
        if self.seen[0].backend:
            facts["contexts"] = self.seen[0].backend
        share = self.share()
        if share is not None:
            facts["CPU of the profiled threads"] = f"{share * 100:.0f} % of the server's"
        refused = self.replaced or next((why for seen in self.seen if (why := self.profiler.spoilt(seen))), None)
        if refused is None and share is not None and share < self._least_share():
            refused = self._unseen(share)
        return Collected(files, facts, (), refused)

    def _unseen(self, share: float) -> str:
        name, used = self.profiler.name, f"used {share * 100:.0f} % of the server's CPU in the window"
        if not self.without_agent:
            return f"the serving threads were not seen: those that {name} profiles {used}"
        return (
            f"the serving processes were not seen: {name} runs in {len(self.seen)} of the server's, which {used}, and "
            f"not in {self.without_agent} others. It reaches Python programs that inherit the server's environment "
            "and read it (no -I, -E or -S)"
        )

    def share(self) -> float | None:
        """Profiled CPU / CPU of the server's process tree in the window. None when that is not known."""
        used = self.used_s()
        return None if used <= 0 else min(sum(self.profiler.profiled_s(seen) for seen in self.seen) / used, 1.0)

    def _least_share(self) -> float:
        return SEEN_SHARE if self.used_s() > SHORT_S else SEEN_SHARE_OF_SHORT

    def used_s(self) -> float:
        """CPU seconds of the server's process tree in the window, as the agents or the harness read it."""
        return max(sum(seen.process_s for seen in self.seen), (self.window and self.window.cpu_s) or 0.0)

    def abandon(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
