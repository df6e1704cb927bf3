"""How far the figures can be trusted: the baseline measured against itself, and earlier A/A comparisons."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe import units
from profpipe.model.metric_labels import labels_apart
from profpipe.model.report import Calibration, Report
from profpipe.render.text import Chip, compared


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlRow:
    """`detectable` = the smallest change these rounds can show, `sd` = that of the ratio of one pair of rounds."""

    label: str
    ratio: str
    interval: str
    detectable: str
    sd: str
    chip: Chip | None


def control_rows(report: Report) -> tuple[ControlRow, ...]:
    """The baseline against itself, figure by figure: the noise of this machine under this study."""
    names = labels_apart(report.metrics)
    found = []
    for key in dict.fromkeys([*report.control.figures, *report.control.sd]):
        comparison = report.control.figures.get(key)
        ratio, ends, verdict = compared(comparison)
        sd = report.control.sd.get(key)
        detectable = None if comparison is None else comparison.detectable
        found.append(
            ControlRow(
                label=names.get(key, key),
                ratio=ratio or (units.UNKNOWN if comparison else "not compared"),
                interval=ends,
                detectable="" if detectable is None else units.percent(detectable),
                sd="" if sd is None else units.percent(sd, 2),
                chip=verdict,
            )
        )
    return tuple(found)


def calibration_sentence(found: Calibration) -> str:
    """How often a verdict of an A/A comparison was false, with its interval."""
    rate = f"{units.percent(found.false_verdicts / found.comparisons)}, " if found.comparisons else ""
    return (
        f"{found.false_verdicts:,} of {found.comparisons:,} A/A comparisons on this machine gave a false verdict "
        f"({rate}95 % interval {units.percent(found.low)} to {units.percent(found.high)})."
    )
