"""Every verdict of a report at its own level: which figures it compares, and what each of them may spend of alpha."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from profpipe.analyse.matrix import Matrix
from profpipe.analyse.statistics.alpha import Levels, RowLevel, levels
from profpipe.analyse.statistics.compare_figures import compare
from profpipe.analyse.statistics.compare_starts import compare_starts, undecided_by_control
from profpipe.analyse.statistics.noise import Noise, noise_of
from profpipe.analyse.statistics.rule import rule_for
from profpipe.analyse.statistics.series import rounded, valid
from profpipe.analyse.statistics.significance import MIN_ROUNDS
from profpipe.analyse.statistics.starts import StartRatios
from profpipe.analyse.statistics.starts_rule import StartsRule
from profpipe.analyse.study_data import StudyData
from profpipe.analyse.tables.figures import MeasuredFigure
from profpipe.model.metric_keys import CPU, FIRST
from profpipe.model.report import Comparison, Control, Series


@dataclass(frozen=True, slots=True)
class Verdicts:
    """`against` = contender -> key of a figure -> its comparison with the baseline; `control` = the A/A control's."""

    levels: Levels
    against: Mapping[str, Mapping[str, Comparison]]
    control: Control


def judge(study: StudyData, figures: Sequence[MeasuredFigure], matrices: Mapping[str, Sequence[Matrix]]) -> Verdicts:
    """Compare every judged figure of every contender, and of the control, with the baseline's."""
    judged = [m for m in figures if m.judged]
    spent = _spend(study, judged, matrices)
    return Verdicts(
        levels=spent,
        against={v: {m.key: _compared(study, m, v, spent) for m in judged} for v in study.contenders},
        control=_control(study, judged, spent),
    )


def _compared(study: StudyData, m: MeasuredFigure, contender: str, spent: Levels) -> Comparison:
    if m.ratios is not None:
        found = _over_starts(study, m, m.ratios.against[contender], spent)
        control = _over_starts(study, m, m.ratios.control, spent)
        return undecided_by_control(found, control) if control.relevant and found.verdict != "cannot tell" else found
    return compare(m.series[study.baseline], m.series[contender], m.rule, _noise(study, m), spent.of(m.key))


def _over_starts(study: StudyData, m: MeasuredFigure, ratios: StartRatios, spent: Levels) -> Comparison:
    """CPU time at the level that the rule of the starts gives it, the others at theirs, for each look of the starts."""
    record = study.record.slices
    assert record is not None
    rule = StartsRule(record.planned, record.contenders, record.resolution, record.alpha)
    level = rule.level(len(ratios.logs)) if m.key == CPU else spent.of(m.key) / len(record.planned)
    return compare_starts(
        m.series[study.baseline], ratios, level=level, resolution=record.resolution, better=m.info.better
    )


def _noise(study: StudyData, m: MeasuredFigure) -> Noise:
    """The A/A noise of a figure: of this study's control, and of a calibration where that is wider or the only one.

    Calibrations are of costs: what the load generator saw is taken from the control alone.
    """
    known = study.calibration is not None and not m.of_load
    calibrated = study.calibration.sd.get(m.key) if known and study.calibration is not None else None
    return noise_of(m.series[study.baseline], m.control, calibrated)


def _spend(study: StudyData, judged: Sequence[MeasuredFigure], matrices: Mapping[str, Sequence[Matrix]]) -> Levels:
    """The levels of a report. Figures with too few rounds for a verdict take nothing from the others."""
    apart = [m for m in judged if not (m.ratios is not None and m.key == CPU)]  # its level is that of the starts
    timed = [m.key for m in apart if m.rule.kind == "timed" and _enough_rounds(m.series, study)]
    counted = [p for p in matrices if rule_for(study.instruments[p]).kind == "counted"]
    return levels(
        study.level,
        timed,
        len(study.contenders),
        counted=sum(m.rule.kind == "counted" for m in judged),
        counted_tables=sum(len(matrices[p]) for p in counted),
        tables=sum(len(found) for p, found in matrices.items() if p not in counted),
    )


def _enough_rounds(series: Mapping[str, Series], study: StudyData) -> bool:
    most = max((len(valid(series[v])) for v in study.contenders), default=0)
    return min(len(valid(series[study.baseline])), most) >= MIN_ROUNDS


def _control(study: StudyData, judged: Sequence[MeasuredFigure], spent: Levels) -> Control:
    """The baseline against itself, in costs. Judged with the rule's own floor: its own noise must not excuse it."""
    has = [m for m in judged if not m.of_load and len(valid(m.control))]
    if not has:
        ran = study.record.slices is not None or any(r.record.control for r in study.runs)
        return Control(why="no control run is valid" if ran else "the study measured no control")
    sd = {m.key: _noise(study, m).sd for m in has}
    return Control(
        figures={m.key: _control_figure(study, m, spent) for m in has},
        sd={key: rounded(value, 4) for key, value in sd.items() if value is not None},
    )


def _control_figure(study: StudyData, m: MeasuredFigure, spent: Levels) -> Comparison:
    if m.ratios is not None:
        return _over_starts(study, m, m.ratios.control, spent)
    return compare(m.series[study.baseline], m.control, m.rule, level=spent.of(m.key))


def row_levels(study: StudyData, matrix: Matrix, verdicts: Verdicts) -> dict[str, RowLevel]:
    """How strictly a table's rows are judged, by contender: less so within a total that is better or worse.

    For a sampled table the CPU time of clean runs is as good a total as its own: it is the same cost, without samples.
    """
    kind = study.instruments[matrix.profiler]
    totals = [matrix.key, *(FIRST if kind == "sampled" else ())]
    counted = rule_for(kind).kind == "counted"
    return {
        v: verdicts.levels.rows(counted=counted, inside=any(k in found and found[k].relevant for k in totals))
        for v, found in verdicts.against.items()
    }
