"""A report's verdicts computed again from the values of its rounds, for a report whose own verdicts are not trusted.

What is taken: the value of every round, and names. Medians, intervals, ratios and verdicts follow from them. Direction,
label and instrument of a figure are those that profpipe knows for its key.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from profpipe.analyse.statistics.alpha import STARTS, levels
from profpipe.analyse.statistics.compare_figures import compare
from profpipe.analyse.statistics.compare_starts import compare_starts
from profpipe.analyse.statistics.looks import plan_looks
from profpipe.analyse.statistics.noise import noise_of
from profpipe.analyse.statistics.rule import Rule, rule_for
from profpipe.analyse.statistics.series import series, valid
from profpipe.analyse.statistics.significance import MIN_ROUNDS
from profpipe.analyse.statistics.starts import StartRatios
from profpipe.analyse.statistics.starts_rule import RESOLUTION
from profpipe.errors import ReportError
from profpipe.model.metric_keys import BY_KEY, BY_START, KERNEL_SHARE, OF_SLICES
from profpipe.model.report import (
    ALPHA,
    Cell,
    Comparison,
    Control,
    HotspotTable,
    MetricInfo,
    Report,
    Series,
    SlicesInfo,
    Variant,
    Verdict,
)

# The looks of `profpipe diff` end here unless --max-rounds says otherwise.
MOST_ROUNDS = 20
# A stored median and the one of its values are the same float; a sum in another order differs by less than this.
SAME = 1e-6
# A cell's ratio is of medians before they are rounded.
CELL = 1e-3
# A pooled share is no median of rounds.
POOLED = frozenset({KERNEL_SHARE})
# Figures with a value per start, where a study was measured by slices.
OF_STARTS = frozenset(BY_START) | {kind.key for kind in OF_SLICES if kind.judged}


def judge_again(report: Report, rounds: int | None = None, resolution: float = RESOLUTION) -> Report:
    """The report with what follows from its rounds and starts.

    `rounds` = those the study begins with, None = as the report says; `resolution` = what matters between starts.

    A cell of a table has no rounds in the report: its ratio is computed again, and a verdict that contradicts it is
    refused. Raises ReportError where roles, medians or cells contradict each other.
    """
    baseline, contenders, control = _roles(report)
    metrics = tuple(map(_known, report.metrics))
    figures = {v.id: _series_again(v) for v in report.variants}
    against = _verdicts(report, metrics, baseline, contenders, figures, rounds)
    for contender in contenders if report.study.slices is not None else ():
        against[contender.id] |= _over_starts(
            report.study.slices, metrics, figures[baseline.id], figures[contender.id], resolution, len(contenders)
        )
    variants = tuple(
        v.model_copy(update={"figures": figures[v.id], "against_baseline": against.get(v.id, {})})
        for v in report.variants
    )
    tables = tuple(_table_again(table, baseline.id) for table in report.hotspots)
    alone = Control(why="computed again without one" if control is None else None)
    return report.model_copy(
        update={"variants": variants, "metrics": metrics, "hotspots": tables, "control": alone, "calibration": None}
    )


def _roles(report: Report) -> tuple[Variant, tuple[Variant, ...], Variant | None]:
    """Baseline, contenders and control, as `study` names them. Raises ReportError when the variants do not fit."""
    ids = [v.id for v in report.variants]
    bases = [v for v in report.variants if v.role == "baseline"]
    contenders = tuple(v for v in report.variants if v.role == "contender")
    controls = [v for v in report.variants if v.role == "control"]
    if len(set(ids)) != len(ids) or len(bases) != 1 or bases[0].id != report.study.baseline or len(controls) > 1:
        raise ReportError("its variants and their roles contradict its study")
    if not contenders or [v.id for v in contenders] != list(report.study.contenders):
        raise ReportError("its contenders are not those of its study")
    keys = [metric.key for metric in report.metrics]
    if len(set(keys)) != len(keys):
        raise ReportError("a metric is listed twice")
    return bases[0], contenders, controls[0] if controls else None


def _known(metric: MetricInfo) -> MetricInfo:
    """The metric as profpipe knows its key; a profiler's is a cost, and instructions are counted."""
    kind = BY_KEY.get(metric.key)
    if kind is not None:
        update = {"label": kind.label, "unit": kind.unit, "better": kind.better, "instrument": "clean"}
        return metric.model_copy(update=update)
    counted = {"instrument": "counted"} if metric.key.endswith(":instructions") else {}
    return metric.model_copy(update={"better": "lower", **counted})


def _series_again(variant: Variant) -> dict[str, Series]:
    out = {}
    for key, found in variant.figures.items():
        if key in POOLED:
            out[key] = found
            continue
        if any(value is not None and value < 0 for value in found.values):
            raise ReportError("a round has a negative value")
        again = series(found.values, found.why)
        if not _same(again.median, found.median):
            raise ReportError("a median contradicts the values of its rounds")
        out[key] = again
    return out


def _same(mine: float | None, theirs: float | None, tolerance: float = SAME) -> bool:
    if mine is None or theirs is None:
        return mine is theirs
    return math.isclose(mine, theirs, rel_tol=tolerance)


def _verdicts(
    report: Report,
    metrics: tuple[MetricInfo, ...],
    baseline: Variant,
    contenders: tuple[Variant, ...],
    figures: Mapping[str, Mapping[str, Series]],
    rounds: int | None,
) -> dict[str, dict[str, Comparison]]:
    controls = next((figures[v.id] for v in report.variants if v.role == "control"), {})
    judged = {m.key: _rule(m) for m in metrics if m.key in figures[baseline.id] and _is_judged(m)}
    timed = [k for k, rule in judged.items() if rule.kind == "timed" and _enough(figures, baseline, contenders, k)]
    counted = sum(rule.kind == "counted" for rule in judged.values())
    spent = levels(_alpha(report, rounds), timed, len(contenders), counted=counted)
    out: dict[str, dict[str, Comparison]] = {}
    for contender in contenders:
        out[contender.id] = {
            key: compare(
                figures[baseline.id][key],
                figures[contender.id].get(key, Series()),
                rule,
                noise_of(figures[baseline.id][key], controls.get(key, Series())),
                spent.of(key),
            )
            for key, rule in judged.items()
        }
    return out


def _over_starts(
    slices: SlicesInfo | None,
    metrics: tuple[MetricInfo, ...],
    base: Mapping[str, Series],
    other: Mapping[str, Series],
    resolution: float,
    contenders: int,
) -> dict[str, Comparison]:
    """The comparisons of what was measured by slices: start by start, at the level that starts may spend at a look."""
    looks = max(len(slices.planned), 1) if slices is not None else 1
    level = ALPHA * STARTS / (looks * contenders)
    found = {}
    for metric in metrics:
        if metric.key not in OF_STARTS or metric.key not in base or metric.key not in other:
            continue
        pairs = zip(base[metric.key].values, other[metric.key].values, strict=False)
        logs = tuple(math.log(b / a) for a, b in pairs if a and b)
        ratios = StartRatios("", logs, tuple(0.0 for _ in logs))
        found[metric.key] = compare_starts(
            base[metric.key], ratios, level=level, resolution=resolution, better=metric.better
        )
    return found


def _rule(metric: MetricInfo) -> Rule:
    return rule_for(metric.instrument, metric.better, metric.key.rpartition(":")[2])


def _is_judged(metric: MetricInfo) -> bool:
    kind = BY_KEY.get(metric.key)
    return kind.judged if kind is not None else metric.instrument == "sampled" or metric.unit == "1"


def _enough(
    figures: Mapping[str, Mapping[str, Series]], baseline: Variant, contenders: tuple[Variant, ...], key: str
) -> bool:
    most = max(len(valid(figures[v.id].get(key, Series()))) for v in contenders)
    return min(len(valid(figures[baseline.id][key])), most) >= MIN_ROUNDS


def _alpha(report: Report, rounds: int | None) -> float:
    """The level of one look. Fixed rounds, or a report that names no looks, are judged at the whole alpha."""
    if report.study.sequential is None:
        return ALPHA
    first = rounds or (report.study.sequential.planned or (report.study.rounds,))[0]
    return plan_looks(max(first, 1), max(first, MOST_ROUNDS)).alpha


def _table_again(table: HotspotTable, baseline: str) -> HotspotTable:
    rows = tuple(
        row.model_copy(
            update={
                "cells": _cells_again(row.cells, baseline),
                "functions": tuple(
                    f.model_copy(update={"cells": _cells_again(f.cells, baseline)}) for f in row.functions
                ),
            }
        )
        for row in table.rows
    )
    libraries = tuple(row.model_copy(update={"cells": _cells_again(row.cells, baseline)}) for row in table.libraries)
    return table.model_copy(update={"rows": rows, "libraries": libraries})


def _cells_again(cells: Mapping[str, Cell], baseline: str) -> dict[str, Cell]:
    base = cells.get(baseline)
    return {name: cell if name == baseline else _cell_again(cell, base) for name, cell in cells.items()}


def _cell_again(cell: Cell, base: Cell | None) -> Cell:
    if base is None or not base.self or cell.self is None:
        return cell
    ratio = cell.self / base.self
    against: dict[Verdict, bool] = {"worse": ratio < 1, "better": ratio > 1}
    if cell.verdict is not None and against.get(cell.verdict, False):
        raise ReportError("a cell's verdict contradicts its costs")
    return cell if _same(cell.ratio, ratio, CELL) else cell.model_copy(update={"ratio": float(f"{ratio:.6g}")})
