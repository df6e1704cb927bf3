"""What the report rests on: limits, noise, disturbance, the runs left out, every run, the machine, the commands."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe import units
from profpipe.model.metric_keys import THROUGHPUT
from profpipe.model.metric_labels import labels_apart
from profpipe.model.report import Report, RunRow, Series
from profpipe.render.content.noise import ControlRow, calibration_sentence, control_rows
from profpipe.render.content.slices import SlicesText, slices_text
from profpipe.render.content.study import InvalidText, LimitText, StudyText, invalid_runs, limits, study_text
from profpipe.render.content.variants import VariantHead, heads, labels
from profpipe.render.page.interface import Section
from profpipe.render.text import amount, cut, share


@dataclass(frozen=True, slots=True)
class DisturbanceRow:
    """`cells` = (requests a second with a profiler, its share of the clean rate or why it is unknown)."""

    head: VariantHead
    clean: str
    cells: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Disturbance:
    """Requests a second with each profiler, next to those without."""

    profilers: tuple[str, ...]
    rows: tuple[DisturbanceRow, ...]


@dataclass(frozen=True, slots=True)
class CalibrationView:
    """What was learnt on this machine before: `sentence` and the sd of one pair of rounds by figure."""

    sentence: str
    made: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodView:
    """`control_why` = why there is no control; `commands` = (variant, what started it)."""

    study: StudyText
    slices: SlicesText | None
    limits: tuple[LimitText, ...]
    control: tuple[ControlRow, ...]
    control_why: str
    calibration: CalibrationView | None
    disturbance: Disturbance | None
    invalid: tuple[InvalidText, ...]
    runs: tuple[RunView, ...]
    commands: tuple[tuple[str, str], ...]


def method_view(report: Report) -> MethodView:
    return MethodView(
        study=study_text(report),
        slices=slices_text(report),
        limits=limits(report),
        control=control_rows(report),
        control_why=report.control.why or "the study did not ask for one",
        calibration=calibration_view(report),
        disturbance=disturbance(report),
        invalid=invalid_runs(report),
        runs=runs(report),
        commands=tuple((v.label, cut(" ".join(v.command), 2000)) for v in report.variants if v.command),
    )


def disturbance(report: Report) -> Disturbance | None:
    profilers = tuple(dict.fromkeys(name for v in report.variants for name in v.disturbance))
    if not profilers:
        return None
    rows = []
    for head, variant in zip(heads(report), report.variants, strict=True):
        if not variant.disturbance:
            continue
        clean = variant.figures.get(THROUGHPUT, Series()).median
        cells = tuple(_disturbed(variant.disturbance.get(name, Series()), clean) for name in profilers)
        rows.append(DisturbanceRow(head, units.UNKNOWN if clean is None else amount(clean, "req/s"), cells))
    return Disturbance(profilers, tuple(rows))


def _disturbed(series: Series, clean: float | None) -> tuple[str, str]:
    if series.median is None:
        return units.UNKNOWN, series.why or "not run"
    part = "" if not clean else f"{share(series.median / clean)} of clean"
    return amount(series.median, "req/s"), part


def calibration_view(report: Report) -> CalibrationView | None:
    found = report.calibration
    if found is None:
        return None
    names = labels_apart(report.metrics)
    made = f"{found.created.replace('T', ' ')[:16]}, study {found.study}, {found.machine}"
    rows = tuple((names.get(key, key), units.percent(sd, 2)) for key, sd in found.sd.items())
    return CalibrationView(calibration_sentence(found), made, rows)


def runs(report: Report) -> tuple[RunView, ...]:
    """In the order they ran."""
    who = labels(report)
    return tuple(_run(row, who) for row in sorted(report.runs, key=lambda row: row.order))


def _run(row: RunRow, who: dict[str, str]) -> RunView:
    remarks = [row.why or ""] if not row.valid else []
    return RunView(
        order=str(row.order),
        variant=who.get(row.variant, row.variant),
        profiler=row.profiler,
        round=str(row.round),
        served=units.UNKNOWN if row.served is None else f"{row.served:,}",
        seconds=units.UNKNOWN if row.seconds is None else amount(row.seconds, "s"),
        rate=units.UNKNOWN if row.rate is None else amount(row.rate, "req/s"),
        foreign=units.UNKNOWN if row.foreign_cpu is None else units.percent(row.foreign_cpu),
        valid=row.valid,
        remarks="; ".join(text for text in (*remarks, *row.warnings) if text),
    )


SECTION = Section(key="method", title="Method", template="_method.html.j2", view=method_view, shows=("control",))
