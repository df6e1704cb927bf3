"""Server life cycle and profilers: one run of one target under one profiler, brought home as files."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from profpipe.capture.facts import crates, environment_facts
    from profpipe.capture.instrument import Profiler
    from profpipe.capture.placement import Placement, place
    from profpipe.capture.profilers import PROFILERS, profiler
    from profpipe.capture.requirements import build, built_without, missing_requirements
    from profpipe.capture.run import Captured, capture_run
    from profpipe.capture.trials import ToolState, doctor

_PLACES = {
    "Captured": "run",
    "PROFILERS": "profilers",
    "Placement": "placement",
    "Profiler": "instrument",
    "ToolState": "trials",
    "build": "requirements",
    "built_without": "requirements",
    "capture_run": "run",
    "crates": "facts",
    "doctor": "trials",
    "environment_facts": "facts",
    "missing_requirements": "requirements",
    "place": "placement",
    "profiler": "profilers",
}

__all__ = [
    "PROFILERS",
    "Captured",
    "Placement",
    "Profiler",
    "ToolState",
    "build",
    "built_without",
    "capture_run",
    "crates",
    "doctor",
    "environment_facts",
    "missing_requirements",
    "place",
    "profiler",
]


def __getattr__(name: str) -> Any:
    """Names are found when first used: `profpipe --help` must not import the life cycle."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"profpipe.capture.{_PLACES[name]}"), name)
