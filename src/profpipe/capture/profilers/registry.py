"""Which profilers exist: the built-in ones, and those that other packages add by entry points."""

from __future__ import annotations

from profpipe.capture.interface import Profiler
from profpipe.capture.tools import Version
from profpipe.plugins import Registry
from profpipe.units import Language

PROFILERS: Registry[Profiler] = Registry(
    kind="profiler",
    protocol=Profiler,
    builtin={
        "clean": "profpipe.capture.profilers.clean:PROFILER",
        "callgrind": "profpipe.capture.profilers.callgrind:PROFILER",
        "perf": "profpipe.capture.profilers.perf:PROFILER",
        "py-spy": "profpipe.capture.profilers.pyspy:PROFILER",
        "pyinstrument": "profpipe.capture.profilers.python_agent.pyinstrument:PROFILER",
        "yappi": "profpipe.capture.profilers.python_agent.yappi:PROFILER",
        "cprofile": "profpipe.capture.profilers.python_agent.cprofile:PROFILER",
        "go-cpu": "profpipe.capture.profilers.go_agent.profiler:CPU",
        "go-allocs": "profpipe.capture.profilers.go_agent.profiler:ALLOCATIONS",
        "go-contention": "profpipe.capture.profilers.go_agent.profiler:CONTENTION",
        "jvm-cpu": "profpipe.capture.profilers.jvm.profiler:CPU",
        "jvm-allocs": "profpipe.capture.profilers.jvm.profiler:ALLOCATIONS",
        "go-block": "profpipe.capture.profilers.go_agent.profiler:BLOCKING",
        "async-profiler": "profpipe.capture.profilers.jvm.async_profiler:PROFILER",
        "node-cpu": "profpipe.capture.profilers.node_agent.profiler:CPU",
        "node-calls": "profpipe.capture.profilers.node_agent.profiler:CALLS",
        "node-heap": "profpipe.capture.profilers.node_agent.profiler:HEAP",
    },
    group="profpipe.profilers",
)


def profiler(name: str) -> Profiler:
    """The profiler of that name. Raises UsageError with the names that exist, or why a plug-in is left out."""
    return PROFILERS.get(name)


def default_profilers(language: Language) -> dict[str, tuple[str, ...]]:
    """The profilers that `profpipe init` proposes for a language, each with its lines in the study."""
    return {name: found.starter for name, found in PROFILERS.parts() if language in found.default_for}


def profiler_versions() -> tuple[Version, ...]:
    """How the profilers' programs are asked for their versions."""
    return tuple(found.version for _, found in PROFILERS.parts() if found.version is not None)
