"""The tables of a profile for the Firefox Profiler, by columns, whichever way a version of the format stores them."""

from __future__ import annotations

import bisect
import re
from typing import Any

from profpipe.errors import ParseError
from profpipe.model.profile import KERNEL, NATIVE, PYTHON, SYNTHETIC
from profpipe.parse.reading import line_number, list_field, object_field, text_field
from profpipe.parse.stack_rows import NO_STACK, Place, StackRows

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{1,16}")
_LOCATION = re.compile(r"(.*) \((.*?):(\d{1,10})(?::\d{1,10})?\)(?:\[\d{1,20}\])?", re.DOTALL)
ROOT = "(root)"
LABEL = "(label)"  # samply puts a second frame, without `py::`, beside each trampoline of Python: it is left out
NO_NAME = "???"  # as valgrind writes it: one row for the unnamed functions of a library


class Tables:
    """The tables that belong to a thread: its own, or those that all threads of the file share."""

    def __init__(self, thread: dict[str, Any], process: dict[str, Any], source: str) -> None:
        self.source = source
        self._own = thread
        self._shared = object_field(process.get("shared") or {}, source, "shared")
        self.libs = [
            object_field(lib, source, "a library") for lib in list_field(process.get("libs") or [], source, "")
        ]
        strings: object = next(
            (held[key] for held in (thread, self._shared) for key in ("stringArray", "stringTable") if key in held), []
        )
        self.strings = list_field(strings, source, "stringArray")

    def table(self, name: str) -> dict[str, Any]:
        return object_field(self._own.get(name) or self._shared.get(name) or {}, self.source, name)

    def column(self, table: dict[str, Any], key: str, what: str) -> list[Any]:
        """A column, empty where the table has none; rows that end early have None there."""
        if "schema" not in table:
            return list_field(table.get(key) or [], self.source, f"{key} of {what}")
        at = object_field(table["schema"], self.source, "schema").get(key)
        rows = [list_field(row, self.source, what) for row in list_field(table.get("data"), self.source, what)]
        if not isinstance(at, int) or at < 0:
            return []
        return [row[at] if at < len(row) else None for row in rows]

    def optional(self, table: dict[str, Any], key: str, size: int, default: int) -> list[Any]:
        """The same with `default` for what is not there. ParseError for a column of another length."""
        column = self.column(table, key, "samples")
        if column and len(column) != size:
            raise ParseError(self.source, f"{size} samples but {len(column)} values of {key}")
        return [default if value is None else value for value in column] if column else [default] * size

    def string(self, index: object) -> str:
        """A text; "" for none."""
        if index is None or index == -1:
            return ""
        return text_field(self.at(self.strings, index, "stringArray"), self.source, "a text of stringArray")

    def at(self, column: list[Any], index: object, what: str) -> Any:
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(column):
            raise ParseError(self.source, f"row {str(index)[:20]} of {what}, which has {len(column)}: it is not whole")
        return column[index]


class Frames:
    """Stacks of one thread as rows of a builder."""

    def __init__(self, tables: Tables, rows: StackRows) -> None:
        self._tables, self._rows = tables, rows
        table = tables.table("stackTable")
        self._prefix = tables.column(table, "prefix", "stackTable")
        self._frame = tables.column(table, "frame", "stackTable")
        self._places = _places(tables)
        self._known: dict[int, int] = {}
        starts = sorted((lib["start"], lib["end"], str(lib.get("name"))) for lib in tables.libs if _ranged(lib))
        self._starts, self._ranges = [start for start, _, _ in starts], starts

    def stack(self, index: object) -> int:
        """The builder's row of a stack. ParseError for a row that is missing or its own caller."""
        path: list[int] = []
        at = index
        while at is not None and at not in self._known:
            prefix = self._tables.at(self._prefix, at, "stackTable")
            assert isinstance(at, int)
            path.append(at)
            if len(path) > len(self._prefix):
                raise ParseError(self._tables.source, f"stack {at} is its own caller")
            at = prefix
        row = -1 if at is None else self._known[at]
        for one in reversed(path):
            place = self.place(one)
            if place.name != LABEL and not (row < 0 and place.name == ROOT):
                row = self._rows.builder.stack(row, self._rows.frame(place))
            self._known[one] = row
        return row if row >= 0 else self._rows.builder.stack(-1, self._rows.frame(Place(NO_STACK, runtime=SYNTHETIC)))

    def place(self, stack: int) -> Place:
        place: Place = self._tables.at(self._places, self._tables.at(self._frame, stack, "stackTable"), "frameTable")
        if not _ADDRESS.fullmatch(place.name):
            return place
        owner, address = place.object, int(place.name, 16)
        at = bisect.bisect_right(self._starts, address) - 1
        if not owner and at >= 0 and address < self._ranges[at][1]:
            owner = self._ranges[at][2]
        return Place(NO_NAME, object=owner)

    def is_address(self, stack: object) -> bool:
        """Whether its innermost function has no name."""
        return isinstance(stack, int) and self.place(stack).name == NO_NAME


def _ranged(lib: dict[str, Any]) -> bool:
    return isinstance(lib.get("start"), int) and isinstance(lib.get("end"), int)


def _places(tables: Tables) -> list[Place]:
    """What each row of frameTable is: rows of Firefox's own hold a text, the others a function of funcTable."""
    table = tables.table("frameTable")
    locations = tables.column(table, "location", "frameTable")
    if locations:
        return [_located(tables.string(location)) for location in locations]
    functions = _functions(tables)
    lines = tables.column(table, "line", "frameTable")
    found = []
    for row, function in enumerate(tables.column(table, "func", "frameTable")):
        place = tables.at(functions, function, "funcTable")
        line = line_number(lines[row]) if row < len(lines) else 0
        found.append(Place(place.name, place.file, place.object, line, place.runtime))
    return found


def _functions(tables: Tables) -> list[Place]:
    table = tables.table("funcTable")
    names, resources, files = (tables.column(table, key, "funcTable") for key in ("name", "resource", "fileName"))
    owners = tables.column(tables.table("resourceTable"), "name", "resourceTable")
    sources = tables.column(tables.table("sources"), "filename", "sources")
    in_sources = tables.column(table, "source", "funcTable")
    texts = [tables.string(name) for name in names]
    trampolines = {text.removeprefix("py::") for text in texts if text.startswith("py::")}
    found = []
    for row, text in enumerate(texts):
        if text in trampolines:
            found.append(Place(LABEL))
            continue
        file = tables.string(files[row]) if row < len(files) else ""
        if row < len(in_sources) and in_sources[row] is not None:
            file = tables.string(tables.at(sources, in_sources[row], "sources"))
        owner = resources[row] if row < len(resources) else -1
        object = "" if owner in (-1, None) else tables.string(tables.at(owners, owner, "resourceTable"))
        found.append(_function(text, file, object))
    return found


def _function(name: str, file: str, object: str) -> Place:
    """Python's own trampolines (-X perf) are named `py::function:file`; their object is the memory they run in."""
    if name.startswith("py::"):
        function, _, source = name[4:].partition(":")
        return Place(function or name, file=source, runtime=PYTHON)
    runtime = KERNEL if object.startswith(("[kernel", "kernel.")) else NATIVE
    return Place(name or "(no name)", file=file, object=object, runtime=runtime)


def _located(text: str) -> Place:
    """`function (url:line:column)` of JavaScript, an address, or a label of Firefox."""
    found = _LOCATION.fullmatch(text)
    return Place(found[1], file=found[2], line=line_number(found[3])) if found else Place(text or "(no name)")
