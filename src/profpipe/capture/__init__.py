"""Server life cycle and profilers: one run of one target under one profiler, brought home as files."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from profpipe.capture.doctor import ToolState, try_tools
    from profpipe.capture.interface import Profiler
    from profpipe.capture.machine import crates, environment_facts
    from profpipe.capture.profilers.registry import PROFILERS, profiler
    from profpipe.capture.run import Captured, capture_run
    from profpipe.capture.server.build import build, built_without, missing_requirements
    from profpipe.capture.server.placement import Placement, place

_PLACES = {
    "Captured": "run",
    "PROFILERS": "profilers.registry",
    "Placement": "server.placement",
    "Profiler": "interface",
    "ToolState": "doctor",
    "build": "server.build",
    "built_without": "server.build",
    "capture_run": "run",
    "crates": "machine",
    "try_tools": "doctor",
    "environment_facts": "machine",
    "missing_requirements": "server.build",
    "place": "server.placement",
    "profiler": "profilers.registry",
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
    "environment_facts",
    "missing_requirements",
    "place",
    "profiler",
    "try_tools",
]


def __getattr__(name: str) -> Any:
    """Names are found when first used: `profpipe --help` must not import the life cycle."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"profpipe.capture.{_PLACES[name]}"), name)
