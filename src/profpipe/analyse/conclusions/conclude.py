"""Conclusions: sentences computed by rules from the report's tables, each with the rows it rests on."""

from __future__ import annotations

from typing import Any

from profpipe.analyse.conclusions.facts import Facts, Rule
from profpipe.analyse.conclusions.rules import cautions, commits, cost, gap, hypotheses, layers, not_cause, syscalls
from profpipe.errors import ReportError
from profpipe.model.report import Conclusion, Report

RULES: tuple[Rule, ...] = (
    cost.ranking,
    cost.cost,
    cost.beside_load,
    hypotheses.hypotheses,
    gap.gap,
    commits.commits,
    layers.reason,
    layers.layers,
    syscalls.syscalls,
    not_cause.user_switches,
    not_cause.kernel_switches,
    not_cause.kernel_part,
    cautions.control,
    cautions.disagree,
    cautions.cut_short,
    cautions.lost,
    cautions.blind_to_kernel,
    cautions.stackful,
    cautions.foreign,
    cautions.load_bound,
    cautions.uncategorised,
)


def conclude(report: Report) -> tuple[Conclusion, ...]:
    """All conclusions of a report, heaviest first. Needs nothing but the report, so report.json can be checked.

    No rule speaks of a figure that is unknown: invalid and partial runs are no sample, and a comparison that rests
    on too few of the rest says "cannot tell", which no cause is built on.
    """
    facts = Facts(report)
    if not any(v.role == "baseline" for v in facts.variants):
        return ()
    found = [conclusion for rule in RULES for conclusion in rule(facts)]
    return tuple(sorted(found, key=lambda c: (-c.weight, c.id)))


def resolve(document: Any, path: str) -> Any:
    """The value at a dotted path of report.json. Keys may hold dots themselves: the longest that fits is taken.

    Raises ReportError when nothing stands there.
    """
    at, rest = document, path.split(".")
    while rest:
        if isinstance(at, list):
            if not rest[0].isdigit() or int(rest[0]) >= len(at):
                raise ReportError(f"report.json has nothing at {path}: no row {rest[0]}")
            at, rest = at[int(rest[0])], rest[1:]
            continue
        if not isinstance(at, dict):
            raise ReportError(f"report.json has nothing at {path}: {rest[0]} is asked of a plain value")
        for size in range(len(rest), 0, -1):
            key = ".".join(rest[:size])
            if key in at:
                at, rest = at[key], rest[size:]
                break
        else:
            raise ReportError(f"report.json has nothing at {path}: no key {rest[0]}")
    return at
