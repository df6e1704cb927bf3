"""The first screen: the verdict, its number, one bar per variant, the gate's answer, and why."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe.model.report import Report, Series
from profpipe.render.content.change import Change, also, change
from profpipe.render.content.conclusions import NO_VERDICT, Conclusions, conclusions
from profpipe.render.content.figures import Figure, label_per
from profpipe.render.content.gate import GateText, gate_text
from profpipe.render.content.headline import HeadlineNumber, headline_figure, headline_number
from profpipe.render.content.slices import slices_text
from profpipe.render.content.study import StudyText, study_text
from profpipe.render.content.variants import VariantHead, heads
from profpipe.render.page.interface import Section
from profpipe.render.text import Chip, Gap, Note, Notes, amount, compared, position


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadlineBar:
    """`width` is 0..1000 of the longest bar."""

    head: VariantHead
    text: str
    gap: Gap | None
    ratio: str
    chip: Chip | None
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """One bar per variant, from zero, of the figure that the verdict rests on."""

    label: str
    better: str
    key: str
    number: HeadlineNumber | None
    bars: tuple[HeadlineBar, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictView:
    """`invalid` = how many runs were left out, in words; empty when none was. `starts` = how CPU time was measured,
    empty where it was measured in rounds. `changed` = what requests cost more or less between exactly two commits, and
    `besides` what else differs between them.
    """

    study: StudyText
    conclusions: Conclusions
    no_verdict: str
    headline: Headline | None
    gate: GateText | None
    variants: tuple[VariantHead, ...]
    invalid: str
    starts: str
    changed: Change | None
    besides: tuple[str, ...]


def verdict_view(report: Report) -> VerdictView:
    figure = headline_figure(report)
    lost = len(report.invalid)
    slices = slices_text(report)
    return VerdictView(
        study=study_text(report),
        conclusions=conclusions(report),
        no_verdict=NO_VERDICT,
        headline=None if figure is None else headline(report, figure),
        gate=gate_text(report),
        variants=heads(report, control=False),
        invalid="" if not lost else f"{lost} {'run' if lost == 1 else 'runs'}",
        starts="" if slices is None else slices.summary,
        changed=change(report, "This change"),
        besides=also(report),
    )


def headline(report: Report, figure: Figure) -> Headline:
    notes = Notes()
    top = max(s.median for s in figure.series.values() if s.median is not None)
    bars = []
    shown = [v for v in report.variants if v.role != "control"]
    for head, variant in zip(heads(report, control=False), shown, strict=True):
        series = figure.series.get(variant.id, Series())
        ratio, _, chip = compared(figure.against.get(variant.id))
        known = series.median is not None
        bars.append(
            HeadlineBar(
                head=head,
                text="" if series.median is None else amount(series.median, figure.unit),
                gap=None if known else notes.gap(series.why or variant.why),
                ratio=ratio,
                chip=chip,
                width=0 if series.median is None else position(series.median, 0.0, top),
            )
        )
    return Headline(
        label=label_per(figure),
        better=figure.better,
        key=figure.key,
        number=headline_number(report, figure),
        bars=tuple(bars),
        notes=notes.all(),
    )


SECTION = Section(key="verdict", title="Verdict", template="_verdict.html.j2", view=verdict_view)
