"""What was concluded: verdicts first, then what leads of each kind, then the rest."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe import units
from profpipe.model.report import Conclusion, Evidence, Report
from profpipe.render.text import anchor

KINDS: dict[str, tuple[str, str]] = {
    "verdict": ("Verdict", "k-verdict"),
    "cause": ("Cause", "k-cause"),
    "not-the-cause": ("Not the cause", "k-not"),
    "caution": ("Caution", "k-caution"),
}
CERTAINTIES = {
    "measured": "measured: larger than the noise of this series",
    "likely": "likely: the figures agree, one step is inferred",
    "hint": "a hint: worth a look, not proven by these runs",
}
# What the first screen has room for, per kind; a manager reads no further.
LEADING = {"cause": 2, "not-the-cause": 2, "caution": 1}
NO_VERDICT = "No verdict: these runs do not support one."


@dataclass(frozen=True, slots=True)
class EvidenceText:
    """`root` = the part of report.json that the path begins in, for example `waterfall`."""

    path: str
    value: str
    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConclusionText:
    id: str
    kind: str
    css: str
    text: str
    certainty: str
    certainty_means: str
    rule: str
    rows: tuple[EvidenceText, ...]


@dataclass(frozen=True, slots=True)
class Conclusions:
    """Verdicts; what leads (the heaviest of each kind); the rest. Each by kind, the heaviest first."""

    verdicts: tuple[ConclusionText, ...]
    leading: tuple[ConclusionText, ...]
    more: tuple[ConclusionText, ...]


def conclusions(report: Report) -> Conclusions:
    """Every conclusion of the report, in exactly one of the three groups."""
    by_kind = {kind: [c for c in report.conclusions if c.kind == kind] for kind in KINDS}
    for found in by_kind.values():
        found.sort(key=lambda c: -c.weight)
    leading = [c for kind, many in LEADING.items() for c in by_kind[kind][:many]]
    more = [c for kind, many in LEADING.items() for c in by_kind[kind][many:]]
    if len(more) <= 2:
        leading, more = [c for kind in LEADING for c in by_kind[kind]], []
    return Conclusions(
        tuple(_conclusion(c) for c in by_kind["verdict"]),
        tuple(_conclusion(c) for c in leading),
        tuple(_conclusion(c) for c in more),
    )


def _conclusion(conclusion: Conclusion) -> ConclusionText:
    word, css = KINDS[conclusion.kind]
    return ConclusionText(
        id=anchor("c", conclusion.id),
        kind=word,
        css=css,
        text=conclusion.text,
        certainty=conclusion.certainty,
        certainty_means=CERTAINTIES[conclusion.certainty],
        rule=conclusion.rule,
        rows=tuple(_evidence(row) for row in conclusion.rows),
    )


def _evidence(row: Evidence) -> EvidenceText:
    value = row.value
    text = units.UNKNOWN if value is None else value if isinstance(value, str) else units.count(value)
    return EvidenceText(row.path, text, row.path.replace("[", ".").partition(".")[0])
