"""Queries of the history: its metrics and functions, and the points of their series."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from profpipe.errors import StoreError
from profpipe.model.history import FunctionChoice, Point, Quantity, SeriesKey
from profpipe.model.metric_keys import OLD_KEYS
from profpipe.model.report import FunctionName
from profpipe.store.history.folder import Listing, chosen, list_history
from profpipe.store.history.parquet import ROWS, database, in_utf8, names_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CHOICES = 200
_WHO = "study, target, machine, metric"
_WHAT = "metric_label, unit, better, exact"
_BUILT = '"commit", subject, commit_time, dirty, created'
# Rows that were written before throughput and latency had keys like every other figure join the series of today.
_NOW = " ".join(f"WHEN '{old}' THEN '{new}'" for old, new in OLD_KEYS.items())
_ALL_ROWS = f"SELECT * REPLACE (CASE metric {_NOW} ELSE metric END AS metric) FROM {ROWS}"


@dataclass(frozen=True, slots=True)
class Sample:
    """A point with its series and the quantity of that series."""

    key: SeriesKey
    label: str
    machine_text: str
    quantity: Quantity
    point: Point


@dataclass(frozen=True, slots=True)
class FunctionCost:
    """What one function costs by itself in one report, per request."""

    entry: str
    metric: str
    unit: str
    exact: bool
    id: str
    function: FunctionName
    value: float


@dataclass(frozen=True, slots=True)
class Narrow:
    """What to select; None = all. `variant` is a target's id, `machine` starts its key or is in its description."""

    study: str | None = None
    variant: str | None = None
    machine: str | None = None
    metric: str | None = None


class History:
    """An open history folder. The figures of the A/A control are left out."""

    def __init__(self, opened: DuckDBPyConnection, listing: Listing) -> None:
        self._opened = opened
        self._files = names_of(listing.paths)
        self.damaged = listing.damaged
        found = self._rows("DISTINCT id, filename", "kind = 'metric'")
        self._best = {entry: str(path) for entry, path in chosen(listing.files, found).items()}

    @property
    def entries(self) -> int:
        return len(self._best)

    def metrics(self) -> dict[str, str]:
        """Key -> label of every metric that was ever recorded."""
        return dict(self._rows("metric, max(metric_label)", "kind = 'metric' GROUP BY metric ORDER BY metric"))

    def functions(self, text: str) -> list[FunctionChoice]:
        """The functions with that id, else those with the text in their names, ignoring case; at most CHOICES."""
        columns = '"function", max(name), max(file), max("object"), max(category)'
        rest = f'GROUP BY "function" ORDER BY max(name), "function" LIMIT {CHOICES}'
        rows = self._rows(columns, f"kind = 'function' AND \"function\" = $text {rest}", text=text)
        if not rows:
            held = "kind = 'function' AND contains(lower(name), lower($text))"
            rows = self._rows(columns, f"{held} {rest}", text=text)
        return [FunctionChoice(id_, FunctionName(name=name, file=file, object=obj), category or "") for
                id_, name, file, obj, category in rows]  # fmt: skip

    def figures(self, narrow: Narrow) -> list[Sample]:
        """A sample per report, variant and metric."""
        return [sample for sample, _ in self._samples(narrow, "kind = 'metric'")]

    def function(self, choice: FunctionChoice, narrow: Narrow) -> list[Sample]:
        """One sample per report with functions of this metric; its value is unknown when this function is not listed.

        Variants that never had the function have no series.
        """
        own = self._samples(narrow, "kind = 'function' AND \"function\" = $id", id=choice.id)
        known = {(sample.key, sample.point.entry, variant): sample for sample, variant in own}
        metrics = {sample.key.metric for sample, _ in own}
        series = {sample.key for sample, _ in own}
        found = []
        for metric in sorted(metrics):
            for whole, variant in self._samples(_with(narrow, metric), "kind = 'metric'"):
                key = _of(whole.key, choice.id)
                sample = known.get((key, whole.point.entry, variant))
                if sample is None and key in series:
                    quantity = next(s.quantity for s, _ in own if s.key == key)
                    sample = Sample(key, whole.label, whole.machine_text, quantity, _not_listed(whole.point))
                if sample is not None:
                    found.append(sample)
        return found

    def costs(self, key: SeriesKey, entries: Sequence[str]) -> list[FunctionCost]:
        """What every function of a series' variant costs in some of its reports, by each instrument that knows it."""
        columns = 'id, filename, metric, unit, exact, "function", name, file, "object", value'
        where = "kind = 'function' AND role <> 'control' AND study = $study AND target = $target AND machine = $machine"
        of = {"study": key.study, "target": key.variant, "machine": key.machine, "ids": list(entries)}
        rows = self._rows(columns, f"{where} AND list_contains($ids::VARCHAR[], id)", **of)
        return [
            FunctionCost(
                entry, metric, unit, exact, id_, FunctionName(name=name, file=file or "", object=obj or ""), value
            )
            for entry, path, metric, unit, exact, id_, name, file, obj, value in rows
            if self._best[entry] == path
        ]

    def _samples(self, narrow: Narrow, where: str, **values: str) -> list[tuple[Sample, str]]:
        picked, asked = _narrowed(narrow)
        columns = (
            f'id, filename, variant, {_WHO}, "function", label, machine_text, {_WHAT}, name, file, "object", category, '
            f"{_BUILT}, value, low, high, rounds, why, report, gate"
        )
        rows = self._rows(columns, f"{where} AND role <> 'control'{picked}", **values, **asked)
        return [(_sample(row), row[2]) for row in rows if self._best[row[0]] == row[1]]

    def _rows(self, columns: str, rest: str, **values: Any) -> list[tuple[Any, ...]]:
        import duckdb

        if not self._files:
            return []
        query = f"SELECT {columns} FROM ({_ALL_ROWS}) WHERE {rest}"
        try:
            return self._opened.execute(query, {"files": self._files, **values}).fetchall()
        except duckdb.Error as error:
            first = str(error).partition("\n")[0]
            raise StoreError(
                f"the history cannot be read: {first}; was a file of it written by another version of profpipe?"
            ) from error


@contextmanager
def open_history(folder: Path) -> Iterator[History]:
    """The history in `folder`, empty when there is none. Raises StoreError."""
    with database() as opened, in_utf8(folder) as place:
        yield History(opened, list_history(place))


def _narrowed(narrow: Narrow) -> tuple[str, dict[str, str]]:
    rules = {
        "study": "study = $study",
        "variant": "target = $variant",
        "machine": "(starts_with(machine, $machine) OR contains(lower(machine_text), lower($machine)))",
        "metric": "metric = $metric",
    }
    asked = {name: value for name in rules if (value := getattr(narrow, name)) is not None}
    return "".join(f" AND {rules[name]}" for name in asked), asked


def _with(narrow: Narrow, metric: str) -> Narrow:
    return Narrow(narrow.study, narrow.variant, narrow.machine, metric)


def _of(key: SeriesKey, function: str) -> SeriesKey:
    return SeriesKey(key.study, key.variant, key.machine, key.metric, function)


def _not_listed(whole: Point) -> Point:
    why = "not listed in this report: too small to be listed, or absent"
    return Point(
        whole.entry, whole.commit, whole.subject, whole.commit_time, whole.dirty, whole.created, None,
        why=whole.why or why, report=whole.report, gate=whole.gate,
    )  # fmt: skip


def _sample(row: Sequence[Any]) -> Sample:
    (entry, _, _, study, target, machine, metric, function, label, machine_text, *rest) = row
    (named, unit, better, exact, name, file, obj, category, *point) = rest
    commit, subject, commit_time, dirty, created, value, low, high, rounds, why, report, gate = point
    of = None if function is None else FunctionName(name=name, file=file or "", object=obj or "")
    return Sample(
        SeriesKey(study, target, machine, metric, function),
        label,
        machine_text,
        Quantity(named, unit, better, exact, of, category or ""),
        Point(entry, commit, subject or "", commit_time, dirty, created, value, low, high, rounds, why, report, gate),
    )
