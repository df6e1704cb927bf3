"""Profiles of many runs -> one matrix per metric: functions x runs, per request, functions aligned across variants."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from profpipe.analyse.names.categories import Categories
from profpipe.analyse.names.demangle import function_id, normal_name, normalise
from profpipe.analyse.names.source_paths import base_name, installed, python_place, short_file
from profpipe.analyse.statistics.medians import Floats
from profpipe.analyse.study_data import RunData, StudyData
from profpipe.model.derive import edges, function_table
from profpipe.model.profile import PYTHON, RUNTIMES, Profile
from profpipe.model.report import FunctionName
from profpipe.units import CALLS, Metric

Rows = NDArray[np.intp]
# What a hotspot table is made of, besides a profile's first metric.
EXTRA_TABLES = ("syscalls",)
_ASGI = re.compile(r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")


class Key(NamedTuple):
    """What makes two functions the same one. `object` is empty for the program itself, so that two builds align."""

    family: str
    object: str
    file: str
    name: str


@dataclass(slots=True)
class Known:
    """One function of the study: its row, its name as shown and the raw names that fell on it.

    `library` is whether its source is installed, not the program's own: it is the same at every commit.
    """

    key: Key
    row: int
    category: str
    object: str
    runtime: str
    library: bool = False
    raw: dict[str, None] = field(default_factory=dict)

    @property
    def name(self) -> FunctionName:
        raw = tuple(r for r in self.raw if r != self.key.name)[:4]
        return FunctionName(name=self.key.name, file=self.key.file, object=self.object, runtime=self.runtime, raw=raw)

    @property
    def id(self) -> str:
        return function_id(*self.key)


class Index:
    """Functions of all profiles of a report, each with one row. Order of first sight."""

    def __init__(self, categories: Categories) -> None:
        self.categories = categories
        self.functions: list[Known] = []
        self._by_key: dict[Key, Known] = {}
        self._by_raw: dict[tuple[str, str, str, int, str, frozenset[str]], int] = {}

    def rows(self, profile: Profile, family: str, own: frozenset[str]) -> Rows:
        """The row of each function id of `profile`."""
        f = profile.functions
        inside = bool((f.runtime == PYTHON).any())
        found = [
            self._row(name, *python_place(file, object_, runtime, inside), runtime, family, own)
            for name, file, object_, runtime in zip(f.name, f.file, f.object, f.runtime.tolist(), strict=True)
        ]
        return np.array(found, dtype=np.intp)

    def _row(
        self, raw: str, file: str, object_: str, level: str, runtime: int, family: str, own: frozenset[str]
    ) -> int:
        seen = (raw, file, object_, runtime, family, own)
        row = self._by_raw.get(seen)
        if row is None:
            row = self._by_raw[seen] = self._add(raw, file, object_, level or RUNTIMES[runtime], runtime, family, own)
        return row

    def _add(
        self, raw: str, file: str, object_: str, level: str, runtime: int, family: str, own: frozenset[str]
    ) -> int:
        name = normal_name(raw, object_, "python" if level == "python" else "")
        folded = level != "python" and normalise(raw).folded
        program = base_name(object_) in own
        # A libc function's file differs with the variant the processor got: memmove-vec-unaligned-erms.S is memcpy.
        key = Key(family, "" if program else base_name(object_), "" if folded else short_file(file), name)
        known = self._by_key.get(key)
        if known is None:
            category = self.categories.of(name, object_, file, level, own)
            own_object, level_name = base_name(object_), RUNTIMES[runtime]
            known = Known(key, len(self.functions), category, own_object, level_name, installed(file))
            self._by_key[key] = known
            self.functions.append(known)
        known.raw.setdefault(raw)
        return known.row


class RunKey(NamedTuple):
    """A column of a matrix."""

    variant: str
    round: int
    control: bool


@dataclass(frozen=True, slots=True)
class Matrix:
    """One metric of one profiler: F functions x R valid runs, per request. NaN in total and calls = unknown."""

    profiler: str
    metric: Metric
    runs: tuple[RunKey, ...]
    own: Floats
    total: Floats
    calls: Floats
    lost: dict[RunKey, str]
    edges: dict[str, dict[tuple[int, int], float]]

    def columns(self, variant: str, *, control: bool = False) -> list[int]:
        return [i for i, run in enumerate(self.runs) if run.variant == variant and run.control == control]

    def rounds(self) -> list[int]:
        return sorted({run.round for run in (*self.runs, *self.lost)})

    def values(self, row: Floats, variant: str, *, control: bool = False) -> list[float | None]:
        """One entry per round of this profiler, None where the run is invalid or missing."""
        at = {self.runs[i].round: float(row[i]) for i in self.columns(variant, control=control)}
        return [at.get(number) for number in self.rounds()]


def own_names(study: StudyData, variant: str) -> frozenset[str]:
    """Base names of the program and the scripts a variant's command starts, without the interpreter and options."""
    command = next((r.record.command for r in study.runs if r.record.variant == variant), ())
    names = [base_name(part) for part in command if not part.startswith("-")]
    if study.family(variant) == "python":
        modules = [f"{part.split(':')[0].rsplit('.', 1)[-1]}.py" for part in command if _ASGI.match(part)]
        return frozenset(n for n in (*names, *modules) if n.endswith(".py"))
    return frozenset(names)


def refusal(run: RunData, per: str = "request") -> str | None:
    """Why this run's profile is no sample: invalid, empty, cut short, no count of requests. None = it is one."""
    record = run.record
    if record.reason is not None:
        return record.reason
    if not run.profiles:
        return "no profile was read from this run"
    partial = next((p.meta.partial for p in run.profiles if p.meta.partial), None)
    if partial:
        return f"the capture is partial: {partial}"
    if per == "request" and not record.requests:
        return "no trustworthy count of served requests"
    if all(p.self_sum(m.key) == 0 for p in run.profiles for m in p.metrics[:1]) and not _counts_calls(run.profiles):
        return "the profile is empty: its total is 0"
    return None


def _counts_calls(profiles: Iterable[Profile]) -> bool:
    return any(p.measured is not None and p.measured.calls.any() for p in profiles)


def table_metrics(profiles: Sequence[Profile], kind: str) -> tuple[Metric, ...]:
    """The metrics that get a hotspot table: traced data are compared by calls, never by time."""
    if not profiles:
        return ()
    if kind == "traced":
        return (CALLS,)
    metrics = profiles[0].metrics
    return (metrics[0], *(m for m in metrics[1:] if m.key in EXTRA_TABLES))


@dataclass(frozen=True, slots=True)
class _Column:
    """One run, summed over its profiles (processes). `rows` are rows of the index, values per request."""

    rows: Rows
    own: Floats
    total: Floats
    calls: Floats


def matrices(study: StudyData, profiler: str, index: Index) -> tuple[Matrix, ...]:
    """All tables of one profiler, over every variant and round, the control's runs included."""
    runs = [r for r in study.runs if r.record.profiler == profiler]
    reasons = {_run_key(r): refusal(r, study.per) for r in runs}
    good = [r for r in runs if reasons[_run_key(r)] is None]
    lost = {key: why for key, why in reasons.items() if why is not None}
    own = {variant: own_names(study, variant) for variant in study.variants}
    metrics = table_metrics([p for r in good for p in r.profiles], study.instruments[profiler])
    out = []
    for metric in metrics:
        columns = [_column(r, metric, index, study, own[r.record.variant]) for r in good]
        links = {
            v: _edges([r for r in good if r.record.variant == v and not r.record.control], metric, index, study, own[v])
            for v in study.variants
        }
        out.append(_assemble(profiler, metric, good, columns, lost, links, len(index.functions)))
    return tuple(out)


def _run_key(run: RunData) -> RunKey:
    return RunKey(run.record.variant, run.record.round, run.record.control)


def requests_of(run: RunData, study: StudyData) -> float:
    """What costs are divided by; 1 where costs are per capture."""
    return float(run.record.requests or 1) if study.per == "request" else 1.0


def _column(run: RunData, metric: Metric, index: Index, study: StudyData, own: frozenset[str]) -> _Column:
    parts: list[_Column] = []
    requests = requests_of(run, study)
    for profile in run.profiles:
        traced = metric is CALLS
        key = profile.metrics[0].key if traced else metric.key
        if not traced and all(m.key != key for m in profile.metrics):
            continue
        table = function_table(profile, key)
        calls = table["calls"].to_numpy(dtype=np.float64, na_value=np.nan)
        values = np.nan_to_num(calls) if traced else table["self"].to_numpy(dtype=np.float64)
        total = np.full(len(values), np.nan) if traced else table["total"].to_numpy(dtype=np.float64, na_value=np.nan)
        rows = index.rows(profile, study.family(run.record.variant), own)
        parts.append(_Column(rows, values / requests, total / requests, calls / requests))
    if not parts:
        nothing = np.zeros(0)
        return _Column(np.zeros(0, dtype=np.intp), nothing, nothing, nothing)
    return _Column(*(np.concatenate([getattr(p, name) for p in parts]) for name in ("rows", "own", "total", "calls")))


def _assemble(
    profiler: str,
    metric: Metric,
    runs: Sequence[RunData],
    columns: Sequence[_Column],
    lost: dict[RunKey, str],
    links: dict[str, dict[tuple[int, int], float]],
    size: int,
) -> Matrix:
    shape = (size, len(runs))
    own, total, calls = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for i, column in enumerate(columns):
        np.add.at(own[:, i], column.rows, column.own)
        np.add.at(calls[:, i], column.rows, column.calls)
        np.add.at(total[:, i], column.rows, column.total)
        # Two functions that fell on one row (clones, processor variants) may call each other: no sum is their total.
        merged = np.bincount(column.rows[column.own > 0], minlength=size) > 1
        total[merged & (total[:, i] > own[:, i]), i] = np.nan
    return Matrix(profiler, metric, tuple(_run_key(r) for r in runs), own, total, calls, lost, links)


def _edges(
    runs: Sequence[RunData], metric: Metric, index: Index, study: StudyData, own: frozenset[str]
) -> dict[tuple[int, int], float]:
    """Calls per request between rows, pooled over a variant's valid runs."""
    found: dict[tuple[int, int], float] = {}
    requests = sum(requests_of(r, study) for r in runs)
    for run in runs:
        for profile in run.profiles:
            if profile.calls is None:
                continue
            key = profile.metrics[0].key if metric is CALLS else metric.key
            rows = index.rows(profile, study.family(run.record.variant), own)
            table = edges(profile, key)
            callers = rows[table["caller"].to_numpy(dtype=np.intp)].tolist()
            callees = rows[table["callee"].to_numpy(dtype=np.intp)].tolist()
            for caller, callee, calls in zip(callers, callees, table["calls"].tolist(), strict=True):
                found[caller, callee] = found.get((caller, callee), 0.0) + calls / requests
    return found
