"""What stands open in comment.md: figures against the baseline, the gap as text, functions that changed, conditions."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe import units
from profpipe.model.report import CommitInfo, Report, Verdict
from profpipe.render.page.changed_functions import ChangedView, changed_functions, has_changed
from profpipe.render.page.variants import VariantRow
from profpipe.render.page.view import ReportView
from profpipe.render.page.waterfall import WaterfallView
from profpipe.render.text import Chip, visible

CHANGES: tuple[Verdict, ...] = ("better", "worse")
# Rows of the first table: what a phone shows without scrolling; the rest is folded.
OPEN_FIGURES = 8
LABEL, DELTA, BAR = 17, 9, 10
# Facts of a machine that decide whether two reports may be compared; the rest is folded.
MACHINE = ("CPU", "processors", "virtual machine", "kernel", "Python", "commit")


@dataclass(frozen=True, slots=True)
class FigureLine:
    """One figure of one contender against the baseline, all texts."""

    metric: str
    contender: str
    baseline: str
    value: str
    ratio: str
    interval: str
    verdict: str


@dataclass(frozen=True, slots=True)
class FigureTable:
    """One contender: its figures are the rows. Several: one table per figure, the contenders are the rows.

    `gaps` = (whose figure is unknown, why), each reason once.
    """

    title: str
    first: str
    baseline: str
    contender: str
    lines: tuple[FigureLine, ...]
    gaps: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class GapText:
    sentence: str
    drawing: str


@dataclass(frozen=True, slots=True)
class CommentView:
    """`quiet` = nothing is relevant: the comment is three lines."""

    headline: str
    certainty: str
    second: str
    quiet: bool
    summary: str
    open: tuple[FigureTable, ...]
    folded: tuple[FigureTable, ...]
    gap: GapText | None
    gaps: tuple[GapText, ...]
    changed: ChangedView | None
    commits: tuple[tuple[str, str, str, str], ...]
    conditions: str
    machine: tuple[tuple[str, str], ...]
    noise: tuple[str, ...]


def build_comment_view(report: Report, view: ReportView) -> CommentView:
    """Pure; every text has passed `visible`."""
    headline, certainty, second = _headline(report, view)
    open_, folded = _tables(view)
    quiet = is_quiet(report)
    metric = next((w.metric for w in view.waterfalls.views), "")
    falls = [w for w in view.waterfalls.views if w.metric == metric]
    first = next((w for w in view.waterfalls.views if w.first), None)
    return CommentView(
        _no_difference(report, headline, view) if quiet else headline,
        certainty,
        second,
        quiet,
        _summary(open_),
        open_,
        folded,
        _gap(first) if first else None,
        tuple(_gap(w) for w in falls if w is not first),
        changed_functions(report, first.contender_id if first else ""),
        tuple(_commit(v.label, v.commit) for v in report.variants if v.commit is not None and v.role != "control"),
        _conditions(report, view),
        tuple((key, visible(report.environment[key], limit=120)) for key in MACHINE if key in report.environment),
        _noise(report),
    )


def is_quiet(report: Report) -> bool:
    """No figure of a valid contender is better or worse, no function is, no gate failed: nothing to act on.

    "Cannot tell" is quiet too: its first line says so.
    """
    if report.gate is not None and report.gate.failed:
        return False
    contenders = [v for v in report.variants if v.role == "contender"]
    if not contenders or not all(v.valid for v in report.variants):
        return False
    if any(c.verdict in CHANGES for v in contenders for c in v.against_baseline.values()):
        return False
    return not has_changed(report)


def _headline(report: Report, view: ReportView) -> tuple[str, str, str]:
    """(first line, its certainty, second line)."""
    found = view.verdicts[0] if view.verdicts else None
    text = found.text if found else "No verdict: these runs do not support one."
    certainty = found.certainty if found else ""
    if report.gate is None or not report.gate.failed:
        return text, certainty, ""
    hits = "; ".join(visible(hit, limit=300) for hit in report.gate.hits[:5]) or "see the figures"
    return f"Regression: {hits}", "measured", text if found else ""


def _no_difference(report: Report, headline: str, view: ReportView) -> str:
    if view.verdicts:
        return headline
    verdicts = {c.verdict for v in report.variants if v.role == "contender" for c in v.against_baseline.values()}
    if "no change" in verdicts:
        return "No relevant difference."
    return headline if not verdicts else "Cannot tell: these rounds show no difference and cannot exclude one."


def _tables(view: ReportView) -> tuple[tuple[FigureTable, ...], tuple[FigureTable, ...]]:
    rows = view.table.rows
    base = next((row for row in rows if row.head.role == "baseline"), None)
    contenders = [row for row in rows if row.head.role == "contender"]
    if base is None or not contenders:
        return (), ()
    names = [
        f"{c.label} {c.per}".strip() + (f" ({c.source})" if c.source and c.source not in c.label else "")
        for c in view.table.columns
    ]
    picks = [i for i in range(len(names)) if any(row.cells[i].chip for row in contenders)]
    rest = [i for i in range(len(names)) if i not in picks]
    if len(contenders) == 1:
        parts = [part for part in (picks[:OPEN_FIGURES], picks[OPEN_FIGURES:] + rest) if part]
        made = [_table("", names, part, base, contenders) for part in parts]
        return tuple(made[:1]), tuple(made[1:])
    tables = [_table(names[i], names, [i], base, contenders) for i in picks + rest]
    keys = [view.table.columns[i].key for i in picks + rest]
    first = keys.index(view.headline.key) if view.headline and view.headline.key in keys else 0
    return tuple(tables[first : first + 1]), tuple(t for i, t in enumerate(tables) if i != first)


def _table(
    title: str, names: list[str], picks: list[int], base: VariantRow, contenders: list[VariantRow]
) -> FigureTable:
    lines: list[FigureLine] = []
    gaps: dict[tuple[str, str], None] = {}
    for row, index in ((row, index) for row in contenders for index in picks):
        old, new = base.cells[index], row.cells[index]
        gaps |= {
            (_of(names[index], r.head.label, title), f.gap.why): None for r, f in ((base, old), (row, new)) if f.gap
        }
        lines.append(
            FigureLine(
                names[index],
                row.head.label,
                units.UNKNOWN if old.gap else old.text,
                units.UNKNOWN if new.gap else new.text,
                new.ratio,
                new.ratio_interval,
                verdict_text(new.chip),
            )
        )
    single = "" if title else contenders[0].head.label
    return FigureTable(title, "variant" if title else "figure", base.head.label, single, tuple(lines), tuple(gaps))


def _of(metric: str, variant: str, title: str) -> str:
    return variant if title else f"{metric}, {variant}"


def verdict_text(chip: Chip | None) -> str:
    """The chip without colour: a sign that points where the figure went, and the word."""
    return "" if chip is None else f"{chip.sign} {chip.word}".strip()


def _summary(tables: tuple[FigureTable, ...]) -> str:
    """The figures of the first table in one line."""
    lines = [line for table in tables for line in table.lines if line.ratio]
    several = len({line.contender for line in lines}) > 1
    parts = [
        f"{line.contender + ': ' if several else ''}{line.metric} {line.ratio}"
        f"{f' ({line.interval})' if line.interval else ''}, {line.verdict.lstrip('=? ')}"
        for line in lines[:4]
    ]
    return "; ".join(parts)


def _gap(fall: WaterfallView) -> GapText:
    """A waterfall in some 38 columns: a phone shows it without scrolling."""
    size = max((abs(bar.width) for bar in fall.bars), default=0)
    rows = [(fall.baseline, fall.baseline_total, "")]
    rows += [(bar.label, bar.delta, _bar(bar.width, size, bar.delta)) for bar in fall.bars]
    rows.append((fall.contender, fall.contender_total, ""))
    lines = [f"{_cut(label, LABEL):<{LABEL}} {delta:>{DELTA}} {drawn}".rstrip() for label, delta, drawn in rows]
    return GapText(fall.sentence, "\n".join(lines))


def _bar(width: int, widest: int, delta: str) -> str:
    length = round(width / widest * BAR) if widest else 0
    return ("▒" if delta.startswith("−") else "█") * length


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _commit(label: str, info: CommitInfo) -> tuple[str, str, str, str]:
    """(variant, ref, short hash, subject)."""
    dirty = " with uncommitted changes" if info.dirty else ""
    return (
        visible(label, limit=80),
        visible(info.ref, limit=120),
        visible(info.commit, limit=64)[:12] + dirty,
        visible(info.subject, limit=120),
    )


def _conditions(report: Report, view: ReportView) -> str:
    rounds = "1 round" if report.study.rounds == 1 else f"{report.study.rounds} rounds of fresh processes"
    lost = len(view.invalid)
    parts = [rounds, _cut(view.study.load, 160), _cut(view.study.placement, 120)]
    parts.append(f"{lost} {'run does' if lost == 1 else 'runs do'} not count" if lost else "")
    return "; ".join(part for part in parts if part)


def _noise(report: Report) -> tuple[str, ...]:
    """How far these figures can be trusted: added rounds, earlier A/A comparisons, the gate."""
    found = []
    steps = report.study.sequential
    if steps is not None:
        looks = ", ".join(str(look) for look in steps.looks)
        found.append(
            f"Rounds were added until the verdicts were stable (looked at after {looks}): "
            f"{visible(steps.rule, limit=600)}"
        )
    past = report.calibration
    if past is not None:
        found.append(
            f"{past.false_verdicts} of {past.comparisons} A/A comparisons on {visible(past.machine, limit=120)} gave a "
            f"false verdict (95 % interval {units.percent(past.low)} to {units.percent(past.high)})."
        )
    if report.gate is not None:
        asked = ", ".join(visible(text, limit=120) for text in report.gate.asked)
        found.append(f"Gate {asked}: {'failed' if report.gate.failed else 'passed'}.")
    return tuple(found)
