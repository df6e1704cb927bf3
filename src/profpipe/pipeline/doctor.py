"""`profpipe doctor`: which profilers and load generators work here, and which plug-ins of any kind are left out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from profpipe.errors import PartFailed
from profpipe.plugins import LeftOut, Registry


@dataclass(frozen=True, slots=True)
class ToolNote:
    """One line of `profpipe doctor`."""

    name: str
    kind: str
    works: bool
    note: str
    install: str = ""


def examine(python: str = sys.executable) -> tuple[ToolNote, ...]:
    """Try every profiler and load generator for real, then name every plug-in that cannot be used.

    `python` is the interpreter of the user's servers, whose packages in-process profilers need.
    """
    from profpipe.capture import try_tools
    from profpipe.load import GENERATORS

    profilers = [ToolNote(s.name, s.kind, s.works, s.why_not or s.note, s.install) for s in try_tools(python)]
    loads = []
    for name, generator in GENERATORS.parts():
        try:
            with GENERATORS.blaming(name):
                reason = generator.missing()
        except PartFailed as error:
            reason = str(error)
        loads.append(ToolNote(name, "load", reason is None, reason or "works"))
    broken = [ToolNote(part.name, part.kind, False, f"plug-in of {part.package}: {part.reason}") for part in left_out()]
    return (*profilers, *loads, *broken)


def left_out() -> Iterator[LeftOut]:
    """The plug-ins of every kind that cannot be used. Imports all plug-ins."""
    for registry in registries():
        yield from registry.left_out()


def registries() -> tuple[Registry[Any], ...]:
    """The registry of every kind of part."""
    from profpipe.analyse.conclusions.registry import RULES
    from profpipe.capture import PROFILERS
    from profpipe.export import EXPORTERS
    from profpipe.load import GENERATORS
    from profpipe.parse import PARSERS
    from profpipe.pipeline.execute.executors import EXECUTORS
    from profpipe.publish.registry import FORGES
    from profpipe.reference.registry import NAME_STYLES, STUDIES

    return (PARSERS, PROFILERS, GENERATORS, EXPORTERS, FORGES, RULES, EXECUTORS, STUDIES, NAME_STYLES)
