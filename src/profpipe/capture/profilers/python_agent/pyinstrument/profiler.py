"""pyinstrument: where one thread's elapsed time goes, sampled. For servers with one event loop in the main thread."""

from __future__ import annotations

from pathlib import Path

from profpipe.capture.profilers.python_agent.inprocess import InProcess, Seen
from profpipe.study.schema import Target

LIMITS = (
    "pyinstrument measures elapsed time of the main thread, waiting included, and sees no other thread",
    "pyinstrument slows a server to about half: its share of waiting is smaller than without it",
)


def limits(_target: Target) -> tuple[str, ...]:
    return LIMITS


def profiled_s(seen: Seen) -> float:
    """It hooks the thread that starts it, the main one."""
    return seen.main_s


PROFILER = InProcess(
    name="pyinstrument",
    kind="sampled",
    emits="pyinstrument",
    suffix="pyisession",
    collector=Path(__file__).with_name("in_server.py"),
    module="pyinstrument",
    options={"interval": 0.001},
    limits_of=limits,
    profiled_s=profiled_s,
)
