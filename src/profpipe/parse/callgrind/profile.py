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
from profpipe.parse.callgrind.header import derived, metric_of
from profpipe.parse.callgrind.lines import MAX_COUNT, Index
from profpipe.parse.callgrind.names import without_recursion
from profpipe.parse.callgrind.run import EMPTY, Run
from profpipe.units import Metric

# yappi writes `fn=(3) Class.method /path/file.py:12`, with the file of fl= again; builtins end in ` builtins:0`.
_LINE = re.compile(r"[0-9]{1,9}")
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
    declared = _declared(run)
    profile = Profile(
        kind="traced" if yappi else "counted",
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
        declared={m.key: v for m, v in zip(metrics, declared + [None] * len(formulas), strict=True)},
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
    """Functions, frames, costs and calls with dense ids, from the rows over clones (name with recursion mark, site)."""

    def __init__(self, run: Run, yappi: bool) -> None:
        tables = run.tables
        owner, where, costs = tables.costs.table(run.sources[0])
        caller, callee, calls = tables.calls.table(run.sources[0])
        used, clone_row = np.unique(np.concatenate((owner, caller, callee)), return_inverse=True)
        name, site = (column[used] for column in tables.clones.columns())
        file, object_ = (column[site] for column in tables.sites.columns())
        n_events = len(run.events)

        base, level = _levels(tables.functions.texts, name)
        function, first = _dense(base, file, object_)
        self.functions = _functions(
            [without_recursion(tables.functions.texts[i])[0] for i in name[first].tolist()],
            [tables.files.texts[i] for i in file[first].tolist()],
            [tables.objects.texts[i] for i in object_[first].tolist()],
            yappi,
        )
        cost_clone, caller, callee = np.split(clone_row, [len(owner), len(owner) + len(caller)])
        place = np.concatenate((where, file[caller], file[callee]))
        clone = np.concatenate((cost_clone, caller, callee))
        frame, first = _dense(function[clone], level[clone], place)
        self.frames = Frames(
            function=function[clone[first]].astype(np.int32),
            level=level[clone[first]].astype(np.int32),
            file=tuple(tables.files.texts[i] for i in place[first].tolist()),
        )
        self.cost_frame, self.caller, self.callee = (
            part.astype(np.int32) for part in np.split(frame, [len(owner), len(owner) + len(caller)])
        )
        none = [np.zeros(0, np.int64) for _ in range(n_events + 1)]
        self.cost_values: list[Index] = costs or none[1:]
        counted: list[Index] = calls or none
        self.calls, self.call_values = counted[0], counted[1:]


def _levels(texts: list[str], name: Index) -> tuple[Index, Index]:
    """For numbers of function names: one number per name without its recursion mark, and the level."""
    used, row = np.unique(name, return_inverse=True)
    numbers: dict[str, int] = {}
    bases, levels = [], []
    for text in (texts[i] for i in used.tolist()):
        base, level = without_recursion(text)
        bases.append(numbers.setdefault(base, len(numbers)))
        levels.append(level)
    return np.array(bases, np.int64)[row], np.array(levels, np.int64)[row]


def _dense(a: Index, b: Index, c: Index) -> tuple[Index, Index]:
    """A number per distinct (a, b, c), in their order, and one row that has each."""
    _, ab = np.unique((a << 32) | b, return_inverse=True)
    _, first, numbers = np.unique((ab << 32) | c, return_index=True, return_inverse=True)
    return numbers, first


def _functions(names: list[str], files: list[str], objects: list[str], yappi: bool) -> Functions:
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
        runtime=_runtimes(files, yappi),
    )


def _runtimes(files: list[str], yappi: bool) -> NDArray[np.int8]:
    """yappi sees Python functions and, in files without a suffix (`builtins`, `_socket`), native ones."""
    python = [yappi and (file.endswith(".py") or file.startswith("<")) for file in files]
    return np.where(np.array(python, np.bool_), PYTHON, NATIVE).astype(np.int8)


def _declared(run: Run) -> list[int | None]:
    """The `totals:` of all parts added up per event; None when a part states none."""
    if any(part.totals is None for part in run.parts):
        return [None] * len(run.events)
    return [
        sum((part.totals or ())[e : e + 1][0] if e < len(part.totals or ()) else 0 for part in run.parts)
        for e in range(len(run.events))
    ]


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
            if yappi or _summary_holds(run, number - 1):
                continue
            found.append(
                f"{which}no `totals:` line at the end; the self costs read add up to {sums[0]:,} {run.events[0]}"
                + (f", `summary:` says {part.summary[0]:,}" if part.summary else "")
                + ": the file was cut while it was written"
            )
            continue
        padded = [*stated, *[0] * (len(sums) - len(stated))]
        for event, have, want in zip(run.events, sums, padded, strict=False):
            if have != want:
                found.append(
                    f"{which}the self costs add up to {have:,} {event}, `totals:` says {want:,}: the file is damaged"
                )
                break
    return found


def _summary_holds(run: Run, number: int) -> bool:
    """Cachegrind and others end with `summary:` and write no `totals:`; valgrind's callgrind always writes both."""
    part = run.parts[number]
    if part.summary is None or part.details.get("creator", "").startswith("callgrind"):
        return False
    return [*part.summary, *[0] * (len(run.events) - len(part.summary))] == run.sums[number]


def _warnings(run: Run, yappi: bool, left_out: list[str]) -> list[str]:
    found = []
    if yappi:
        found.append("yappi states no totals: a file that was cut cannot be told from a whole one")
    elif not any(any(sums) for sums in run.sums) and all(part.totals is not None for part in run.parts):
        found.append(
            "nothing was counted into this file (totals 0): after a dump (`callgrind_control -d`) the counts are in "
            "the file of the same name with `.1`, with --separate-threads=yes in `-01` and so on; else instrumentation "
            "was never switched on"
        )
    found += [f"{name}: empty file, left out" for name in run.empty]
    found += [f"event {name} is left out: its formula names an event that is not counted here" for name in left_out]
    unknown = sorted({key for part in run.parts for key in part.unknown})
    if unknown:
        found.append(f"unknown header lines were skipped: {', '.join(unknown[:5])}")
    bad = sum(t.undecodable for t in (run.tables.functions, run.tables.files, run.tables.objects))
    if bad:
        found.append(f"{bad:,} names hold bytes that are not UTF-8; shown as \\xNN")
    return found
