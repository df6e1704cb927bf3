"""The tables of a pprof profile: value types, strings, functions and locations, without the samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from profpipe.errors import ParseError
from profpipe.model.build import Builder
from profpipe.model.profile import KERNEL, NATIVE
from profpipe.parse.pprof.wire import fields, signed
from profpipe.parse.reading import line_number, runtime_of
from profpipe.units import CPU_NS, SAMPLES, WALL_NS, Metric

# Field numbers of https://github.com/google/pprof/blob/main/proto/profile.proto
SAMPLE_TYPE, SAMPLE, MAPPING, LOCATION, FUNCTION, STRING = 1, 2, 3, 4, 5, 6
DURATION_NANOS, COMMENT, DEFAULT_SAMPLE_TYPE = 10, 13, 14
UNITS: Mapping[str, tuple[str, int]] = {
    "nanoseconds": ("ns", 1),
    "microseconds": ("ns", 10**3),
    "milliseconds": ("ns", 10**6),
    "seconds": ("ns", 10**9),
    "bytes": ("B", 1),
    "kilobytes": ("B", 1 << 10),
    "megabytes": ("B", 1 << 20),
}
KNOWN = {
    ("samples", "1"): SAMPLES,
    ("cpu", "ns"): CPU_NS,
    ("wall", "ns"): WALL_NS,
    ("alloc_objects", "1"): Metric("alloc_objects", "allocations", "1", about="objects allocated on the heap"),
    ("alloc_space", "B"): Metric("alloc_space", "allocated bytes", "B", about="bytes allocated on the heap"),
}
Ints = dict[int, int]


@dataclass(frozen=True, slots=True)
class ValueType:
    """One type of value: its name in the file, its metric, and what its numbers are multiplied by to be in its unit."""

    name: str
    metric: Metric
    factor: int


@dataclass(frozen=True, slots=True)
class Place:
    """A function of the file, before it is known to which object it belongs."""

    name: str
    file: str
    line: int


class Strings:
    """The string table. Texts are decoded when they are asked for; a wrong index is a ParseError."""

    def __init__(self, table: list[bytes], source: str) -> None:
        self._table, self._source = table, source

    def text(self, index: int) -> str:
        if not 0 <= index < len(self._table):
            words = f"string {index} of {len(self._table)} is missing: the file is not whole"
            raise ParseError(self._source, words)
        return self._table[index].decode(errors="backslashreplace")


def ints(message: bytes) -> Ints:
    """The plain numbers of a message; of a repeated one, the last."""
    return {number: value for number, value in fields(message) if isinstance(value, int)}


def value_types(messages: Iterable[bytes], strings: Strings) -> list[ValueType]:
    """The types of value in file order, each with a metric of its own."""
    found: list[ValueType] = []
    taken: set[str] = set()
    for message in messages:
        numbers = ints(message)
        name, unit = strings.text(numbers.get(1, 0)) or "values", strings.text(numbers.get(2, 0))
        metric, factor = _metric(name, unit)
        while metric.key in taken:
            metric = replace(metric, key=f"{metric.key}_again", label=f"{metric.label} (again)")
        taken.add(metric.key)
        found.append(ValueType(name, metric, factor))
    return found


def _metric(name: str, unit: str) -> tuple[Metric, int]:
    base, factor = UNITS.get(unit, ("1", 1))
    if known := KNOWN.get((name, base)):
        return known, factor
    key = "".join(sign if sign.isalnum() and sign.isascii() else "_" for sign in name)[:60]
    label = name.replace("_", " ")[:60]
    about = f"{label}, as the file names it" + (
        f", in {unit[:40]}" if base == "1" and unit not in ("", "count") else ""
    )
    return Metric(key, label, "ns" if base == "ns" else "B" if base == "B" else "1", about=about), factor


def functions(messages: Iterable[bytes], strings: Strings) -> dict[int, Place]:
    """id -> function."""
    found = {}
    for message in messages:
        numbers = ints(message)
        name = strings.text(numbers.get(2, 0)) or strings.text(numbers.get(3, 0))
        file = strings.text(numbers.get(4, 0))
        found[numbers.get(1, 0)] = Place(name, file, line_number(signed(numbers.get(5, 0))))
    return found


def objects(messages: Iterable[bytes], strings: Strings) -> dict[int, str]:
    """id of a mapping -> the program or library that was mapped."""
    rows = (ints(message) for message in messages)
    return {numbers.get(1, 0): strings.text(numbers.get(5, 0)) for numbers in rows}


def locations(
    messages: Iterable[bytes], places: Mapping[int, Place], mapped: Mapping[int, str], builder: Builder, source: str
) -> dict[int, tuple[int, ...]]:
    """id -> frames from the caller to the innermost one: several where calls were inlined."""
    found = {}
    for message in messages:
        numbers: Ints = {}
        lines = []
        for number, value in fields(message):
            if isinstance(value, int):
                numbers[number] = value
            elif number == 4:
                lines.append(ints(value))
        object = mapped.get(numbers.get(2, 0), "")
        frames = [_frame(line, places, object, builder, source) for line in reversed(lines)]
        found[numbers.get(1, 0)] = tuple(frames) or (_nameless(numbers.get(3, 0), object, builder),)
    return found


def _frame(line: Ints, places: Mapping[int, Place], object: str, builder: Builder, source: str) -> int:
    place = places.get(line.get(1, 0))
    if place is None:
        raise ParseError(source, f"function {line.get(1, 0)} is missing: the file is not whole")
    runtime = KERNEL if _is_kernel(object) else runtime_of(place.file)
    function = builder.function(place.name or "[unknown]", place.file, object, place.line, runtime)
    return builder.frame(function, line=line_number(signed(line.get(2, 0))))


def _nameless(address: int, object: str, builder: Builder) -> int:
    """Code without symbols is one function per object, as in folded stacks; without an object, one per address."""
    name = f"[{object.rpartition('/')[2].strip('[]')}]" if object else f"0x{address:x}"
    return builder.frame(builder.function(name, object=object, runtime=KERNEL if _is_kernel(object) else NATIVE))


def _is_kernel(object: str) -> bool:
    return object.startswith("[kernel") or object.endswith((".ko", "/vmlinux"))


class Threads:
    """Labels of samples -> threads. Labels that name a thread are its name; without any, all text labels together are.

    Go's `pprof.Do` puts labels such as `handler=/users` on goroutines: samples are told apart by them.
    """

    NAMES = ("thread", "thread_name", "thread name", "thread_id", "thread id", "tid")
    MOST = 1_000  # a label with the id of a request would make as many threads as there are requests

    def __init__(self, strings: Strings, source: str) -> None:
        self._strings, self._source = strings, source
        self.ids: dict[str, int] = {}
        self.too_many = False
        self._known: dict[tuple[bytes, ...], int] = {}

    def of(self, labels: tuple[bytes, ...]) -> int:
        """The thread of a sample with these labels, -1 for one without. Raises ParseError for a difference."""
        found = self._known.get(labels)
        if found is None:
            name = self._name(labels)
            if name and name not in self.ids and len(self.ids) >= self.MOST:
                self.too_many = True
                name = ""
            found = self.ids.setdefault(name, len(self.ids)) if name else -1
            if len(self._known) < 100 * self.MOST:
                self._known[labels] = found
        return found

    def _name(self, labels: tuple[bytes, ...]) -> str:
        texts, named = [], []
        for message in labels:
            numbers = ints(message)
            key = self._strings.text(numbers.get(1, 0))
            text = self._strings.text(numbers.get(2, 0))
            if key == "pprof::base":
                words = "a difference of two profiles (-diff_base), not a profile: compare the two files it was made of"
                raise ParseError(self._source, words)
            if key in self.NAMES:
                named.append(text or str(signed(numbers.get(3, 0))))
            elif text:
                texts.append(f"{key}={text}")
        return " ".join(named or sorted(texts))[:200]
