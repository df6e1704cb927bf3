"""What rules share: figures of a report with their paths in report.json, and the parts of a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from profpipe.analyse.statistics.same_calls import SAME_CALLS
from profpipe.model.report import (
    CategoryRow,
    Cell,
    Certainty,
    Comparison,
    Conclusion,
    Evidence,
    FunctionName,
    FunctionRow,
    HotspotTable,
    MetricInfo,
    Report,
    Variant,
    Waterfall,
)
from profpipe.units import count, duration_ns

_BUILT_IN_METHOD = re.compile(r"<method '(\w+)' of '([\w.]+)' objects>")
Kind = Literal["verdict", "cause", "not-the-cause", "caution"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number and its dotted path in report.json."""

    value: float
    path: str

    @property
    def row(self) -> Evidence:
        return Evidence(path=self.path, value=self.value)


@dataclass(frozen=True, slots=True)
class Facts:
    """Look-ups in one report. Each returns None where the report does not have the figure."""

    report: Report

    @property
    def variants(self) -> list[Variant]:
        """Baseline and contenders, in the report's order."""
        return [v for v in self.report.variants if v.role != "control"]

    @property
    def baseline(self) -> Variant:
        return next(v for v in self.variants if v.role == "baseline")

    @property
    def contenders(self) -> list[Variant]:
        return [v for v in self.variants if v.role == "contender"]

    def label(self, variant: str) -> str:
        return next((v.label for v in self.report.variants if v.id == variant), variant)

    def place(self, variant: str) -> int:
        return next(i for i, v in enumerate(self.report.variants) if v.id == variant)

    def metric(self, key: str) -> MetricInfo | None:
        return next((m for m in self.report.metrics if m.key == key), None)

    def figure(self, variant: str, key: str) -> Figure | None:
        """The median of one figure."""
        place = self.place(variant)
        found = self.report.variants[place].figures.get(key)
        if found is None or found.median is None:
            return None
        return Figure(found.median, f"variants.{place}.figures.{key}.median")

    def compared(self, contender: str, key: str) -> tuple[Comparison, str] | None:
        """The comparison with the baseline, and its path."""
        place = self.place(contender)
        found = self.report.variants[place].against_baseline.get(key)
        return None if found is None else (found, f"variants.{place}.against_baseline.{key}")

    def relevant(self, contender: str, key: str) -> Comparison | None:
        """The comparison when its verdict is better or worse, else None."""
        found = self.compared(contender, key)
        return found[0] if found is not None and found[0].relevant else None

    def counted(self) -> str | None:
        """The key of the instructions that the report has, None without them."""
        counted = (m.key for m in self.report.metrics if m.instrument == "counted")
        return next((key for key in counted if key.endswith(":instructions")), None)

    def counted_keys(self) -> list[str]:
        """The keys of all that was counted: instructions, calls, allocations."""
        counted = [m.key for m in self.report.metrics if m.instrument == "counted"]
        return [key for key in counted if not key.endswith(":syscalls")]

    def traced_calls(self) -> str | None:
        return next((m.key for m in self.report.metrics if m.instrument == "traced" and m.key.endswith(":calls")), None)

    def table(self, key: str) -> tuple[HotspotTable, str] | None:
        for i, table in enumerate(self.report.hotspots):
            if table.metric == key:
                return table, f"hotspots.{i}"
        return None

    def functions(self, key: str, contender: str) -> Iterator[tuple[FunctionRow, str, Cell, Cell]]:
        """Functions of a metric's table that both the baseline and the contender have: row, its path, both cells."""
        table, place = self.table(key) or (None, "")
        for i, category in enumerate(table.rows if table else ()):
            for j, row in enumerate(category.functions):
                before, after = row.cells.get(self.baseline.id), row.cells.get(contender)
                if before is not None and after is not None:
                    yield row, f"{place}.rows.{i}.functions.{j}", before, after

    def category_row(self, key: str, category: str) -> tuple[CategoryRow, str] | None:
        found = self.table(key)
        if found is None:
            return None
        for i, row in enumerate(found[0].rows):
            if row.category == category:
                return row, f"{found[1]}.rows.{i}"
        return None

    def waterfall(self, key: str, contender: str) -> tuple[Waterfall, str] | None:
        for i, item in enumerate(self.report.waterfall):
            if item.metric == key and item.contender == contender:
                return item, f"waterfall.{i}"
        return None

    def category(self, key: str) -> str:
        return next((c.label for c in self.report.categories if c.key == key), key)

    def group(self, key: str) -> str:
        return next((c.group or c.key for c in self.report.categories if c.key == key), key)


def conclusion(
    rule: str,
    about: str,
    text: str,
    *,
    kind: Kind,
    weight: float,
    rows: Iterable[Evidence],
    certainty: Certainty = "measured",
) -> Conclusion:
    """`about` (a contender, a metric) makes the id of a rule that fires more than once."""
    return Conclusion(
        id=f"{rule}:{about}" if about else rule,
        rule=rule,
        text=text,
        certainty=certainty,
        weight=round(weight, 3),
        kind=kind,
        rows=tuple(rows),
    )


def listed(words: Sequence[str]) -> str:
    """a, b and c"""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def sentence(text: str) -> str:
    """The text with a capital letter. For labels only: names of functions and variants must not get one."""
    return text[:1].upper() + text[1:]


def amount(value: float, metric: MetricInfo) -> str:
    """`12,254 instructions per request`, `11.0 µs of CPU per request`."""
    per = "per capture" if metric.label.endswith("per capture") else "per request"
    match metric.unit:
        case "us":
            return f"{duration_ns(value * 1e3)} of CPU {per}"
        case "ns":
            return f"{duration_ns(value)} of {metric.label.removesuffix(per).strip()} {per}"
        case _:
            return f"{count(value)} {metric.label.removesuffix(per).strip()} {per}"


def plain(value: float, metric: MetricInfo) -> str:
    """The number with its unit alone, where the sentence has already named the metric."""
    match metric.unit:
        case "us":
            return duration_ns(value * 1e3)
        case "ns":
            return duration_ns(value)
        case _:
            return count(value)


def share(fraction: float) -> str:
    """130 %, 26 %, but 0.5 %: whole per cents from ten on."""
    size = abs(fraction) * 100
    return f"{size:,.0f} %" if size >= 9.95 else f"{size:.1f} %"


def named(function: FunctionName) -> str:
    """“render” (starlette/responses.py:199): the name with the place, as far as it is known.

    A method of a built-in class is named as source code names it: “sqlite3.Connection.execute”.
    """
    method = _BUILT_IN_METHOD.fullmatch(function.name)
    if method is not None:
        return f"“{method[2]}.{method[1]}”"
    if function.file == "builtins":
        return f"“{function.name}”"
    place = f"{function.file}:{function.line}" if function.file and function.line else function.file
    return f"“{function.name}” ({place})" if place else f"“{function.name}”"


def times(calls: float) -> str:
    """once, twice, 31 times, 0.5 times."""
    whole = round(calls)
    if abs(calls - whole) <= SAME_CALLS:
        return {1: "once", 2: "twice"}.get(whole, f"{count(whole)} times")
    return f"{count(calls)} times"
