"""pyinstrument: the saved session (.pyisession) and the tree of its JSON renderer.

Read here and not by the library: its resampling changes the total (1.500 s became 1.750 s), and its tree walks
recurse. A session is `frame_records`: [[identifier, ...], seconds]; an identifier is `function NUL file NUL line`,
then attributes after SOH: `c<class>`, `l<executed line>`, `h<hidden>`. `<thread>` in the file's place names the thread.

The tree has times per node; self = time - children. `[self]` nodes are their parent's self and are folded into it;
`[await]` and `[out-of-context]` stay, as synthetic frames. The renderer leaves out frames under 1 % and their time is
then their caller's: a warning says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from profpipe.errors import ParseError
from profpipe.model.build import Builder
from profpipe.model.profile import NATIVE, PYTHON, SYNTHETIC, Fact, Meta, Profile
from profpipe.parse.parts import add_up
from profpipe.parse.reading import (
    clean,
    finish,
    line_number,
    list_field,
    nanoseconds,
    object_field,
    opens_json,
    read_json,
    text_field,
)
from profpipe.units import WALL_NS

NAME = "pyinstrument"
SAYS: frozenset[Fact] = frozenset({"self", "total", "edges", "stacks", "lines", "threads"})
RECORD = "pyinstrument -r pyisession -o server.pyisession server.py"
SELF = "[self]"
NO_STACK = "[no stack]"
SYNTHETIC_NAMES = frozenset({SELF, NO_STACK, "[await]", "[out-of-context]", "[root]"})
_MARKS = (b'"frame_records"', b'"root_frame"')
_KEYS = (b'"start_time"', b'"duration"', b'"sample_count"', b'"target_description"')


def sniff(head: bytes, _filename: str) -> bool | None:
    """True with a session's own keys; None for JSON that has not shown them yet."""
    if any(mark in head for mark in _MARKS) or all(key in head for key in _KEYS):
        return True
    return None if opens_json(head) else False


def parse(raw: BinaryIO, source: str) -> Profile:
    """A sampled profile in wall_ns. Waiting is in it: pyinstrument counts elapsed time of one thread."""
    document = object_field(read_json(raw, source), source, "the document")
    walk = _Walk(source, Builder("sampled", (WALL_NS,)))
    warnings: tuple[str, ...] = ()
    if "frame_records" in document:
        walk.records(list_field(document["frame_records"], source, "frame_records"))
    elif "root_frame" in document:
        if document["root_frame"] is None:
            raise ParseError(source, "root_frame is null: pyinstrument saw no sample in the window")
        walk.tree(object_field(document["root_frame"], source, "root_frame"))
        warnings = ("frames under 1 % are not in this file: their time is in their callers; the session has them",)
    else:
        raise ParseError(source, "neither frame_records nor root_frame: not a pyinstrument session")
    notes = {}
    for key in ("duration", "cpu_time"):
        if document.get(key) is not None:
            notes[f"{key}_ns"] = str(nanoseconds(document[key], source, key))
    if isinstance(document.get("sample_count"), int):
        notes["samples"] = str(line_number(document["sample_count"]))
    target = text_field(document.get("target_description", ""), source, "target_description")
    meta = Meta(NAME, source, tool=NAME, command=target, threads=tuple(walk.threads), warnings=warnings, notes=notes)
    return finish(walk.builder, meta)


def parse_parts(parts: Sequence[tuple[BinaryIO, str]]) -> Profile:
    """The captures of a server's processes, added up. Raises as `parse` does."""
    return add_up(parse, parts)


Identity = tuple[str, str, int]


@dataclass
class _Walk:
    source: str
    builder: Builder
    frames: dict[tuple[str, str], int] = field(default_factory=dict)
    threads: dict[str, int] = field(default_factory=dict)

    def records(self, records: list[Any]) -> None:
        """frame_records; two passes, since a class is only shown if all calls of the function had the same."""
        checked = [self.record(item, i) for i, item in enumerate(records)]
        classes = _classes(name for names, _ in checked for name in names)
        known: dict[str, int] = {}
        for names, value in checked:
            node = thread = -1
            for name in names:
                frame = known.get(name)
                if frame is None:
                    frame = known[name] = self.identifier(name, classes)
                if frame <= _THREAD:
                    thread = _THREAD - frame
                elif frame != _OWN:
                    node = self.builder.stack(node, frame)
            if node < 0:
                node = self.no_stack()
            self.builder.sample(node, (value,), thread=thread)

    def record(self, item: object, i: int) -> tuple[list[str], int]:
        if not isinstance(item, list) or len(item) != 2 or not isinstance(item[0], list):
            raise ParseError(self.source, f"frame_records[{i}] is not [[frames], seconds]")
        if not all(isinstance(name, str) for name in item[0]):
            raise ParseError(self.source, f"frame_records[{i}] holds a frame that is not text")
        return item[0], nanoseconds(item[1], self.source, f"time of frame_records[{i}]")

    def identifier(self, text: str, classes: dict[Identity, str]) -> int:
        """A frame id, _OWN for [self], or the thread's number below _THREAD."""
        name, file, line, _, executed = _split(text)
        if file == "<thread>":
            label = clean(f"{name} ({line})" if line else name)
            return _THREAD - self.threads.setdefault(label, len(self.threads))
        if name == SELF and not file:
            return _OWN
        return self.frame(_qualified(name, classes.get((name, file, line), "")), file, line, executed)

    def frame(self, name: str, file: str, line: int, executed: int) -> int:
        if not file and name in SYNTHETIC_NAMES:
            function = self.builder.function(name, runtime=SYNTHETIC)
        elif file == "<built-in>":
            function = self.builder.function(clean(name), runtime=NATIVE)
        else:
            function = self.builder.function(clean(name), file=clean(file), line=line_number(line), runtime=PYTHON)
        return self.builder.frame(function, line=line_number(executed))

    def tree(self, root: dict[str, Any]) -> None:
        """Depth first with our own stack: recorded trees were 30,000 deep."""
        todo: list[tuple[dict[str, Any], int, int]] = [(root, -1, -1)]
        while todo:
            node, parent, thread = todo.pop()
            name = text_field(node.get("function"), self.source, "function")
            file = text_field(node.get("file_path") or "", self.source, "file_path")
            line = line_number(node.get("line_no"))
            listed = list_field(node.get("children"), self.source, "children")
            children = [object_field(child, self.source, "a child") for child in listed]
            if file == "<thread>":
                thread, row = self.threads.setdefault(name, len(self.threads)), parent
            else:
                cls = text_field(node.get("class_name") or "", self.source, "class_name")
                row = self.builder.stack(parent, self.frame(_qualified(name, cls), file, line, 0))
            rest = nanoseconds(node.get("time"), self.source, f"time of {name!r}")
            for child in reversed(children):
                if child.get("function") == SELF:
                    continue
                rest -= nanoseconds(child.get("time"), self.source, f"time in {name!r}")
                todo.append((child, row, thread))
            # Times are written with six digits: each may be half a microsecond off.
            if rest < -1000 * (len(children) + 1):
                raise ParseError(self.source, f"the children of {name!r} take longer than itself")
            if rest > 0:
                self.builder.sample(row if row >= 0 else self.no_stack(), (rest,), thread=thread)

    def no_stack(self) -> int:
        return self.builder.stack(-1, self.frame(NO_STACK, "", 0, 0))


_OWN = -1
_THREAD = -2


def _split(text: str) -> tuple[str, str, int, str, int]:
    """(function, file, line, class, executed line) of an identifier with attributes."""
    identifier, *attributes = text.split("\x01")
    name, file, line = ([*identifier.split("\0"), "", ""])[:3]
    cls, executed = "", 0
    for attribute in attributes:
        if attribute.startswith("c"):
            cls = attribute[1:]
        elif attribute.startswith("l"):
            executed = line_number(attribute[1:])
    number = int(line) if line.isascii() and line.isdigit() and len(line) < 20 else 0
    return name, file, number, cls, executed


def _classes(names: Any) -> dict[Identity, str]:
    """The class of each function, where every frame of it names the same one."""
    found: dict[Identity, str] = {}
    for text in dict.fromkeys(names):
        name, file, line, cls, _ = _split(text)
        if found.setdefault((name, file, line), cls) != cls:
            found[name, file, line] = ""
    return found


def _qualified(name: str, cls: str) -> str:
    return clean(f"{cls}.{name}") if cls and "." not in name else name
