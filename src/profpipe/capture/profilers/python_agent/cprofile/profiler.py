"""cProfile: calls of every function in one thread, from the standard library."""

from __future__ import annotations

from pathlib import Path

from profpipe.capture.profilers.python_agent.inprocess import InProcess, Seen
from profpipe.study.schema import Target

MIXES_THREADS_SINCE = (3, 12)
ALONE = 0.95
LIMITS = (
    "cProfile sees the main thread only, and slows a server to about half: read calls per request, never shares",
    "with greenlets cProfile's callers and totals are wrong, its self time is usable",
)


def limits(_target: Target) -> tuple[str, ...]:
    return LIMITS


def profiled_s(seen: Seen) -> float:
    """The thread that enabled it, the main one."""
    return seen.main_s


def spoilt(seen: Seen) -> str | None:
    """From Python 3.12 on it puts all threads' calls on one stack: self over total, 246 calls where 111,000 were."""
    if seen.version < MIXES_THREADS_SINCE or seen.process_s <= 0:
        return None
    share = seen.main_s / seen.process_s
    if share >= ALONE:
        return None
    return (
        f"cProfile of Python {seen.python} mixes threads in one stack, and other threads than the main one used "
        f"{(1 - share) * 100:.0f} % of the CPU in the window"
    )


PROFILER = InProcess(
    name="cprofile",
    kind="traced",
    emits="pstats",
    suffix="pstats",
    collector=Path(__file__).with_name("in_server.py"),
    module="cProfile",
    install="install the whole standard library of {python}",
    options={"builtins": True},
    limits_of=limits,
    profiled_s=profiled_s,
    spoilt=spoilt,
)
