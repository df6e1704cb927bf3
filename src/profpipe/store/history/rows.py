"""A finished report as rows of the history: one per variant x metric and one per variant x metric x function."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from profpipe.model.machine import machine_key, machine_text
from profpipe.model.report import Comparison, Gate, HotspotTable, MetricInfo, Report, Series, Variant

# Column -> type. A change of this table needs a new SCHEMA, and an entry of OLDER where old files stay readable.
SCHEMA = "profpipe.history/2"
COLUMNS: Mapping[str, str] = {
    "kind": "VARCHAR",  # metric or function
    "id": "VARCHAR",  # of the report
    "study": "VARCHAR",
    "created": "VARCHAR",
    "machine": "VARCHAR",
    "machine_text": "VARCHAR",
    "profpipe": "VARCHAR",
    "report": "VARCHAR",  # path of report.json, relative to the reports folder
    "variant": "VARCHAR",  # its id in that report
    "target": "VARCHAR",  # the same over time: for a variant that is a commit, the target that was built
    "label": "VARCHAR",
    "role": "VARCHAR",
    "commit": "VARCHAR",
    "subject": "VARCHAR",
    "commit_time": "VARCHAR",
    "dirty": "BOOLEAN",
    "metric": "VARCHAR",
    "metric_label": "VARCHAR",
    "unit": "VARCHAR",
    "better": "VARCHAR",
    "exact": "BOOLEAN",
    "value": "DOUBLE",  # median over rounds, per request where the metric is; of a function its self cost
    "low": "DOUBLE",
    "high": "DOUBLE",
    "rounds": "INTEGER",  # how many are valid, or how many starts are kept
    "values": "DOUBLE[]",  # one per round, NULL = the run is invalid
    "why": "VARCHAR",  # why the value is unknown
    "verdict": "VARCHAR",  # against the baseline of the same report
    "ratio": "DOUBLE",
    "calls": "DOUBLE",
    "share": "DOUBLE",
    "function": "VARCHAR",  # stable id
    "name": "VARCHAR",
    "file": "VARCHAR",
    "object": "VARCHAR",
    "category": "VARCHAR",
    "gate": "VARCHAR",  # of a contender: passed, failed, accepted (it passed with an accepted regression)
}
# Schema -> the columns that it does not have; they are NULL.
OLDER: Mapping[str, frozenset[str]] = {SCHEMA: frozenset(), "profpipe.history/1": frozenset({"gate"})}
ID_LENGTH = 16
Row = tuple[Any, ...]
# environment["commit"] of a run, as commits/state.py writes it.
_COMMIT = re.compile(r"([0-9a-f]{7,64})( with uncommitted changes)?")


@dataclass(frozen=True, slots=True)
class _Built:
    """The commit of a variant, as far as the report has it."""

    commit: str | None
    subject: str
    time: str | None
    dirty: bool


def report_id(report: Report) -> str:
    """An id that stays the same when a report is made again from the same captures.

    Two CI jobs that begin in the same second have the same study, time and machine, but not the same duration of the
    first run.
    """
    first = min(report.runs, key=lambda run: run.order, default=None)
    run = None if first is None else (first.variant, first.profiler, first.seconds, first.rate)
    text = json.dumps([report.study.id, report.created, machine_text(report.environment), run])
    return hashlib.sha256(text.encode()).hexdigest()[:ID_LENGTH]


def report_rows(report: Report, path: str | None = None, targets: Mapping[str, str] | None = None) -> list[Row]:
    """Every row of a report in the order of COLUMNS.

    `path` = its report.json below the reports folder; `targets` = variant -> target where the two differ, as they do
    when the variants are commits of one target.
    """
    return list(_rows(report, path, targets or {}))


def _rows(report: Report, path: str | None, targets: Mapping[str, str]) -> Iterator[Row]:
    machine = machine_text(report.environment)
    whole = {
        "id": report_id(report),
        "study": report.study.id,
        "created": report.created,
        "machine": machine_key(machine),
        "machine_text": machine,
        "profpipe": report.profpipe,
        "report": path,
    }
    known = {metric.key: metric for metric in report.metrics}
    for variant in report.variants:
        target = targets.get(variant.id, variant.id)
        of = whole | _variant(variant, target, _built(variant, report.environment))
        of |= {"gate": _gate(report.gate) if variant.role == "contender" else None}
        for metric, series, against in _figures(variant, known):
            yield _row(of | _metric(metric) | _figure(series, against))
        for table in report.hotspots:
            metric = known.get(table.metric) or _unknown(table.metric)
            for row in _functions(table, variant.id):
                yield _row(of | _metric(metric) | row)


def _gate(found: Gate | None) -> str | None:
    if found is None:
        return None
    return "failed" if found.failed else "accepted" if found.accepted else "passed"


def _row(values: Mapping[str, Any]) -> Row:
    return tuple(values.get(name) for name in COLUMNS)


def _built(variant: Variant, environment: Mapping[str, str]) -> _Built:
    if variant.commit is not None:
        of = variant.commit
        return _Built(of.commit, of.subject, of.time or None, of.dirty)
    found = _COMMIT.fullmatch(environment.get("commit", ""))
    return _Built(found[1], "", None, bool(found[2])) if found else _Built(None, "", None, False)


def _variant(variant: Variant, target: str, built: _Built) -> dict[str, Any]:
    return {
        "variant": variant.id,
        "target": target,
        "label": variant.label if target == variant.id else target,
        "role": variant.role,
        "commit": built.commit,
        "subject": built.subject,
        "commit_time": built.time,
        "dirty": built.dirty,
    }


def _figures(
    variant: Variant, known: Mapping[str, MetricInfo]
) -> Iterator[tuple[MetricInfo, Series, Comparison | None]]:
    """Every series of a variant, with its metric and its comparison."""
    against = variant.against_baseline
    for key, series in variant.figures.items():
        yield known.get(key) or _unknown(key), series, against.get(key)


def _unknown(key: str) -> MetricInfo:
    return MetricInfo(key=key, label=key, unit="1", instrument="clean", profiler=key.partition(":")[0])


def _metric(metric: MetricInfo) -> dict[str, Any]:
    return {
        "metric": metric.key,
        "metric_label": metric.label,
        "unit": metric.unit,
        "better": metric.better,
        "exact": metric.exact,
    }


def _figure(series: Series, against: Comparison | None) -> dict[str, Any]:
    return {
        "kind": "metric",
        "value": series.median,
        "low": series.low,
        "high": series.high,
        "rounds": sum(value is not None for value in series.values),
        "values": list(series.values),
        "why": None if series.median is not None else series.why or "not measured",
        "verdict": against.verdict if against else None,
        "ratio": against.ratio if against else None,
    }


def _functions(table: HotspotTable, variant: str) -> Iterator[dict[str, Any]]:
    """Functions with a known self cost. One that the report does not list has no row: its cost is unknown, not zero."""
    for category in table.rows:
        for row in category.functions:
            cell = row.cells.get(variant)
            if cell is None or cell.self is None:
                continue
            yield {
                "kind": "function",
                "value": cell.self,
                "low": cell.low,
                "high": cell.high,
                "verdict": cell.verdict,
                "ratio": cell.ratio,
                "calls": cell.calls,
                "share": cell.share,
                "function": row.id,
                "name": row.function.name,
                "file": row.function.file,
                "object": row.function.object,
                "category": category.category,
            }
