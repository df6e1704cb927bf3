"""How one value becomes text: numbers with their unit, gaps with their reason, verdicts as a word with a sign.

Text that a report holds comes here as `visible.visible_report` left it: nothing in it hides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import get_args

from profpipe import units
from profpipe.model.report import Comparison, Limit, MetricInfo, Report, Series, Verdict

NONE = "–"
# An interval narrower than this, as high / low, is worth three decimals.
FINE = 1.04
# What a cost is per where its label does not say so: the default of report.json.
PER = "per request"
NOT_SEEN = "not seen in this variant"


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, the cut marked by an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def anchor(*parts: str) -> str:
    """An id for the DOM and the URL: letters, digits, dot, dash and underscore only."""
    return "-".join(re.sub(r"[^A-Za-z0-9_.-]+", "-", part).strip("-") or "x" for part in parts)


@dataclass(frozen=True, slots=True)
class Chip:
    """A verdict that needs no colour: `sign` is the direction of the figure, `word` the verdict."""

    css: str
    word: str
    sign: str


@dataclass(frozen=True, slots=True)
class Gap:
    """An unknown figure. `why` is the reason, `note` the number of its footnote."""

    why: str
    note: int


@dataclass(frozen=True, slots=True)
class Note:
    number: int
    text: str


@dataclass(slots=True)
class Notes:
    """Footnotes of one table while it is being built: one number per reason, in order of first use."""

    reasons: dict[str, int] = field(default_factory=dict)

    def gap(self, why: str | None) -> Gap:
        reason = why or "not measured"
        number = self.reasons.setdefault(reason, len(self.reasons) + 1)
        return Gap(reason, number)

    def all(self) -> tuple[Note, ...]:
        return tuple(Note(number, text) for text, number in self.reasons.items())


_CSS: dict[Verdict, str] = {
    "better": "v-better",
    "worse": "v-worse",
    "no change": "v-same",
    "cannot tell": "v-unsure",
}
assert set(_CSS) == set(get_args(Verdict))


def chip(verdict: Verdict | None, ratio: float | None) -> Chip | None:
    """The sign is drawn by the style (`up`, `down`), so that it is not read aloud between figure and word."""
    if verdict is None:
        return None
    css = _CSS[verdict]
    if verdict in ("no change", "cannot tell") or ratio is None or ratio == 1:
        return Chip(css, verdict, {"no change": "=", "cannot tell": "?"}.get(verdict, ""))
    return Chip(f"{css} {'up' if ratio > 1 else 'down'}", verdict, "▲" if ratio > 1 else "▼")


_UNIT: dict[str, units.Unit] = {unit: unit for unit in get_args(units.Unit)}


def scale_of(unit: str) -> units.Scale | None:
    """How a unit is written; None for one that we do not know."""
    known = _UNIT.get(unit)
    return units.SCALES[known] if known else None


def amount(value: float, unit: str) -> str:
    """A value with the unit that the report names; a unit we do not know is written after the number as it is."""
    known = _UNIT.get(unit)
    return units.amount(value, known) if known else f"{units.count(value)} {cut(unit, 20)}"


def signed_amount(value: float, unit: str) -> str:
    """The same with its sign: "+6,150", "−48.2 µs"."""
    text = amount(abs(value), unit)
    digits = re.sub(r"[^0-9]", "", text)
    return text if not digits.strip("0") else ("+" if value > 0 else "−") + text


def interval(low: float | None, high: float | None, unit: str) -> str:
    """ "7,101 to 7,120"; empty when unknown or when both ends read the same."""
    if low is None or high is None:
        return ""
    first, last = amount(low, unit), amount(high, unit)
    return "" if first == last else f"{first} to {last}"


def share(value: float | None) -> str:
    """A share of a whole; what is not zero but rounds to it is "<0.1 %", never "0.0 %". A true minus."""
    if value is None:
        return ""
    if 0 < abs(value) < 0.0005:
        return "<0.1 %" if value > 0 else "−<0.1 %"
    text = "0 %" if value == 0 else units.percent(abs(value), 0 if abs(value) >= 1 else 1)
    return f"−{text}" if value < 0 else text


def per_what(label: str) -> tuple[str, str]:
    """ "CPU time per request" -> ("CPU time", "per request"), so that a table names its unit once."""
    noun, between, per = label.rpartition(" per ")
    return (noun, f"per {per}") if between else (label, "")


def spread(series: Series, of: str = "round") -> str:
    """How many rounds, or starts, are known and how far they are apart: "7 rounds, cv 0.80 %"; "6 of 7 rounds"."""
    known = sum(value is not None for value in series.values)
    total = len(series.values)
    text = f"{known} of {total} {of}s" if known < total else f"{known} {of if known == 1 else f'{of}s'}"
    return text if series.cv is None else f"{text}, cv {units.percent(series.cv, 2 if series.cv < 0.01 else 1)}"


def compared(comparison: Comparison | None) -> tuple[str, str, Chip | None]:
    """(ratio, interval of the ratio, chip); empty texts where they are unknown."""
    if comparison is None:
        return "", "", None
    fine = _fine(comparison)
    ratio = "" if comparison.ratio is None else units.ratio(comparison.ratio, precise=fine)
    both = (comparison.low, comparison.high)
    ends = (
        ""
        if both[0] is None or both[1] is None
        else f"{units.ratio(both[0], precise=fine)} to {units.ratio(both[1], precise=fine)}"
    )
    return ratio, ends, chip(comparison.verdict, comparison.ratio)


def _fine(comparison: Comparison) -> bool:
    """Whether a ratio over starts is known so well that its third decimal means something."""
    low, high = comparison.low, comparison.high
    return comparison.paired and low is not None and high is not None and 0 < high < low * FINE


def detectable_words(comparison: Comparison | None, resolution: float | None = None) -> str:
    """The smallest change these rounds can show: "a change under 1.4 % would not have been seen".

    Eight of ten studies see a change of that size. A smaller one that was reported all the same is not contradicted.
    Over starts "no change" is a statement by itself: a change is smaller than `resolution`.
    """
    if comparison is None:
        return ""
    if comparison.paired and comparison.verdict == "no change" and resolution is not None:
        return f"a change, if any, is smaller than {units.percent(resolution)}"
    if comparison.paired or not comparison.detectable:
        return _known_within(comparison)
    if comparison.relevant and comparison.ratio is not None and abs(comparison.ratio - 1) < comparison.detectable:
        return f"a change under {units.percent(comparison.detectable)} is not always seen"
    return f"a change under {units.percent(comparison.detectable)} would not have been seen"


def _known_within(comparison: Comparison) -> str:
    """ "the ratio is known within ±0.6 %", half the 95 % interval of a ratio over starts; empty for rounds."""
    if not comparison.paired or not comparison.low or not comparison.high:
        return ""
    return f"the ratio is known within ±{units.percent((comparison.high / comparison.low) ** 0.5 - 1)}"


def position(value: float, low: float, high: float) -> int:
    """`value` on the axis from low to high, 0..1000."""
    if high <= low:
        return 500
    return max(0, min(1000, round((value - low) / (high - low) * 1000)))


def better_word(metric: MetricInfo) -> str:
    return f"{metric.better} is better"


def limit_words(report: Report, limit: Limit) -> str:
    """A limit with the variants it applies to; they are not listed when it applies to all."""
    labels = {v.id: v.label for v in report.variants if v.role != "control"}
    where = "" if set(limit.variants) >= set(labels) else ", ".join(labels.get(v, v) for v in limit.variants)
    return cut(f"{limit.text} ({where})" if where else limit.text, 1000)
