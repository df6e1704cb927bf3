"""yappi's statistics in profpipe's own JSON, which the agent inside a profiled server writes.

yappi's own exports lose things: its pstats swap two columns and do not name the clock, its callgrind has microseconds
and no threads. So the agent writes the fields of yappi.get_func_stats() and get_thread_stats() as they are:

    {"format": "profpipe.yappi/1",
     "clock": "cpu" | "wall", "backend": "native_thread" | "greenlet",
     "tool": "yappi 1.7.6", "python": "3.11.7",
     "functions": [{"name", "module", "line", "builtin": bool,
                    "calls": ncall, "primitive_calls": nactualcall, "self_s": tsub, "total_s": ttot,
                    "children": [{"index": row in this list, "calls", "primitive_calls", "self_s", "total_s"}],
                    "contexts": ["thread name", ...]  (optional)}],
     "threads": [{"name", "id", "ttot", "sched"}]}

Times are seconds. Totals are yappi's own and are never rebuilt: under recursion the edges do not add up to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from profpipe.errors import ParseError
from profpipe.model.build import Builder
from profpipe.model.profile import NATIVE, PYTHON, Fact, Meta, Profile
from profpipe.parse.parts import add_up
from profpipe.parse.reading import (
    finish,
    line_number,
    list_field,
    nanoseconds,
    object_field,
    opens_json,
    read_json,
    text_field,
    whole,
)
from profpipe.units import CPU_NS, WALL_NS

NAME = "yappi"
SAYS: frozenset[Fact] = frozenset({"self", "total", "calls", "edges"})
RECORD = "a study's run with the profiler yappi"
FORMAT = "profpipe.yappi/1"
CLOCKS = {"cpu": CPU_NS, "wall": WALL_NS}


def sniff(head: bytes, _filename: str) -> bool | None:
    """True with our format's name; None for JSON that has not shown it yet."""
    if FORMAT.encode() in head:
        return True
    return None if opens_json(head) else False


def parse(raw: BinaryIO, source: str) -> Profile:
    """A traced profile: self, measured totals, calls, edges; cpu_ns or wall_ns by the clock."""
    document = object_field(read_json(raw, source), source, "the document")
    if document.get("format") != FORMAT:
        raise ParseError(source, f"format is {str(document.get('format'))[:40]!r}, expected {FORMAT!r}")
    clock = CLOCKS.get(str(document.get("clock")))
    if clock is None:
        raise ParseError(source, f"clock is {str(document.get('clock'))[:40]!r}, expected 'cpu' or 'wall'")
    functions = list_field(document.get("functions"), source, "functions")
    builder = Builder("traced", (clock,))
    rows = [_Function.read(item, i, source) for i, item in enumerate(functions)]
    frames = [row.frame(builder) for row in rows]
    for frame, row in zip(frames, rows, strict=True):
        builder.cost(frame, (row.numbers.self_ns,))
        builder.total(frame, row.numbers.calls, (row.numbers.total_ns,), primitive=row.numbers.primitive)
        for child in row.children:
            index, edge = _child(child, len(rows), source, row.name)
            builder.call(frame, frames[index], edge.calls, (edge.total_ns,), primitive=edge.primitive)
    return finish(builder, _meta(document, source, rows))


def parse_parts(parts: Sequence[tuple[BinaryIO, str]]) -> Profile:
    """The captures of a server's processes, added up. Raises as `parse` does."""
    return add_up(parse, parts)


@dataclass(frozen=True, slots=True)
class _Numbers:
    calls: int
    primitive: int
    self_ns: int
    total_ns: int

    @staticmethod
    def read(item: dict[str, Any], source: str, what: str) -> _Numbers:
        return _Numbers(
            whole(item.get("calls"), source, f"calls of {what}"),
            whole(item.get("primitive_calls"), source, f"primitive_calls of {what}"),
            nanoseconds(item.get("self_s"), source, f"self_s of {what}"),
            nanoseconds(item.get("total_s"), source, f"total_s of {what}"),
        )


@dataclass(frozen=True, slots=True)
class _Function:
    name: str
    module: str
    line: int
    builtin: bool
    numbers: _Numbers
    children: list[Any]

    @staticmethod
    def read(value: object, row: int, source: str) -> _Function:
        item = object_field(value, source, f"functions[{row}]")
        name = text_field(item.get("name"), source, f"functions[{row}].name")
        return _Function(
            name,
            text_field(item.get("module"), source, f"functions[{row}].module"),
            line_number(item.get("line")),
            item.get("builtin") is True,
            _Numbers.read(item, source, repr(name)),
            list_field(item.get("children", []), source, f"functions[{row}].children"),
        )

    def frame(self, builder: Builder) -> int:
        if self.builtin:
            return builder.frame(builder.function(self.name, object=self.module, runtime=NATIVE))
        return builder.frame(builder.function(self.name, file=self.module, line=self.line, runtime=PYTHON))


def _child(value: object, size: int, source: str, name: str) -> tuple[int, _Numbers]:
    item = object_field(value, source, f"a child of {name!r}")
    index = whole(item.get("index"), source, f"index of a child of {name!r}")
    if index >= size:
        raise ParseError(source, f"a child of {name!r} is function {index} of {size}")
    return index, _Numbers.read(item, source, f"a child of {name!r}")


def _meta(document: dict[str, Any], source: str, rows: list[_Function]) -> Meta:
    threads = []
    for i, value in enumerate(list_field(document.get("threads", []), source, "threads")):
        item = object_field(value, source, f"threads[{i}]")
        # A thread or greenlet that ended before yappi asked has no name.
        name = text_field(item.get("name") or "", source, f"threads[{i}].name")
        threads.append(f"{name} ({str(item.get('id'))[:40]})".strip())
    over = sum(row.numbers.self_ns > row.numbers.total_ns + 1000 for row in rows)
    odd = sum(row.numbers.primitive > row.numbers.calls for row in rows)
    warnings = []
    if over:
        warnings.append(f"{over} functions have more self than total time")
    if odd:
        warnings.append(f"{odd} functions have more primitive calls than calls")
    return Meta(
        format=NAME,
        source=source,
        tool=text_field(document.get("tool", "yappi"), source, "tool"),
        threads=tuple(threads),
        warnings=tuple(warnings),
        notes={k: text_field(document[k], source, k) for k in ("clock", "backend", "python") if k in document},
    )
