"""Which profilers there are. Built-in ones by name; others by the entry points `profpipe.profilers`."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

from profpipe.capture.interface import Profiler
from profpipe.errors import UsageError

MODULES = {
    "clean": "clean",
    "callgrind": "callgrind",
    "perf": "perf",
    "py-spy": "pyspy",
    "pyinstrument": "python_agent.pyinstrument",
    "yappi": "python_agent.yappi",
    "cprofile": "python_agent.cprofile",
}
PROFILERS: tuple[str, ...] = tuple(MODULES)
GROUP = "profpipe.profilers"


def profiler(name: str) -> Profiler:
    """The profiler of that name. Others' entry points are loaded only when no built-in has the name.

    Raises UsageError naming what there is.
    """
    if name in MODULES:
        found: Profiler = import_module(f"profpipe.capture.profilers.{MODULES[name]}").PROFILER
        return found
    others = entry_points(group=GROUP)
    for entry in others:
        if entry.name == name:
            loaded: Profiler = entry.load()
            return loaded
    have = ", ".join([*PROFILERS, *(entry.name for entry in others)])
    raise UsageError(f"no profiler {name!r}; there are: {have}")
