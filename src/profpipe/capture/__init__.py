"""Server life cycle and profilers: one run of one target under one profiler, and the files it leaves."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from profpipe.capture.doctor import ToolState, try_tools
    from profpipe.capture.environments.interface import EnvironmentKind, Package, Requirement, Wanted
    from profpipe.capture.environments.make import Environment, make_environment
    from profpipe.capture.environments.present import import_names, packages_of
    from profpipe.capture.environments.registry import find_lock
    from profpipe.capture.interface import Profiler
    from profpipe.capture.machine import crates, environment_facts
    from profpipe.capture.profilers.registry import PROFILERS, default_profilers, profiler, profiler_versions
    from profpipe.capture.run import capture_run
    from profpipe.capture.server.build import build
    from profpipe.capture.server.command import reached_in_words
    from profpipe.capture.server.placement import Placement, place
    from profpipe.capture.server.python_version import python_of
    from profpipe.capture.server.requirements import absent_program, built_without, missing_requirements

_MODULES = {
    "Environment": "environments.make",
    "EnvironmentKind": "environments.interface",
    "PROFILERS": "profilers.registry",
    "Package": "environments.interface",
    "Placement": "server.placement",
    "Profiler": "interface",
    "Requirement": "environments.interface",
    "ToolState": "doctor",
    "Wanted": "environments.interface",
    "absent_program": "server.requirements",
    "build": "server.build",
    "built_without": "server.requirements",
    "capture_run": "run",
    "crates": "machine",
    "default_profilers": "profilers.registry",
    "environment_facts": "machine",
    "find_lock": "environments.registry",
    "import_names": "environments.present",
    "make_environment": "environments.make",
    "missing_requirements": "server.requirements",
    "packages_of": "environments.present",
    "place": "server.placement",
    "profiler": "profilers.registry",
    "profiler_versions": "profilers.registry",
    "python_of": "server.python_version",
    "reached_in_words": "server.command",
    "try_tools": "doctor",
}

__all__ = [
    "PROFILERS",
    "Environment",
    "EnvironmentKind",
    "Package",
    "Placement",
    "Profiler",
    "Requirement",
    "ToolState",
    "Wanted",
    "absent_program",
    "build",
    "built_without",
    "capture_run",
    "crates",
    "default_profilers",
    "environment_facts",
    "find_lock",
    "import_names",
    "make_environment",
    "missing_requirements",
    "packages_of",
    "place",
    "profiler",
    "profiler_versions",
    "python_of",
    "reached_in_words",
    "try_tools",
]


def __getattr__(name: str) -> Any:
    """Names are imported when first used: `profpipe --help` must not import the life cycle."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"profpipe.capture.{_MODULES[name]}"), name)
