"""Conclusions: sentences computed by rules from the report's tables, each with the rows it rests on."""

from __future__ import annotations

from typing import Any

from profpipe.analyse.conclusions.facts import Facts, conclusion
from profpipe.analyse.conclusions.interface import Rule
from profpipe.analyse.conclusions.registry import RULES
from profpipe.errors import ReportError
from profpipe.model.report import Conclusion, Report
from profpipe.plugins import Registry


def conclude(report: Report, rules: Registry[Rule] = RULES) -> tuple[Conclusion, ...]:
    """All conclusions of a report, heaviest first. Needs nothing but the report, so report.json can be checked.

    No rule speaks of a figure that is unknown: invalid and partial runs are no sample, and a comparison that rests
    on too few of the rest says "cannot tell", which no cause is built on.
    """
    facts = Facts(report)
    if not any(v.role == "baseline" for v in facts.variants):
        return ()
    found = [drawn for name in rules.builtin for drawn in rules.get(name)(facts)]
    for name, rule in rules.plugins():
        found += _of_plugin(facts, name, rule, rules.package(name) or "")
    return tuple(sorted(found, key=lambda c: (-c.weight, c.id)))


def _of_plugin(facts: Facts, name: str, rule: Rule, package: str) -> list[Conclusion]:
    """What a rule of another package concludes. A rule that fails is named: the measurement itself is not lost."""
    try:
        return list(rule(facts))
    except Exception as error:  # noqa: BLE001 - what another package raises is not known
        words = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        text = f"The rule {name} of {package} failed ({words}): what it would conclude is missing."
        return [conclusion("rule-failed", name, text, kind="caution", weight=0.0, rows=[])]


def resolve(document: Any, path: str) -> Any:
    """The value at a dotted path of report.json. Keys may hold dots themselves: the longest that fits is taken.

    Raises ReportError if the path leads nowhere.
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
