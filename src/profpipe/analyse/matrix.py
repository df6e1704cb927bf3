"""Profiles of many runs -> one matrix per metric: functions x runs, per request, functions aligned across variants."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from profpipe.analyse.function_index import Index, Rows
from profpipe.analyse.names.source_paths import base_name
from profpipe.analyse.per_request import per_request, served
from profpipe.analyse.statistics.medians import Floats
from profpipe.analyse.statistics.series import series
from profpipe.analyse.study_data import RunData, StudyData
from profpipe.analyse.valid_runs import refusal
from profpipe.model.derive import edges, function_columns
from profpipe.model.profile import Profile
from profpipe.model.report import Series
from profpipe.units import CALLS, Metric

# What a hotspot table is made of, besides a profile's first metric.
EXTRA_TABLES = ("syscalls", "alloc_objects")
JAVA_PACKAGES = "Java packages"  # a fact of the runs of Java programs: the packages of its own classes
GO_MODULE = "Go module"  # a fact of the runs of Go programs: the path of the module that the program was built from
# (caller, callee) -> (calls, what the callee cost in them)
Links = dict[tuple[int, int], tuple[float, float]]
_ASGI = re.compile(r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")


class RunKey(NamedTuple):
    """A column of a matrix."""

    variant: str
    round: int
    control: bool


@dataclass(frozen=True, slots=True)
class Matrix:
    """One metric of one profiler: F functions x R valid runs, per request. NaN in total and calls = unknown.

    By variant and (caller, callee): `edges` holds calls where the profiler counts them, `below` what the callee and all
    that it calls cost in them.
    """

    profiler: str
    metric: Metric
    runs: tuple[RunKey, ...]
    own: Floats
    total: Floats
    calls: Floats
    lost: dict[RunKey, str]
    edges: dict[str, dict[tuple[int, int], float]]
    below: dict[str, dict[tuple[int, int], float]]

    @property
    def key(self) -> str:
        """That of the report's figure and table."""
        return f"{self.profiler}:{self.metric.key}"

    def columns(self, variant: str, *, control: bool = False) -> list[int]:
        return [i for i, run in enumerate(self.runs) if run.variant == variant and run.control == control]

    def rounds(self) -> list[int]:
        return sorted({run.round for run in (*self.runs, *self.lost)})

    def values(self, row: Floats, variant: str, *, control: bool = False) -> list[float | None]:
        """One entry per round of this profiler, None where the run is invalid or missing."""
        at = {self.runs[i].round: float(row[i]) for i in self.columns(variant, control=control)}
        return [at.get(number) for number in self.rounds()]


def total_series(matrix: Matrix, variant: str, *, control: bool = False) -> Series:
    """The variant's total per request over its rounds."""
    whole = matrix.own.sum(axis=0) if matrix.own.size else np.zeros(len(matrix.runs))
    why = next((w for k, w in matrix.lost.items() if k.variant == variant and k.control == control), None)
    values = matrix.values(whole, variant, control=control)
    return series(values, None if any(v is not None for v in values) else why)


def own_names(study: StudyData, variant: str) -> frozenset[str]:
    """Base names of the program and the scripts a variant's command starts, without the interpreter and options.

    Of a Go program also the path of its module; of a Java program its packages alone.
    """
    command = next((r.record.command for r in study.runs if r.record.variant == variant), ())
    names = [base_name(part) for part in command if not part.startswith("-")]
    if study.language_family(variant) == "python":
        modules = [f"{part.split(':')[0].rsplit('.', 1)[-1]}.py" for part in command if _ASGI.match(part)]
        return frozenset(n for n in (*names, *modules) if n.endswith(".py"))
    if study.language_family(variant) == "jvm":
        facts = (r.record.profiler_facts.get(JAVA_PACKAGES) for r in study.runs if r.record.variant == variant)
        return frozenset(package for fact in facts if fact for package in fact.split(", "))
    if study.language_family(variant) == "go":
        names += [
            m for r in study.runs if r.record.variant == variant and (m := r.record.profiler_facts.get(GO_MODULE))
        ]
    return frozenset(names)


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


def all_matrices(study: StudyData, index: Index) -> dict[str, tuple[Matrix, ...]]:
    """Profiler -> its matrices, in the study's order."""
    return {profiler: matrices(study, profiler, index) for profiler in study.profilers}


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


def timed_matrix(study: StudyData, profiler: str, index: Index) -> Matrix | None:
    """What a traced profiler's functions cost by its own clock; None without a valid run.

    Its times are diluted by what tracing costs, so that no table ranks by them.
    """
    runs = [r for r in study.runs if r.record.profiler == profiler]
    good = [r for r in runs if refusal(r, study.per) is None]
    clock = next((p.metrics[0] for r in good for p in r.profiles), None)
    if clock is None:
        return None
    own = {variant: own_names(study, variant) for variant in study.variants}
    columns = [_column(r, clock, index, study, own[r.record.variant]) for r in good]
    links = {
        v: _edges([r for r in good if r.record.variant == v and not r.record.control], clock, index, study, own[v])
        for v in study.variants
    }
    return _assemble(profiler, clock, good, columns, {}, links, len(index.functions))


def _run_key(run: RunData) -> RunKey:
    return RunKey(run.record.variant, run.record.round, run.record.control)


def _column(run: RunData, metric: Metric, index: Index, study: StudyData, own: frozenset[str]) -> _Column:
    parts: list[_Column] = []
    requests = served(study, [run])
    for profile in run.profiles:
        traced = metric is CALLS
        key = profile.metrics[0].key if traced else metric.key
        if not traced and all(m.key != key for m in profile.metrics):
            continue
        columns = function_columns(profile, key)
        unknown = np.full(len(columns.own), np.nan)
        calls = unknown if columns.calls is None else columns.calls.astype(np.float64)
        values = np.nan_to_num(calls) if traced else columns.own.astype(np.float64)
        total = unknown.copy() if traced else np.where(columns.known, columns.total.astype(np.float64), np.nan)
        rows = index.rows(profile, study.language_family(run.record.variant), own)
        # Two functions that fell on one row (clones, processor variants) may call each other: no sum is their total.
        shared = np.bincount(rows[values > 0], minlength=len(index.functions))[rows] > 1
        total[shared & (total > values)] = np.nan
        parts.append(_Column(rows, *(per_request(part, requests) for part in (values, total, calls))))
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
    links: dict[str, Links],
    size: int,
) -> Matrix:
    shape = (size, len(runs))
    own, total, calls = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for i, column in enumerate(columns):
        np.add.at(own[:, i], column.rows, column.own)
        np.add.at(calls[:, i], column.rows, column.calls)
        np.add.at(total[:, i], column.rows, column.total)
    calls_of = {variant: {pair: calls for pair, (calls, _) in found.items()} for variant, found in links.items()}
    return Matrix(
        profiler=profiler,
        metric=metric,
        runs=tuple(_run_key(r) for r in runs),
        own=own,
        total=total,
        calls=calls,
        lost=lost,
        edges={variant: {p: c for p, c in found.items() if c == c} for variant, found in calls_of.items()},
        below={variant: {pair: cost for pair, (_, cost) in found.items()} for variant, found in links.items()},
    )


def _edges(runs: Sequence[RunData], metric: Metric, index: Index, study: StudyData, own: frozenset[str]) -> Links:
    """Calls and cost per request between rows, pooled over a variant's valid runs. Calls are NaN where not counted."""
    found: Links = {}
    requests = served(study, runs)
    for run in runs:
        for profile in run.profiles:
            key = profile.metrics[0].key if metric is CALLS else metric.key
            if (profile.calls is None and profile.stacks is None) or all(m.key != key for m in profile.metrics):
                continue
            rows = index.rows(profile, study.language_family(run.record.variant), own)
            of = edges(profile, key)
            callers, callees = rows[of.caller].tolist(), rows[of.callee].tolist()
            counted = np.full(len(of.value), np.nan) if of.calls is None else of.calls.astype(np.float64)
            calls = per_request(counted, requests).tolist()
            costs = per_request(of.value.astype(np.float64), requests).tolist()
            for caller, callee, many, cost in zip(callers, callees, calls, costs, strict=True):
                before = found.get((caller, callee), (0.0, 0.0))
                found[caller, callee] = (before[0] + many, before[1] + cost)
    return found
