"""yappi: calls of every function in every thread or greenlet, exact; times diluted by its own cost."""

from __future__ import annotations

from pathlib import Path

from profpipe.capture.profilers.python_agent.inprocess import InProcess, Seen
from profpipe.study.schema import Target

LIMITS = (
    "yappi slows a server to a third or a fifth and spreads its own cost over many small calls: read calls per "
    "request and structure, never rank by its shares",
    "yappi's CPU time of a system call is right per call, its share is not (5 % where the truth was 35 %)",
)


def limits(_target: Target) -> tuple[str, ...]:
    return LIMITS


def profiled_s(seen: Seen) -> float:
    """CPU of the functions it recorded, callees not counted twice."""
    return seen.seen_s or 0.0


PROFILER = InProcess(
    name="yappi",
    kind="traced",
    emits="yappi",
    suffix="json",
    collector=Path(__file__).with_name("in_server.py"),
    module="yappi",
    options={"builtins": True, "clock": "cpu"},
    limits_of=limits,
    profiled_s=profiled_s,
    default_for=frozenset({"python"}),
)
