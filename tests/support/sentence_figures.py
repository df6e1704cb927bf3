"""Numbers as sentences print them, and the figures of a report that they are compared with.

Nothing here uses the rules that made the sentences: a fault of a rule must not be repeated by what checks it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from profpipe.model.report import Comparison, Conclusion, FunctionRow, HotspotTable, MetricInfo, Report, Waterfall

CPU, KERNEL, SWITCHES = "clean:cpu_us", "clean:kernel_share", "clean:switches"
NUMBER = r"[−-]?\d[\d,]*(?:\.\d+)?"
_UNITS = {"ns": 1.0, "µs": 1e3, "ms": 1e6, "s": 1e9}
_QUANTITY = re.compile(rf"({NUMBER})(?: (ns|µs|ms|s)\b)?")


def reads(text: str, value: float) -> bool:
    """Whether a printed number is this value, to the last digit that is printed. Times are in nanoseconds."""
    found = _QUANTITY.match(text)
    if found is None:
        return False
    digits = found.group(1).replace(",", "").replace("−", "-")
    scale = _UNITS.get(found.group(2) or "", 1.0)
    half = 0.5 * 10.0 ** -len(digits.partition(".")[2])
    return abs(float(digits) - value / scale) <= half * 1.001 + 1e-9


def percent_reads(text: str, fraction: float) -> bool:
    """Whether `12 %` is this fraction. A sentence gives the size; the words around it give the direction."""
    return reads(text, abs(fraction) * 100)


@dataclass(frozen=True)
class Told:
    """One conclusion, with the report that it is about. `contender` and `key` are read from its id."""

    report: Report
    conclusion: Conclusion

    @property
    def text(self) -> str:
        return self.conclusion.text

    @property
    def baseline(self) -> str:
        return self.report.study.baseline

    @property
    def contender(self) -> str:
        rest = self.conclusion.id.removeprefix(f"{self.conclusion.rule}:")
        ids = [v.id for v in self.report.variants if rest == v.id or rest.startswith(f"{v.id}:")]
        return max(ids, key=len, default="")

    @property
    def key(self) -> str:
        """The metric, where the id ends in one or has one in its middle."""
        keys = [m.key for m in self.report.metrics if f":{m.key}" in self.conclusion.id]
        return max(keys, key=len, default="")

    def label(self, variant: str) -> str:
        return next(v.label for v in self.report.variants if v.id == variant)

    def metric(self, key: str) -> MetricInfo:
        return next(m for m in self.report.metrics if m.key == key)

    def counted(self) -> str:
        counted = [m.key for m in self.report.metrics if m.instrument == "counted"]
        return next((key for key in counted if key.endswith(":instructions")), "")

    def others(self) -> list[str]:
        """What was neither counted nor measured without a profiler: sampled first."""
        return [m.key for kind in ("sampled", "traced") for m in self.report.metrics if m.instrument == kind]

    def figure(self, variant: str, key: str) -> float | None:
        """The median, times in nanoseconds."""
        found = next(v for v in self.report.variants if v.id == variant).figures.get(key)
        if found is None or found.median is None:
            return None
        unit = next((m.unit for m in self.report.metrics if m.key == key), "1")
        return found.median * (1e3 if unit == "us" else 1.0)

    def compared(self, key: str, contender: str = "") -> Comparison:
        found = next(v for v in self.report.variants if v.id == (contender or self.contender))
        return found.against_baseline[key]

    def fall(self, key: str, contender: str = "") -> Waterfall:
        wanted = (key, contender or self.contender)
        return next(w for w in self.report.waterfall if (w.metric, w.contender) == wanted)

    def table(self, key: str) -> HotspotTable:
        return next(t for t in self.report.hotspots if t.metric == key)

    def functions(self, key: str) -> Iterator[FunctionRow]:
        yield from (f for row in self.table(key).rows for f in row.functions)

    def category(self, label: str) -> str:
        """The key of a category by its label, as a sentence writes it."""
        plain = label.removeprefix("the ").lower()
        return next((c.key for c in self.report.categories if c.label.lower() in (label.lower(), plain)), label)

    def categories(self, text: str) -> list[str]:
        """The keys of the categories in `a, b and c`; a label may hold an "and" of its own."""
        keys, rest = [], text.lower()
        for info in sorted(self.report.categories, key=lambda info: -len(info.label)):
            if re.search(rf"(?:^|, | and ){re.escape(info.label.lower())}(?:$|, | and )", rest):
                keys.append(info.key)
                rest = rest.replace(info.label.lower(), "", 1)
        return keys

    def own(self, row: FunctionRow, variant: str) -> float:
        cell = row.cells.get(variant)
        return (cell.self if cell else None) or 0.0

    def delta(self, row: FunctionRow) -> float:
        return self.own(row, self.contender) - self.own(row, self.baseline)
