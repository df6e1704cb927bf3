"""Applies the rules of a gate to a report. An undecided figure does not fail the gate, and is listed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from profpipe.model.accepted import Accepted
from profpipe.model.metric_keys import BESIDE_LOAD, CPU, FIRST, MEMORY, OF_LOAD, P50, P99
from profpipe.model.metric_labels import labels_apart
from profpipe.model.report import Comparison, Gate, Report, Variant
from profpipe.pipeline.gate.rules import COST, GateRule, is_metric, metric_names
from profpipe.units import percent

# With the counted instructions, the figures of the preset `cost`.
COST_FIGURES = frozenset({CPU, BESIDE_LOAD, MEMORY, P50, P99})


@dataclass(frozen=True, slots=True)
class Regression:
    """A figure that a rule found to be worse. `key` = the metric, or the category; `size` is relative, None = unknown.

    `high` = the far end of the interval of `size`, where one is known.
    """

    variant: str
    key: str
    label: str
    size: float | None
    high: float | None = None

    @property
    def text(self) -> str:
        size = f" by {percent(self.size)}" if self.size is not None else ""
        return f"{self.variant}: {self.label} is worse{size}"


def gate(report: Report, rules: Sequence[GateRule], accepted: Sequence[Accepted] = ()) -> Gate:
    """The gate's result. A regression that an entry of `accepted` covers does not fail it; both are listed together."""
    hits: dict[str, None] = {}
    let_pass: dict[str, None] = {}
    for regression in regressions(report, rules):
        entry = next((each for each in accepted if covers(each, regression)), None)
        if entry is None:
            hits[regression.text] = None
        else:
            let_pass[f"{regression.text}; {_words(entry)}"] = None
    return Gate(
        asked=tuple(rule.text for rule in rules),
        failed=bool(hits),
        hits=tuple(hits),
        accepted=tuple(let_pass),
        undecided=undecided(report, rules),
    )


def regressions(report: Report, rules: Sequence[GateRule]) -> tuple[Regression, ...]:
    """Every regression that a rule finds, in the order of the rules, each once."""
    return tuple(dict.fromkeys(found for rule in rules for found in _of_rule(report, rule)))


def covers(entry: Accepted, regression: Regression) -> bool:
    """Whether a regression is of the metric that was accepted, and not larger."""
    return (
        entry.metric in metric_names(regression.key)
        and regression.size is not None
        and regression.size <= entry.at_most
    )


def _words(entry: Accepted) -> str:
    until = f", until {entry.until}" if entry.until else ""
    return f"accepted by {entry.author} (up to {percent(entry.at_most)}{until}): {entry.reason}"


def cost_figures(report: Report) -> frozenset[str]:
    """The keys of the preset `cost`: CPU time, instructions, memory and latency, not traced and sampled figures."""
    counted = {m.key for m in report.metrics if m.instrument == "counted" and metric_names(m.key)[1] == "instructions"}
    return COST_FIGURES | counted


def _asks(report: Report, rule: GateRule, key: str) -> bool:
    return key in cost_figures(report) if rule.where is None else rule.where in metric_names(key)


def _of_rule(report: Report, rule: GateRule) -> Iterator[Regression]:
    labels = labels_apart(report.metrics) | {c.key: c.label for c in report.categories}
    for variant in report.variants:
        if variant.role != "contender":
            continue
        for key, comparison in variant.against_baseline.items():
            if _asks(report, rule, key) and not (rule.where is None and _outweighed(variant, key)):
                yield from _worse(variant.label, key, labels.get(key, key), comparison, rule)
        for table in report.hotspots:
            for row in table.rows:
                cell = row.cells.get(variant.id)
                if rule.where == row.category and cell is not None and cell.verdict == "worse":
                    label = f"{labels.get(row.category, row.category)} ({table.metric})"
                    size = None if cell.ratio is None else abs(cell.ratio - 1)
                    if size is None or size >= rule.limit:
                        yield Regression(variant.label, row.category, label, size)


def _outweighed(variant: Variant, key: str) -> bool:
    """Whether CPU time improved: then its other figure and the instructions that explain it do not fail the gate.

    Memory and latency are costs of their own.
    """
    if key in COST_FIGURES - set(FIRST):
        return False
    against = variant.against_baseline
    return any(other in against and against[other].verdict == "better" for other in FIRST if other != key)


def _worse(variant: str, key: str, label: str, found: Comparison, rule: GateRule) -> Iterator[Regression]:
    if found.verdict != "worse" or (found.ratio is not None and abs(found.ratio - 1) < rule.limit):
        return
    size = None if found.ratio is None else abs(found.ratio - 1)
    ends = [abs(end - 1) for end in (found.low, found.high) if end is not None]
    yield Regression(variant, key, label, size, max(ends, default=None))


def undecided(report: Report, rules: Sequence[GateRule]) -> tuple[str, ...]:
    """The figures that the rules ask for and these runs did not decide, in words. They do not fail the gate."""
    return tuple(dict.fromkeys(text for rule in rules for text in _undecided(report, rule)))


def _undecided(report: Report, rule: GateRule) -> Iterator[str]:
    contenders = [variant for variant in report.variants if variant.role == "contender"]
    asked = [(v.label, k, c) for v in contenders for k, c in v.against_baseline.items() if _asks(report, rule, k)]
    for label, key, comparison in asked:
        if comparison.verdict == "cannot tell" and (key not in OF_LOAD or rule.where is not None):
            yield f"{label}: {metric_names(key)[1]} is undecided: {comparison.why or 'no reason was given'}"
    # A category that no function has is 0 at both commits; a metric without a figure was not measured.
    if not asked and (rule.where is None or is_metric(rule.where)):
        yield f"{rule.where or COST} was not measured in these runs"
