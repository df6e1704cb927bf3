"""What the figures can be trusted for: the cost of watching, and the baseline measured against itself."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe import units
from profpipe.model.report import Report, Series
from profpipe.render.page.variants import VariantHead, heads
from profpipe.render.text import Chip, amount, compared, share, visible


@dataclass(frozen=True, slots=True)
class DisturbanceRow:
    head: VariantHead
    clean: str
    cells: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Disturbance:
    """Requests a second with each instrument on, beside without: (figure, share of the clean one)."""

    profilers: tuple[str, ...]
    rows: tuple[DisturbanceRow, ...]


def disturbance(report: Report) -> Disturbance | None:
    profilers = tuple(dict.fromkeys(name for v in report.variants for name in v.disturbance))
    if not profilers:
        return None
    rows = []
    for head_, variant in zip(heads(report), report.variants, strict=True):
        if not variant.disturbance:
            continue
        clean = variant.throughput.median
        cells = tuple(_disturbed(variant.disturbance.get(name, Series()), clean) for name in profilers)
        rows.append(DisturbanceRow(head_, units.UNKNOWN if clean is None else amount(clean, "req/s"), cells))
    return Disturbance(tuple(visible(name) for name in profilers), tuple(rows))


def _disturbed(series: Series, clean: float | None) -> tuple[str, str]:
    if series.median is None:
        return units.UNKNOWN, visible(series.why or "not run")
    part = "" if not clean else f"{share(series.median / clean)} of clean"
    return amount(series.median, "req/s"), part


@dataclass(frozen=True, slots=True)
class ControlRow:
    label: str
    ratio: str
    interval: str
    floor: str
    sd: str
    chip: Chip | None


def control_rows(report: Report) -> tuple[ControlRow, ...]:
    """The baseline against itself, figure by figure: the noise of this machine under this study."""
    labels = {metric.key: visible(metric.label) for metric in report.metrics}
    found = []
    for key in dict.fromkeys([*report.control.figures, *report.control.sd]):
        comparison = report.control.figures.get(key)
        ratio, ends, verdict = compared(comparison)
        floor = "" if comparison is None or comparison.floor is None else units.percent(comparison.floor)
        sd = report.control.sd.get(key)
        found.append(
            ControlRow(
                labels.get(key, visible(key)),
                ratio,
                ends,
                floor,
                "" if sd is None else units.percent(sd, 2),
                verdict,
            )
        )
    return tuple(found)


@dataclass(frozen=True, slots=True)
class CalibrationView:
    """What was learnt on this machine before: `sentence` and the sd of one pair of rounds by figure."""

    sentence: str
    made: str
    rows: tuple[tuple[str, str], ...]


def calibration_view(report: Report) -> CalibrationView | None:
    found = report.calibration
    if found is None:
        return None
    labels = {metric.key: visible(metric.label) for metric in report.metrics}
    rate = f"{units.percent(found.false_verdicts / found.comparisons)}, " if found.comparisons else ""
    ends = f"95 % interval {units.percent(found.low)} to {units.percent(found.high)}"
    false = "verdict was" if found.false_verdicts == 1 else "verdicts were"
    sentence = (
        f"The same commit was compared with itself {found.comparisons:,} times on this machine: "
        f"{found.false_verdicts:,} {false} false ({rate}{ends})."
    )
    made = f"{visible(found.created).replace('T', ' ')[:16]}, study {visible(found.study)}, {visible(found.machine)}"
    rows = tuple((labels.get(key, visible(key)), units.percent(sd, 2)) for key, sd in found.sd.items())
    return CalibrationView(sentence, made, rows)
