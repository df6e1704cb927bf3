"""`--fail-on regression`: what it asks for, and what of that a report contains. An undecided figure fails nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from profpipe.errors import UsageError
from profpipe.model.metric_keys import OF_LOAD
from profpipe.model.report import Comparison, Gate, Report, Variant
from profpipe.units import percent

FORM = "regression[:METRIC or CATEGORY][:PERCENT%], for example regression:5% or regression:instructions:1%"


@dataclass(frozen=True, slots=True)
class GateRule:
    """One --fail-on. `where` = a metric, its last part, or a category; None = any headline metric.

    `limit` is relative: 0.05 lets a regression of less than 5 % pass.
    """

    text: str
    where: str | None
    limit: float


def gate_rule(text: str) -> GateRule:
    """Read one --fail-on. Raises UsageError that lists what is allowed."""
    kind, _, rest = text.partition(":")
    if kind != "regression":
        raise UsageError(f"--fail-on {text}: expected {FORM}")
    found = re.fullmatch(r"(?:(?P<where>.*?[^:]))??(?:(?:^|:)(?P<limit>\d+(?:\.\d+)?)\s*%)?", rest)
    if found is None or (rest.endswith("%") and found["limit"] is None):
        raise UsageError(f"--fail-on {text}: expected {FORM}")
    return GateRule(text, found["where"] or None, float(found["limit"] or 0) / 100)


def gate(report: Report, rules: Sequence[GateRule]) -> Gate:
    """What the rules find in a report. Raises UsageError for a metric or category that no figure of it has."""
    known = {name for variant in report.variants for key in variant.against_baseline for name in _names(key)}
    known |= {c.key for c in report.categories}
    for rule in rules:
        if rule.where is not None and rule.where not in known:
            raise UsageError(
                f"--fail-on {rule.text}: this report has no {rule.where}; it has: {', '.join(sorted(known))}"
            )
    hits = dict.fromkeys(hit for rule in rules for hit in _hits(report, rule))
    return Gate(asked=tuple(r.text for r in rules), failed=bool(hits), hits=tuple(hits))


def _names(key: str) -> tuple[str, str]:
    """A metric is named by its key, `callgrind:instructions`, or by the last part of it."""
    return key, key.rpartition(":")[2]


def _hits(report: Report, rule: GateRule) -> Iterator[str]:
    labels = {m.key: m.label for m in report.metrics} | {c.key: c.label for c in report.categories}
    for variant in report.variants:
        if variant.role != "contender":
            continue
        for key, comparison in variant.against_baseline.items():
            if rule.where is None or rule.where in _names(key):
                yield from _hit(variant, labels.get(key, key), comparison.verdict, comparison.ratio, rule)
        for table in report.hotspots:
            for row in table.rows:
                cell = row.cells.get(variant.id)
                if rule.where == row.category and cell is not None:
                    name = f"{labels.get(row.category, row.category)} ({table.metric})"
                    yield from _hit(variant, name, cell.verdict, cell.ratio, rule)


def _hit(variant: Variant, name: str, verdict: str | None, ratio: float | None, rule: GateRule) -> Iterator[str]:
    if verdict != "worse" or (ratio is not None and abs(ratio - 1) < rule.limit):
        return
    size = f" by {percent(abs(ratio - 1))}" if ratio is not None else ""
    yield f"{variant.label}: {name} is worse{size}"


def cannot_tell(report: Report, rules: Sequence[GateRule]) -> tuple[str, ...]:
    """Figures that a gate asks for and that these runs could not decide, in words: the gate lets them pass."""
    out: dict[str, None] = {}
    for variant in report.variants:
        for key, comparison in variant.against_baseline.items():
            asked = any(r.where is None or r.where in _names(key) for r in rules)
            if asked and comparison.verdict == "cannot tell" and key not in OF_LOAD:
                out[f"{variant.label}: {_names(key)[1]} is undecided: {_why(comparison)}"] = None
    return tuple(out)


def _why(comparison: Comparison) -> str:
    return comparison.why or "no reason was given"
