"""Which exporters there are, and the one door to them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Protocol, cast

from profpipe.errors import Refused, UsageError
from profpipe.model.profile import Fact, Profile

# name -> module; json_ and csv_ leave the names of the standard modules alone.
EXPORTERS = {"folded": "folded", "speedscope": "speedscope", "csv": "csv_", "json": "json_"}
GROUP = "profpipe.exporters"
_REASONS: dict[Fact, str] = {
    "stacks": "it has no stacks. A call graph or a list of functions knows which function called which, but not from "
    "where that one was called: the context is lost, and a flame graph of it would be invented. Use a sampled profile "
    "(perf, py-spy, austin, pyinstrument)",
    "calls": "it counts no calls; use callgrind, yappi or cProfile",
    "total": "it has no total values",
    "edges": "it does not say who called whom",
    "lines": "it names no lines",
    "threads": "it does not tell threads apart",
    "time": "it does not say when a sample was taken",
}


class Exporter(Protocol):
    """One output format. NEEDS: what a profile must be able to answer."""

    NAME: str
    SUFFIX: str
    NEEDS: frozenset[Fact]
    export: Callable[[Profile], bytes]


def load_exporter(name: str) -> Exporter:
    """The exporter of that name, built in or from another package. Raises UsageError naming those there are."""
    if name in EXPORTERS:
        return cast("Exporter", importlib.import_module(f"profpipe.export.{EXPORTERS[name]}"))
    others = {point.name: point for point in entry_points(group=GROUP)}
    if name in others:
        return cast("Exporter", others[name].load())
    raise UsageError(f"no export format named {name!r}; there are: {', '.join((*EXPORTERS, *sorted(others)))}")


def export(profile: Profile, name: str) -> bytes:
    """The profile in that format. Raises Refused, with the reason, when the source cannot say what the format needs."""
    exporter = load_exporter(name)
    for fact in sorted(exporter.NEEDS - profile.says):
        source = profile.meta.source or profile.meta.format
        raise Refused(f"{source}: no {name} export of a {profile.meta.format} profile: {_REASONS.get(fact, fact)}")
    return exporter.export(profile)
