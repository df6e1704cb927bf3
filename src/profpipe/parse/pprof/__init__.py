"""pprof's profile.proto, gzipped or not: Go's runtime/pprof, gperftools, pprof-rs, Node's pprof, Pyroscope and others.

Every type of value (`cpu/nanoseconds`, `alloc_space/bytes`, `delay/nanoseconds`) is a metric of its own. The default
type, which is the last one unless the file names another, comes first: it is what `go tool pprof` shows. A location
with several lines is a chain of inlined calls, and each is a frame. Names, also those of Go packages, stay as they are.
`keep_frames` and `drop_frames` are not applied: they hide frames in pprof's own views, and what they hide was measured.

Differences (`-diff_base`) have negative values and are refused. The format has no length, but its string table comes
last in most files: one that was cut misses strings, and is refused.
"""

from __future__ import annotations

from dataclasses import replace
from typing import BinaryIO

from profpipe.errors import ParseError
from profpipe.model.build import Builder
from profpipe.model.profile import SYNTHETIC, Fact, Meta, Profile, Samples, Stacks, check_profile
from profpipe.parse.pprof.stacks import Tree, rows, summed
from profpipe.parse.pprof.tables import (
    COMMENT,
    DEFAULT_SAMPLE_TYPE,
    DURATION_NANOS,
    FUNCTION,
    LOCATION,
    MAPPING,
    SAMPLE,
    SAMPLE_TYPE,
    STRING,
    Strings,
    Threads,
    ValueType,
    functions,
    locations,
    objects,
    value_types,
)
from profpipe.parse.pprof.wire import WireError, fields, varint
from profpipe.parse.reading import read_all, share
from profpipe.parse.stack_rows import NO_STACK
from profpipe.units import Metric

NAME = "pprof"
SAYS: frozenset[Fact] = frozenset({"self", "total", "edges", "stacks", "lines", "threads"})
RECORD = "curl -o cpu.pb.gz http://localhost:6060/debug/pprof/profile?seconds=10"
_MESSAGES = {SAMPLE_TYPE, SAMPLE, MAPPING, LOCATION, FUNCTION, STRING, 11}
_NUMBERS = {7, 8, 9, DURATION_NANOS, 12, COMMENT, DEFAULT_SAMPLE_TYPE, 15}


def sniff(head: bytes, _filename: str) -> bool | None:
    """True when the head is fields of a profile with a type of value or the empty first string; None with others."""
    found, at, more = False, 0, False
    try:
        while at < len(head):
            tag, at = varint(head, at)
            number, wire = tag >> 3, tag & 7
            if wire == 0 and number in _NUMBERS:
                _, at = varint(head, at)
            elif wire == 2 and number in _MESSAGES | {COMMENT}:
                size, at = varint(head, at)
                if number == SAMPLE_TYPE and not _is_value_type(head[at : at + size]):
                    return False
                found |= number == SAMPLE_TYPE or (number == STRING and size == 0)
                at += size
            else:
                return False
    except WireError:
        more = True
    return True if found else (None if more or at > len(head) else False)


def _is_value_type(message: bytes) -> bool:
    try:
        return all(number in (1, 2) and isinstance(value, int) for number, value in fields(message)) and bool(message)
    except WireError:
        return False


def parse(raw: BinaryIO, source: str) -> Profile:
    """A sampled profile. ParseError for what is no message, misses a table row, or holds a difference."""
    parts: dict[int, list[bytes]] = {number: [] for number in _MESSAGES}
    numbers: dict[int, int] = {}
    try:
        for number, value in fields(read_all(raw, source)):
            if isinstance(value, int):
                numbers[number] = value
            elif number in parts:
                parts[number].append(value)
        return _profile(parts, numbers, source)
    except WireError as error:
        raise ParseError(source, f"not a whole pprof profile: {error}") from error


def _profile(parts: dict[int, list[bytes]], numbers: dict[int, int], source: str) -> Profile:
    strings = Strings(parts[STRING], source)
    types = value_types(parts[SAMPLE_TYPE], strings)
    if not types:
        raise ParseError(source, "no type of value in it: the file is not whole")
    if not parts[SAMPLE]:
        raise ParseError(source, "no sample in it: nothing was recorded in the window")
    builder = Builder("sampled", ())
    places = functions(parts[FUNCTION], strings)
    frames = locations(parts[LOCATION], places, objects(parts[MAPPING], strings), builder, source)
    tree, threads = Tree(frames, source), Threads(strings, source)

    def no_stack() -> int:
        return builder.frame(builder.function(NO_STACK, runtime=SYNTHETIC))

    found = rows(parts[SAMPLE], tree, threads, no_stack, len(types))
    samples = summed(found, [t.metric.key for t in types], [t.factor for t in types], source)
    warnings = []
    if found.stackless:
        warnings.append(f"{share(found.stackless, len(parts[SAMPLE]))} of the records have no stack")
    if threads.too_many:
        warnings.append(f"more than {Threads.MOST:,} sets of labels: the samples of the others have no thread")
    duration = numbers.get(DURATION_NANOS, 0)
    meta = Meta(
        NAME,
        source,
        threads=tuple(threads.ids),
        warnings=tuple(warnings),
        notes={"duration_ns": str(duration)} if duration else {},
    )
    metrics = _default_first(types, strings.text(numbers.get(DEFAULT_SAMPLE_TYPE, 0)))
    return _frozen(builder, tuple(t.metric for t in metrics), tree.columns(), samples, meta)


def _default_first(types: list[ValueType], default: str) -> list[ValueType]:
    names = [t.name for t in types]
    at = names.index(default) if default in names else len(types) - 1
    return [types[at], *types[:at], *types[at + 1 :]]


def _frozen(builder: Builder, metrics: tuple[Metric, ...], stacks: Stacks, samples: Samples, meta: Meta) -> Profile:
    """The builder has the functions and frames; the columns of stacks and samples were made without it."""
    return check_profile(replace(builder.freeze(meta), metrics=metrics, stacks=stacks, samples=samples))
