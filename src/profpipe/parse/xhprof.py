"""xhprof: calls, elapsed time and CPU time by pairs `caller==>callee` of PHP functions, serialised by PHP or as JSON.

xhprof, tideways_xhprof and their successors give the same array. `fib==>fib@1` is recursion: the number after the @ is
the depth. A name without a caller is where recording began. Self is a function's time less that of the calls it made;
clock rounding can make the calls longer, then self is 0 and a warning says by how much. Memory (`mu`, `pmu`) is a net
change, which may be negative, and is not read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import BinaryIO

from profpipe.errors import ParseError
from profpipe.model.build import Builder
from profpipe.model.profile import Fact, Meta, Profile
from profpipe.parse.php_serialised import unserialised
from profpipe.parse.reading import (
    INT64_MAX,
    clean,
    finish,
    object_field,
    opens_json,
    parse_json,
    read_all,
    share,
    whole,
)
from profpipe.units import CPU_NS, WALL_NS

NAME = "xhprof"
SAYS: frozenset[Fact] = frozenset({"self", "total", "calls", "edges"})
RECORD = "tideways_xhprof_enable(TIDEWAYS_XHPROF_FLAGS_CPU) in PHP, then serialize(tideways_xhprof_disable())"
ARROW = "==>"
CLOCKS = {"wt": WALL_NS, "cpu": CPU_NS}
_JSON = re.compile(rb'\s*\{\s*"(?:[^"\\]|\\.){1,2000}"\s*:\s*\{\s*"ct"\s*:\s*\d')
_PHP = re.compile(rb'a:\d{1,9}:\{s:\d{1,5}:"[^"]{1,2000}";a:\d:\{s:2:"ct";i:')
_DEPTH = re.compile(r"(.+)@(\d{1,6})", re.DOTALL)

Place = tuple[str, int]
"""A function and its depth of recursion, from 1."""


def sniff(head: bytes, _filename: str) -> bool | None:
    """True for an array whose first entry counts calls; None for other JSON."""
    if _PHP.match(head) or _JSON.match(head):
        return True
    return None if opens_json(head) else False


def parse(raw: BinaryIO, source: str) -> Profile:
    """A traced profile. ParseError for a file that is not whole, and for entries without calls or times."""
    data = read_all(raw, source)
    document = object_field(
        unserialised(data, source) if data.startswith(b"a:") else parse_json(data, source), source, "the file"
    )
    entries = [_entry(clean(str(key)), value, source) for key, value in document.items()]
    keys = [key for key in CLOCKS if all(key in numbers for _, _, numbers in entries)]
    if not keys:
        raise ParseError(source, "no time in it: expected wt or cpu in every entry")
    times: dict[Place, list[int]] = {}
    calls: dict[Place, int] = {}
    made: dict[Place, list[int]] = {}
    builder = Builder("traced", tuple(CLOCKS[key] for key in keys))
    for caller, callee, numbers in entries:
        values = [numbers[key] * 1000 for key in keys]
        _add(times, callee, values)
        calls[callee] = calls.get(callee, 0) + numbers["ct"]
        if caller:
            _add(made, caller, values)
            builder.call(_frame(builder, caller), _frame(builder, callee), numbers["ct"], values)
    missing = [name for name, _ in made if (name, 1) not in times]
    if missing:
        raise ParseError(source, f"{missing[0][:80]!r} calls but is never called or begun: the file is not whole")
    over = _costs(builder, times, made)
    _totals(builder, times, calls)
    warnings = [
        f"calls of {WALL_NS.label} longer than their caller by {share(over, sum(v[0] for v in times.values()))}"
    ]
    return finish(builder, Meta(NAME, source, warnings=tuple(warnings if over else ())))


def _entry(key: str, value: object, source: str) -> tuple[Place | None, Place, Mapping[str, int]]:
    numbers = object_field(value, source, f"the entry {key[:80]!r}")
    caller, arrow, callee = key.partition(ARROW)
    found = {"ct": whole(numbers.get("ct"), source, f"ct of {key[:80]!r}")}
    for name in CLOCKS:
        if name in numbers:
            found[name] = whole(numbers[name], source, f"{name} of {key[:80]!r}")
            if found[name] > INT64_MAX // 1000:
                raise ParseError(source, f"{name} of {key[:80]!r} does not fit 64 bits")
    return (_place(caller), _place(callee), found) if arrow else (None, _place(caller), found)


def _place(text: str) -> Place:
    found = _DEPTH.fullmatch(text)
    return (found[1], int(found[2]) + 1) if found else (text, 1)


def _add(table: dict[Place, list[int]], place: Place, values: list[int]) -> None:
    row = table.setdefault(place, [0] * len(values))
    row[:] = [old + new for old, new in zip(row, values, strict=True)]


def _frame(builder: Builder, place: Place) -> int:
    return builder.frame(builder.function(place[0] or "(no name)"), level=place[1])


def _costs(builder: Builder, times: dict[Place, list[int]], made: dict[Place, list[int]]) -> int:
    """Self of every function at every depth. Returns by how much calls were longer than their callers, first clock."""
    over = 0
    for place, values in times.items():
        own = [value - inner for value, inner in zip(values, made.get(place, [0] * len(values)), strict=True)]
        over += max(-own[0], 0)
        builder.cost(_frame(builder, place), [max(value, 0) for value in own])
    return over


def _totals(builder: Builder, times: dict[Place, list[int]], calls: dict[Place, int]) -> None:
    """A function's total is that of its outermost calls; its calls are those at every depth."""
    counts: dict[str, int] = {}
    for (name, _), number in calls.items():
        counts[name] = counts.get(name, 0) + number
    for (name, depth), values in times.items():
        if depth == 1:
            builder.total(_frame(builder, (name, 1)), counts[name], values)
