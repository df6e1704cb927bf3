"""The input and the result of a rule of the table, and the look-ups that several rules share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from profpipe.analyse.conclusions.facts import Facts
from profpipe.analyse.names.globs import glob_index
from profpipe.model.report import FunctionRow, Report, RunRow
from profpipe.model.run import LoadResult

Verdict = Literal["kept", "differs", "corrected", "not measured"]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Given:
    """What a rule needs besides the report: the post's wrk tables, read, and the report of the study of its P.S."""

    loads: Mapping[str, LoadResult]
    other: Report | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    verdict: Verdict
    ours: str
    value: float | None = None
    why: str = ""


Rule = Callable[[Row, Facts, Given], Answer]


def unknown(why: str) -> Answer:
    return Answer("not measured", "", None, why)


def no_count(facts: Facts, variants: Sequence[str]) -> Answer | None:
    """The reason why these variants have no counted figures, or None when all have."""
    key = facts.counted()
    if key is None:
        limit = next((x.text for x in facts.report.limits if x.profiler == "callgrind"), "no counted instrument ran")
        return unknown(limit)
    for variant in variants:
        if all(v.id != variant for v in facts.variants):
            return unknown(f"{variant} is not in this study")
        if facts.figure(variant, key) is None:
            return unknown(f"{facts.label(variant)} has no valid run under {key.partition(':')[0]}")
    return None


def function_shares(facts: Facts, variant: str, globs: Sequence[str]) -> list[tuple[FunctionRow, float, float]]:
    """(row, share, self per request) of the functions that match, by what is counted; the most expensive first."""
    key, wanted = facts.counted() or "", glob_index([globs])
    table = facts.table(key)
    found = [
        (function, cell.share or 0.0, cell.self or 0.0)
        for row in (table[0].rows if table else ())
        for function in row.functions
        if wanted.matching(function.function.name) and (cell := function.cells.get(variant)) and cell.self
    ]
    return sorted(found, key=lambda item: -item[1])


def category_share(facts: Facts, variant: str, category: str, key: str | None = None) -> tuple[float, float]:
    """(share, self per request) of a category in what is counted; zeros where it does not occur."""
    row = facts.category_row(key or facts.counted() or "", category)
    cell = row[0].cells.get(variant) if row else None
    return (cell.share or 0.0, cell.self or 0.0) if cell else (0.0, 0.0)


def runs_under(facts: Facts, prefix: str = "") -> list[RunRow]:
    """The runs of the instruments whose name begins with `prefix`."""
    return [run for run in facts.report.runs if run.profiler.startswith(prefix)]
