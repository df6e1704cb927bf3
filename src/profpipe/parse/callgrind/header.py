"""The `key: value` lines of a callgrind file: what is counted, by whom, and what the file says it adds up to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from profpipe.errors import ParseError
from profpipe.parse.callgrind.columns import MAX_COUNT
from profpipe.units import INSTRUCTIONS, SYSCALLS, Metric, Unit

KEYS = ("version", "creator", "pid", "cmd", "part", "thread", "desc", "positions", "events", "event")
KEY = re.compile(rb"[A-Za-z][\w-]{0,40}:")

# Formulas may name each other, so following them takes quadratic time: 5,000 took 6 s.
MAX_FORMULAS = 100
_NAME = re.compile(r"[^\s=+*:]+")
_TERM = re.compile(r"(?:(\d+) ?\*? ?)?([^\s=+*:\d][^\s=+*:]*)")
_TIME = re.compile(r"\b(ns|us|ms)\)?$")
# What valgrind's tools count. Other writers use the format for clock times and samples, by names of their own: `ns`
# (pyprof2calltree), `Time_(10ns)` and `Memory_(bytes)` (Xdebug), `wall_time` (ruby-prof), `cpu(ms)` (pprof), `Hits`.
_COUNTED = re.compile(r"Ir|D[rw]|[ID]L?1?m[rw]|ILmr|DLm[rw]|Bcm?|Bim?|Ge|allocCount|allocSize|[AS]L[12D]?\w*|spLoss\d")
_CLOCK_UNIT = re.compile(r"(.*?)_?\((\d*)(ns|us|ms)\)")
_SAMPLED = re.compile(r"samples?(?:\(count\))?|hits?|cpu\(\w+\)", re.I)


@dataclass(slots=True)
class Part:
    """One part of a file: its header, and later the totals it states. `line` is where it begins."""

    line: int = 1
    positions: tuple[str, ...] = ("line",)
    events: tuple[str, ...] = ()
    summary: tuple[int, ...] | None = None
    totals: tuple[int, ...] | None = None
    details: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    formulas: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    begun: bool = False
    disputed: bool = False


def starts_new_part(part: Part, key: str) -> bool:
    """Whether this header line opens another part: the first had its events and then lines of costs or totals."""
    return bool(part.events) and (part.begun or part.totals is not None) and key in KEYS


def read_header_line(part: Part, key: str, value: str, source: str, line: int) -> None:
    """Note one header line in the part. Raises ParseError on what contradicts the format."""
    if key == "version":
        if not re.fullmatch(r"\d+", value) or len(value) > 4 or int(value) > 1:
            raise ParseError(
                source, f"version {value[:20]!r}; only version 1 of the callgrind format is known", line=line
            )
    elif key == "positions":
        part.positions = _positions(value, source, line)
    elif key == "events":
        if part.events:
            raise ParseError(source, "a second `events:` line in one part; the columns would be ambiguous", line=line)
        part.events = _events(value, source, line)
    elif key == "event":
        _read_event(part, value, source, line)
    elif key == "summary":
        part.summary = counts(value, source, line) or None
    elif key == "totals":
        stated = counts(value, source, line)
        if len(stated) > len(part.events):
            text = f"`totals:` has {len(stated)} numbers for {len(part.events)} events"
            raise ParseError(source, text, line=line)
        part.disputed |= part.totals is not None and part.totals != stated
        part.totals = stated or None
    elif key == "desc":
        what, _, text = value.partition(":")
        part.details["desc " + what.strip()] = text.strip()
    elif key in KEYS:
        part.details[key] = value
    elif not part.events:
        part.unknown.append(key)
    else:
        raise ParseError(source, f"unknown line `{key[:40]}:` among the costs", line=line)


def _positions(value: str, source: str, line: int) -> tuple[str, ...]:
    names = tuple(value.split())
    if not names or names != tuple(n for n in ("instr", "bb", "line") if n in names):
        raise ParseError(source, f"positions: {value[:60]!r}; expected instr, bb, line, in this order", line=line)
    return names


def _events(value: str, source: str, line: int) -> tuple[str, ...]:
    names = tuple(value.split())
    if not names:
        raise ParseError(source, "`events:` names no event; was the file cut here?", line=line)
    if len({key_of(n) for n in names}) != len(names):
        raise ParseError(source, f"events: {value[:80]!r} names one event twice", line=line)
    return names


def _read_event(part: Part, value: str, source: str, line: int) -> None:
    """`Name`, `Name : long name`, `Name = 2 A + B`, `Name = A + B : long name`."""
    definition, _, label = value.partition(":")
    name, equals, formula = (piece.strip() for piece in definition.partition("="))
    if not _NAME.fullmatch(name):
        raise ParseError(
            source, f"event: {value[:60]!r}; expected a name, then `= formula` or `: long name`", line=line
        )
    if label.strip():
        part.labels[name] = label.strip()
    if equals:
        part.formulas[name] = formula
    if len(part.formulas) > MAX_FORMULAS:
        raise ParseError(source, f"over {MAX_FORMULAS} `event:` formulas: not written by a profiler", line=line)


def counts(value: str, source: str, line: int) -> tuple[int, ...]:
    """The numbers of a `totals:` or `summary:` line."""
    words = value.split()
    for word in words:
        if not re.fullmatch(r"\d{1,40}", word, re.ASCII) or int(word) > MAX_COUNT:
            raise ParseError(source, f"{word[:40]!r} is no count from 0 to {MAX_COUNT:,}", line=line)
    return tuple(int(word) for word in words)


def key_of(event: str) -> str:
    return {"Ir": INSTRUCTIONS.key, "sysCount": SYSCALLS.key}.get(event, event.lower())


def metric_of(event: str, label: str, yappi: bool) -> Metric:
    """The metric of an event. sysTime and sysCpuTime are ns unless the long name says another unit (`elapsed us`)."""
    if event == "Ir":
        return INSTRUCTIONS
    if event == "sysCount":
        return SYSCALLS
    if event in ("sysTime", "sysCpuTime"):
        unit = _TIME.search(label)
        if unit is None or unit[1] == "ns":
            name = {"sysTime": "time in system calls", "sysCpuTime": "CPU time in system calls"}[event]
            return Metric({"sysTime": "sys_time_ns", "sysCpuTime": "sys_cpu_ns"}[event], name, "ns")
        shown: Unit = "us" if unit[1] == "us" else "1"
        return Metric(key_of(event), label, shown)
    if yappi and event == "Ticks":
        return Metric("ticks", "time by yappi's clock", "us", about="yappi exports microseconds as Ticks")
    kind = kind_of(event)
    if kind == "counted" or event.startswith("sys"):
        return Metric(key_of(event), label or event, "1", exact=True)
    spelt = _CLOCK_UNIT.fullmatch(event)
    factorless = spelt[3] if spelt and not spelt[2] else event
    about = {"traced": "a clock's time as the profiler took it", "sampled": "samples, not counts"}[kind]
    return Metric(key_of(event), label or event, _UNITS.get(factorless, "1"), about=about)


_UNITS: dict[str, Unit] = {"ns": "ns", "us": "us"}


def kind_of(event: str) -> Literal["counted", "sampled", "traced"]:
    """What kind of figure an event is: a count that repeats, samples, or anything else, which a clock may have given.

    Only events that valgrind's tools count are taken for counts: a time that is called a count would get a certain
    verdict from one run.
    """
    if _COUNTED.fullmatch(event) or event.startswith("sysCount"):
        return "counted"
    return "sampled" if _SAMPLED.fullmatch(event) else "traced"


def derived(formulas: Mapping[str, str], events: Sequence[str]) -> tuple[dict[str, dict[str, int]], list[str]]:
    """Inherited events as sums of counted ones, {name: {event: factor}}; and those whose formula cannot be followed."""
    known: dict[str, dict[str, int]] = {event: {event: 1} for event in events}
    open_ = {name: formula for name, formula in formulas.items() if name not in known}
    for _ in range(len(open_)):
        for name, formula in list(open_.items()):
            found = _expand(formula, known)
            if found is not None:
                known[name] = found
                del open_[name]
    return {name: terms for name, terms in known.items() if name not in events}, list(open_)


def _expand(formula: str, known: Mapping[str, dict[str, int]]) -> dict[str, int] | None:
    terms: dict[str, int] = {}
    for piece in formula.split("+"):
        match = _TERM.fullmatch(" ".join(piece.split()))
        if match is None or match[2] not in known or len(match[1] or "") > 9:
            return None
        for event, factor in known[match[2]].items():
            terms[event] = terms.get(event, 0) + int(match[1] or 1) * factor
    return terms
