"""The summed tables of a run as a Profile, and whether the run is whole."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from profpipe.errors import ParseError
from profpipe.model.profile import (
    NATIVE,
    PYTHON,
    Calls,
    Costs,
    Frames,
    Functions,
    Meta,
    Profile,
    check_profile,
)
from profpipe.parse.callgrind.columns import MAX_COUNT
from profpipe.parse.callgrind.header import derived, kind_of, metric_of
from profpipe.parse.callgrind.lines import Index
from profpipe.parse.callgrind.names import without_recursion
from profpipe.parse.callgrind.run import EMPTY, Run
from profpipe.units import Metric

# yappi writes `fn=(3) Class.method /path/file.py:12`, with the file of fl= again; builtins end in ` builtins:0`.
_LINE = re.compile(r"[0-9]{1,9}")
ROUNDING = 1e-5
_NOTES = ("pid", "version", "part", "thread", "desc Trigger", "desc Timerange")


def to_profile(run: Run, source: str) -> Profile:
    """The checked profile of all that was read. Raises ParseError when every file was empty."""
    if not run.parts:
        raise ParseError(source, EMPTY)
    yappi = run.parts[0].details.get("creator", "").startswith("yappi")
    events = run.events
    formulas, left_out = derived(run.parts[0].formulas, events)
    metrics = _metrics(run, formulas, yappi)
    tables = _Tables(run, yappi)
    profile = Profile(
        kind="traced" if yappi else kind_of(events[0]),
        metrics=metrics,
        functions=tables.functions,
        frames=tables.frames,
        meta=_meta(run, source, yappi, left_out),
        costs=Costs(tables.cost_frame, _columns(metrics, events, formulas, tables.cost_values, source)),
        calls=Calls(
            caller=tables.caller,
            callee=tables.callee,
            calls=tables.calls,
            values=_columns(metrics, events, formulas, tables.call_values, source),
        )
        if len(tables.caller)
        else None,
        declared=dict(zip((m.key for m in metrics), _declared(run, formulas), strict=True)),
    )
    return check_profile(profile)


def _metrics(run: Run, formulas: dict[str, dict[str, int]], yappi: bool) -> tuple[Metric, ...]:
    labels = run.parts[0].labels
    metrics = tuple(metric_of(event, labels.get(event, ""), yappi) for event in (*run.events, *formulas))
    if len({m.key for m in metrics}) != len(metrics):
        raise ParseError(run.sources[0], f"two events share a name: {', '.join(m.key for m in metrics)}")
    return metrics


def _columns(
    metrics: tuple[Metric, ...],
    events: tuple[str, ...],
    formulas: dict[str, dict[str, int]],
    counted: list[Index],
    source: str,
) -> dict[str, Index]:
    """Columns by metric key; inherited events are computed from the counted ones."""
    by_event = dict(zip(events, counted, strict=True))
    for name, terms in formulas.items():
        total = np.zeros(len(counted[0]), object)
        for event, factor in terms.items():
            total = total + by_event[event].astype(object) * factor
        if len(total) and max(total) > MAX_COUNT:
            raise ParseError(source, f"event {name} adds up to more than 64 bits hold")
        by_event[name] = total.astype(np.int64)
    return {metric.key: column for metric, column in zip(metrics, by_event.values(), strict=True)}


class _Tables:
    """Functions, frames, costs and calls with dense ids, from the rows over clones (name with its recursion mark)."""

    def __init__(self, run: Run, yappi: bool) -> None:
        tables = run.tables
        owner, where, costs = tables.costs.table(run.sources[0])
        caller, callee, calls = tables.calls.table(run.sources[0])
        name, file, object_ = tables.clones.columns()
        calling = _mask(len(name), caller, callee)
        used = np.flatnonzero(calling | _mask(len(name), owner))

        bases, base, level = _levels(tables.functions.texts, name[used])
        function, first = _dense(base, file[used], object_[used])
        self.functions = _functions(
            [bases[i] for i in base[first].tolist()],
            [tables.files.texts[i] for i in file[used][first].tolist()],
            [tables.objects.texts[i] for i in object_[used][first].tolist()],
            yappi=yappi,
            timed=yappi or kind_of(run.events[0]) != "counted",
        )
        # A clone is one function at one level, so a frame is a clone and the file of a cost; edges take its own file.
        ends = np.flatnonzero(calling)
        key, frame = np.unique(np.concatenate(((owner << 32) | where, (ends << 32) | file[ends])), return_inverse=True)
        row = np.cumsum(calling | _mask(len(name), owner)) - 1
        clone = row[key >> 32]
        self.frames = Frames(
            function=function[clone].astype(np.int32),
            level=level[clone].astype(np.int32),
            file=tuple([tables.files.texts[i] for i in (key & 0x7FFFFFFF).tolist()]),
        )
        self.cost_frame = frame[: len(owner)].astype(np.int32)
        own_frame = np.zeros(len(name), np.int32)
        own_frame[ends] = frame[len(owner) :]
        self.caller, self.callee = own_frame[caller], own_frame[callee]
        none = [np.zeros(0, np.int64) for _ in range(len(run.events) + 1)]
        self.cost_values: list[Index] = costs or none[1:]
        counted: list[Index] = calls or none
        self.calls, self.call_values = counted[0], counted[1:]


def _mask(size: int, *ids: Index) -> NDArray[np.bool_]:
    mask = np.zeros(size, np.bool_)
    for part in ids:
        mask[part] = True
    return mask


def _levels(texts: list[str], name: Index) -> tuple[list[str], Index, Index]:
    """Names without their recursion mark; and per number of a function name the place in that list, and the level."""
    used, row = np.unique(name, return_inverse=True)
    numbers: dict[str, int] = {}
    bases = np.empty(len(used), np.int64)
    levels = np.ones(len(used), np.int64)
    for i, text in enumerate([texts[i] for i in used.tolist()]):
        if "'" in text:
            text, levels[i] = without_recursion(text)
        bases[i] = numbers.setdefault(text, len(numbers))
    return list(numbers), bases[row], levels[row]


def _dense(a: Index, b: Index, c: Index) -> tuple[Index, Index]:
    """A number per distinct (a, b, c), in their order, and one row that has each."""
    _, ab = np.unique((a << 32) | b, return_inverse=True)
    _, first, numbers = np.unique((ab << 32) | c, return_index=True, return_inverse=True)
    return numbers, first


def _functions(names: list[str], files: list[str], objects: list[str], *, yappi: bool, timed: bool) -> Functions:
    lines = np.zeros(len(names), np.int32)
    if yappi:
        for i, name in enumerate(names):
            place, _, line = name.rpartition(":")
            if _LINE.fullmatch(line) and place.endswith(f" {files[i]}"):
                names[i], lines[i] = place.removesuffix(f" {files[i]}"), int(line)
    return Functions(
        name=tuple(names),
        file=tuple(files),
        object=tuple(objects),
        line=lines,
        runtime=_runtimes(files, timed),
    )


def _runtimes(files: list[str], timed: bool) -> NDArray[np.int8]:
    """Whoever times functions sees those of Python; what valgrind counts in a .py file is C that Cython made of it.

    In files without a suffix (`builtins`, `_socket`) yappi sees native functions.
    """
    python = [timed and (file.endswith(".py") or file.startswith("<")) for file in files]
    return np.where(np.array(python, np.bool_), PYTHON, NATIVE).astype(np.int8)


def _declared(run: Run, formulas: dict[str, dict[str, int]]) -> list[int | None]:
    """The `totals:` of all parts added up per event, inherited ones included; None when a part states none."""
    sums = dict.fromkeys(run.events, 0)
    for part in run.parts:
        if part.totals is None:
            return [None] * (len(sums) + len(formulas))
        for event, value in zip(sums, part.totals, strict=False):
            sums[event] += value
    inherited = [sum(sums[event] * factor for event, factor in terms.items()) for terms in formulas.values()]
    return [*sums.values(), *inherited]


def _meta(run: Run, source: str, yappi: bool, left_out: list[str]) -> Meta:
    details = run.parts[0].details
    notes = {key.removeprefix("desc ").lower(): details[key] for key in _NOTES if details.get(key)}
    if len(run.parts) > 1:
        notes["parts"] = str(len(run.parts))
    return Meta(
        format="callgrind",
        source=source,
        tool=details.get("creator", ""),
        command=details.get("cmd", ""),
        partial="; ".join([*_unbalanced(run, yappi), *run.cut]) or None,
        warnings=tuple(_warnings(run, yappi, left_out)),
        notes=notes,
    )


def _unbalanced(run: Run, yappi: bool) -> list[str]:
    """Why parts are not whole: per part the first event whose self costs are not the total that the file states."""
    found = []
    for number, (part, sums) in enumerate(zip(run.parts, run.sums, strict=True), 1):
        which = f"part {number}: " if len(run.parts) > 1 else ""
        stated = part.totals
        if stated is None:
            if _states_no_totals(run, yappi) or _summary_holds(run, number - 1):
                continue
            summary = part.summary if part.summary and not _summary_holds(run, number - 1) else None
            found.append(
                f"{which}no `totals:` line at the end; the self costs read add up to {sums[0]:,} {run.events[0]}"
                + (f", `summary:` says {summary[0]:,}" if summary else "")
                + ": the file was cut while it was written"
            )
            continue
        if part.disputed:
            found.append(f"{which}two `totals:` lines differ, the last says {stated[0]:,} {run.events[0]}")
        padded = [*stated, *[0] * (len(sums) - len(stated))]
        for event, have, want in zip(run.events, sums, padded, strict=False):
            if have != want:
                found.append(
                    f"{which}the self costs add up to {have:,} {event}, `totals:` says {want:,}: the file is damaged"
                )
                break
    return found


def _states_no_totals(run: Run, yappi: bool) -> bool:
    """Whether another writer's file says nowhere what it adds up to: then a cut cannot be seen, which is a warning."""
    valgrind = run.parts[0].details.get("creator", "").startswith("callgrind")
    counted = valgrind or any(kind_of(event) == "counted" for event in run.events)
    return yappi or (not counted and all(part.summary is None for part in run.parts))


def _summary_holds(run: Run, number: int) -> bool:
    """Cachegrind and others have a `summary:` and write no `totals:`; valgrind's callgrind always writes both.

    Times of other writers were rounded line by line: pyprof2calltree's summary was 550 ns of 0.2 s off.
    """
    part = run.parts[number]
    if part.summary is None or part.details.get("creator", "").startswith("callgrind"):
        return False
    stated = [*part.summary, *[0] * (len(run.events) - len(part.summary))]
    exact = kind_of(run.events[0]) == "counted"
    return all(
        abs(a - b) <= (0 if exact else ROUNDING * max(a, b)) for a, b in zip(stated, run.sums[number], strict=True)
    )


def _warnings(run: Run, yappi: bool, left_out: list[str]) -> list[str]:
    found = []
    if _states_no_totals(run, yappi):
        writer = "yappi" if yappi else run.parts[0].details.get("creator") or "its writer"
        found.append(f"{writer} states no totals: a file that was cut would look complete")
    elif not any(any(sums) for sums in run.sums) and all(part.totals is not None for part in run.parts):
        found.append(
            "nothing was counted into this file (totals 0): after a dump (`callgrind_control -d`) the counts are in "
            "the file of the same name with `.1`, with --separate-threads=yes in `-01` and so on; else instrumentation "
            "was never switched on"
        )
    for part, sums in zip(run.parts, run.sums, strict=True):
        if part.totals is not None and part.summary and 0 < part.summary[0] < sums[0]:
            found.append(f"`summary:` says {part.summary[0]:,} {run.events[0]}, less than the self costs, {sums[0]:,}")
    found += [f"{name}: empty file, left out" for name in run.empty]
    found += [f"event {name} is left out: its formula names an event that is not counted here" for name in left_out]
    unknown = sorted({key for part in run.parts for key in part.unknown})
    if unknown:
        found.append(f"unknown header lines were skipped: {', '.join(unknown[:5])}")
    bad = sum(t.undecodable for t in (run.tables.functions, run.tables.files, run.tables.objects))
    if bad:
        found.append(f"{bad:,} names hold bytes that are not UTF-8; shown as \\xNN")
    return found
