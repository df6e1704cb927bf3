"""The instrument: what it needs here, and what it cannot see or distorts."""

from __future__ import annotations

import shutil
from pathlib import Path

from profpipe.capture.interface import Launch, Options, Session, Trial
from profpipe.capture.profilers.callgrind import python_functions, trial
from profpipe.capture.profilers.callgrind.options import OPTIONS, chosen
from profpipe.capture.profilers.callgrind.session import CallgrindSession
from profpipe.capture.profilers.callgrind.window_start import start_at
from profpipe.capture.server.command import is_python
from profpipe.capture.tools import Version
from profpipe.study.schema import Target
from profpipe.units import Instrument, Language

LIMITS = (
    "callgrind counts instructions of user code: kernel time, 34-86 % of a small server's CPU, is not counted",
    "valgrind runs one thread at a time and offers no AVX-512: waiting, caches and the newest string functions are "
    "not seen",
    "totals (callees included) are wrong where a program switches stacks (greenlets, stackful coroutines)",
)
OF_PYTHON = (
    "of a Python server callgrind counts Python functions on CPython 3.12 and later, the C functions that they call "
    "included (python_functions = false: C functions); of older ones, and of greenlets, C functions only"
)


class Callgrind:
    name = "callgrind"
    kind: Instrument = "counted"
    emits: str | None = "callgrind"
    patience = 10.0
    stop_patience = 3.0
    options: Options = OPTIONS
    version: Version | None = trial.VERSION
    # Not Go: even without its preemption signals callgrind crashes in one run of four.
    default_for: frozenset[Language] = frozenset({"python", "native", "other"})
    starter: tuple[str, ...] = ()

    def check(self, options: Options) -> None:
        start_at(chosen(options)["start_at"])
        python_functions.check(chosen(options)["python_functions"])

    def missing(self, target: Target, root: Path | None = None) -> str | None:  # noqa: ARG002
        absent = [name for name in ("valgrind", "vgdb") if shutil.which(name) is None]
        return f"{', '.join(absent)} not found: {trial.INSTALL}" if absent else None

    def try_it(self, python: str) -> Trial:  # noqa: ARG002
        return trial.try_it()

    def refuses(self, target: Target) -> str | None:
        """uvicorn's supervisor asks each worker for a sign of life: under valgrind the answer comes too late."""
        words = target.command
        supervised = any(Path(word).name == "uvicorn" for word in words[:3]) and any("--workers" in w for w in words)
        if not supervised or any("--timeout-worker-healthcheck" in word for word in words):
            return None
        return (
            "uvicorn ends a worker that does not answer its health check within 5 s, and under callgrind none does: "
            "add --timeout-worker-healthcheck 300 to the command, or measure without --workers"
        )

    def limits(self, target: Target) -> tuple[str, ...]:
        return (*LIMITS, OF_PYTHON) if is_python(target) else LIMITS

    def session(self, launch: Launch) -> Session:
        return CallgrindSession(launch)


PROFILER = Callgrind()
