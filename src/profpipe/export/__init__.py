"""Profile -> bytes of another tool's format."""

from __future__ import annotations

from profpipe.errors import Refused
from profpipe.export.interface import Exporter
from profpipe.export.registry import EXPORTERS
from profpipe.model.profile import Fact, Profile

__all__ = ["EXPORTERS", "Exporter", "export"]

_REASONS: dict[Fact, str] = {
    "stacks": "it has no stacks. A call graph or a list of functions knows which function called which, but not from "
    "where that one was called: the context is lost, and a flame graph of it would be invented. Use a sampled profile "
    "(perf, py-spy, austin, pyinstrument)",
    "calls": "it counts no calls; use callgrind, yappi or cProfile",
    "total": "it has no total values",
    "edges": "it does not record which function called which",
    "lines": "it names no lines",
    "threads": "it does not tell threads apart",
    "time": "it does not record when a sample was taken",
}


def export(profile: Profile, name: str) -> bytes:
    """The profile in that format.

    Raises UsageError for a format that does not exist, Refused, with the reason, when the profile lacks what the format
    needs.
    """
    exporter = EXPORTERS.get(name)
    for fact in sorted(exporter.NEEDS - profile.says):
        source = profile.meta.source or profile.meta.format
        raise Refused(f"{source}: no {name} export of a {profile.meta.format} profile: {_REASONS.get(fact, fact)}")
    with EXPORTERS.blaming(name):
        return exporter.export(profile)
