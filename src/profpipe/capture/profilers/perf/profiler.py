"""The instrument: what it needs here, and what it cannot see or distorts.

Whole processors are recorded, never a server's processes (`-p`): a timer per task halved the throughput of a server
that switches contexts and put 42 to 63 % of its samples into `finish_task_switch`; this way takes 0 to 5 % and
finds 6 to 13 % there.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from profpipe.capture.interface import Launch, Options, Profiler, Session, Trial
from profpipe.capture.profilers.perf import python_names, trial
from profpipe.capture.profilers.perf.options import OPTIONS, Asked
from profpipe.capture.profilers.perf.session import FORMAT, PerfSession
from profpipe.capture.profilers.perf.shared import SharedRecording
from profpipe.capture.server.command import interpreter, is_python
from profpipe.capture.server.python_version import version
from profpipe.capture.tools import Version, find_tool
from profpipe.study.schema import Target
from profpipe.units import Instrument, Language

LIMITS = (
    "perf takes samples of running code: they contain no waiting, and rare functions are missed",
    "on one core the kernel finishes network work for whichever process is running: part of the load generator's is "
    "counted as the server's and the other way round",
)
BY_TIMER = (
    "without hardware counters perf samples by a timer, which cannot interrupt the kernel where interrupts are off: "
    "that time appears where they are turned on again (_raw_spin_unlock_irqrestore, finish_task_switch)"
)
BY_FRAME_POINTERS = (
    "perf finds callers by frame pointers: in code compiled without them self cost is right, but callers and "
    'totals are not (the option `call_graph = "dwarf"` finds them)'
)
BY_STACKS = "perf copies 8 KiB of stack per sample: the outermost callers of deeper stacks are cut off"
OLD_PYTHON = "for Python before 3.13 perf sees native frames only: the interpreter's C functions, no Python functions"
NEW_PYTHON = "naming Python functions for perf costs the server 0-2 % with threads and 11 % under asyncio"


class Perf:
    name = "perf"
    kind: Instrument = "sampled"
    emits: str | None = FORMAT
    patience = 1.0
    stop_patience = 1.0
    options: Options = OPTIONS
    version: Version | None = trial.VERSION
    # Go keeps frame pointers and its symbols: perf shows its functions and callers as they are.
    default_for: frozenset[Language] = frozenset({"go"})
    starter: tuple[str, ...] = ()

    def check(self, options: Options) -> None:
        Asked.of(options)

    def missing(self, target: Target, root: Path | None = None) -> str | None:  # noqa: ARG002
        return trial.missing()

    def try_it(self, python: str) -> Trial:  # noqa: ARG002
        return trial.try_it()

    def refuses(self, target: Target) -> str | None:  # noqa: ARG002
        return None

    def limits(self, target: Target) -> tuple[str, ...]:
        program = find_tool("perf")
        limits = LIMITS if program is None or trial.counts(program, "cycles") else (*LIMITS, BY_TIMER)
        if not is_python(target):
            return (*limits, BY_FRAME_POINTERS)
        python = interpreter(target)
        found = version(python) if python else None
        if found is None:
            return (*limits, OLD_PYTHON, NEW_PYTHON)
        new = found >= python_names.SINCE
        return (*limits, NEW_PYTHON, BY_STACKS) if new else (*limits, OLD_PYTHON, BY_FRAME_POINTERS)

    def session(self, launch: Launch) -> Session:
        return PerfSession(launch, SharedRecording(1))

    def together(self, targets: Sequence[Target], options: Options) -> Profiler | None:
        """One by one where Python functions get names: those are complete when their server has ended."""
        if Asked.of(options).python_names and any(_has_names(target) for target in targets):
            return None
        return _PerfTogether(len(targets))


class _PerfTogether(Perf):
    """perf over several servers that run at the same time: one recording for all."""

    def __init__(self, servers: int) -> None:
        self._shared = SharedRecording(servers)

    def session(self, launch: Launch) -> Session:
        return PerfSession(launch, self._shared)


def _has_names(target: Target) -> bool:
    """Whether its Python may name its functions for perf: any that is not known to be too old."""
    if not is_python(target):
        return False
    python = interpreter(target)
    found = version(python) if python else None
    return found is None or found >= python_names.SINCE


PROFILER = Perf()
