"""The words around the tables: what was asked, what was concluded, what these instruments cannot say."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe import units
from profpipe.model.report import ClassicList, Conclusion, Evidence, Report, RunRow, StudyInfo
from profpipe.render.text import CERTAINTIES, KINDS, amount, anchor, limit_words, per_what, share, visible

# Runs and classic rows on the page; report.json has all.
CLASSIC_SHOWN = 40
LOG_LINES = 30


@dataclass(frozen=True, slots=True)
class EvidenceView:
    path: str
    value: str
    section: str


@dataclass(frozen=True, slots=True)
class ConclusionView:
    id: str
    kind: str
    css: str
    text: str
    certainty: str
    certainty_means: str
    rule: str
    rows: tuple[EvidenceView, ...]


@dataclass(frozen=True, slots=True)
class ClassicRowView:
    value: str
    share: str
    place: str
    bar: int


@dataclass(frozen=True, slots=True)
class ClassicView:
    id: str
    variant: str
    metric: str
    total: str
    rows: tuple[ClassicRowView, ...]
    rest: str


@dataclass(frozen=True, slots=True)
class InvalidView:
    variant: str
    where: str
    reason: str
    log: str


@dataclass(frozen=True, slots=True)
class LimitView:
    profiler: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunView:
    order: str
    variant: str
    profiler: str
    round: str
    served: str
    seconds: str
    rate: str
    foreign: str
    valid: bool
    remarks: str


@dataclass(frozen=True, slots=True)
class StudyView:
    id: str
    question: str
    created: str
    version: str
    load: str
    placement: str
    rounds: str
    rounds_rule: str
    command: str
    left_out: tuple[tuple[str, str], ...]
    commands: tuple[tuple[str, str], ...]
    environment: tuple[tuple[str, str], ...]


def study_view(report: Report) -> StudyView:
    study = report.study
    return StudyView(
        visible(study.id),
        visible(study.question),
        visible(report.created).replace("T", " ")[:16],
        visible(report.profpipe),
        visible(study.load, limit=2000),
        visible(study.placement, limit=2000),
        rounds_words(study),
        "" if study.sequential is None else visible(study.sequential.rule, limit=1000),
        visible(study.command, limit=2000),
        tuple((visible(target), visible(reason)) for target, reason in study.left_out),
        tuple((visible(v.label), visible(" ".join(v.command), limit=2000)) for v in report.variants if v.command),
        tuple((visible(key), visible(value, limit=2000)) for key, value in report.environment.items()),
    )


_STOPPED = {
    "stable": "no more were needed: the verdicts had settled",
    "max-rounds": "no more were allowed",
    "cut short": "the study was stopped before its verdicts had settled",
    "budget": "the time that was allowed was used up",
}


def rounds_words(study: StudyInfo) -> str:
    """How many rounds, and, where they were added one look at a time, after which looks and why no more."""
    plain = "1" if study.rounds == 1 else f"{study.rounds} of fresh processes"
    added = study.sequential
    if added is None:
        return plain
    looks = ", ".join(str(look) for look in added.looks)
    most = f" of at most {max(added.planned)}" if added.planned else ""
    return f"{plain}{most}, looked at after {looks or 'none'}; {_STOPPED[added.stopped]}"


_SECTIONS = {
    "hotspots": "hotspots",
    "waterfall": "gap",
    "variants": "variants",
    "control": "method",
    "classic": "lists",
}


# What the first screen has room for, per kind; a manager reads no further.
LEADING = {"cause": 2, "not-the-cause": 2, "caution": 1}


@dataclass(frozen=True, slots=True)
class Conclusions:
    """Verdicts; what leads (the heaviest of each kind); the rest. Each by kind, the heaviest first."""

    verdicts: tuple[ConclusionView, ...]
    leading: tuple[ConclusionView, ...]
    more: tuple[ConclusionView, ...]


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


def _conclusion(conclusion: Conclusion) -> ConclusionView:
    word, css = KINDS[conclusion.kind]
    return ConclusionView(
        anchor("c", conclusion.id),
        word,
        css,
        visible(conclusion.text, limit=2000),
        conclusion.certainty,
        CERTAINTIES[conclusion.certainty],
        visible(conclusion.rule),
        tuple(_evidence(row) for row in conclusion.rows),
    )


def _evidence(row: Evidence) -> EvidenceView:
    value = row.value
    text = units.UNKNOWN if value is None else visible(value) if isinstance(value, str) else units.count(value)
    first = row.path.replace("[", ".").partition(".")[0]
    return EvidenceView(visible(row.path), text, _SECTIONS.get(first, ""))


def classic_lists(report: Report) -> tuple[ClassicView, ...]:
    labels = {v.id: visible(v.label) for v in report.variants}
    metrics = {m.key: (m.unit, per_what(visible(m.label))[0]) for m in report.metrics}
    return tuple(
        _classic(item, labels, *metrics.get(item.metric, ("1", visible(item.metric)))) for item in report.classic
    )


def _classic(item: ClassicList, labels: dict[str, str], unit: str, metric: str) -> ClassicView:
    shown = item.rows[:CLASSIC_SHOWN]
    top = max((row.share for row in shown), default=0.0)
    rows = tuple(
        ClassicRowView(
            f"{row.value:,}",
            units.percent(row.share).replace(" ", ""),
            visible(row.place),
            round(row.share / top * 1000) if top > 0 else 0,
        )
        for row in shown
    )
    rest = item.rest + sum(row.value for row in item.rows[CLASSIC_SHOWN:])
    functions = item.rest_functions + len(item.rows) - len(shown)
    part = "" if item.total <= 0 else f" ({share(rest / item.total).replace(' ', '')})"
    many = f" in {functions:,} more functions" if functions else " uncovered"
    total = f"{item.total:,}" if unit == "1" else f"{item.total:,} {unit} = {amount(item.total, unit)}"
    return ClassicView(
        anchor("list", item.metric, item.variant),
        labels.get(item.variant, visible(item.variant)),
        metric,
        total,
        rows,
        f"{rest:,}{part}{many}",
    )


def invalid_runs(report: Report) -> tuple[InvalidView, ...]:
    labels = {v.id: visible(v.label) for v in report.variants}
    found = []
    for item in report.invalid:
        turn = "" if item.round is None else f", round {item.round}"
        lines = [visible(line) for line in item.log_tail[-LOG_LINES:]]
        found.append(
            InvalidView(
                labels.get(item.variant, visible(item.variant)),
                f"{visible(item.profiler)}{turn}, at {visible(item.phase)}",
                visible(item.reason, limit=1000),
                "\n".join(lines),
            )
        )
    return tuple(found)


def limits(report: Report) -> tuple[LimitView, ...]:
    found: dict[str, list[str]] = {}
    for limit in report.limits:
        found.setdefault(visible(limit.profiler), []).append(limit_words(report, limit))
    return tuple(LimitView(name, tuple(texts)) for name, texts in found.items())


def runs(report: Report) -> tuple[RunView, ...]:
    labels = {v.id: visible(v.label) for v in report.variants}
    return tuple(_run(row, labels) for row in sorted(report.runs, key=lambda row: row.order))


def _run(row: RunRow, labels: dict[str, str]) -> RunView:
    remarks = [row.why or ""] if not row.valid else []
    return RunView(
        str(row.order),
        labels.get(row.variant, visible(row.variant)),
        visible(row.profiler),
        str(row.round),
        units.UNKNOWN if row.served is None else f"{row.served:,}",
        units.UNKNOWN if row.seconds is None else amount(row.seconds, "s"),
        units.UNKNOWN if row.rate is None else amount(row.rate, "req/s"),
        units.UNKNOWN if row.foreign_cpu is None else units.percent(row.foreign_cpu),
        row.valid,
        "; ".join(visible(text) for text in (*remarks, *row.warnings) if text),
    )
