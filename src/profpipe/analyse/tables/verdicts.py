"""Every verdict of a report at its own level: which figures it compares, and what each of them may spend of alpha."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from profpipe.analyse.matrix import Matrix
from profpipe.analyse.statistics.alpha import Levels, RowLevel, levels
from profpipe.analyse.statistics.compare_figures import compare
from profpipe.analyse.statistics.noise import noise_of
from profpipe.analyse.statistics.rule import rule_for
from profpipe.analyse.statistics.series import valid
from profpipe.analyse.statistics.significance import MIN_ROUNDS
from profpipe.analyse.study_data import StudyData
from profpipe.analyse.tables import figures as fig
from profpipe.analyse.tables.measured_figures import Measured, noise
from profpipe.model.metric_keys import FIRST
from profpipe.model.report import Comparison, Series, Variant

THROUGHPUT = "throughput"


def spend(data: StudyData, measured: Sequence[Measured], tables: Mapping[str, Sequence[Matrix]]) -> Levels:
    """The levels of a report. Figures with too few rounds to be called take nothing from the others."""
    judged = [m for m in measured if m.judged]
    found = {m.info.key: m.series for m in judged if m.rule.kind == "timed"}
    by_variant = {v: {THROUGHPUT: fig.throughput(data, v), **fig.latency(data, v)} for v in data.variants}
    for key in by_variant[data.baseline]:
        found[key] = {v: by_variant[v].get(key, Series()) for v in data.variants}
    counted = [p for p in tables if rule_for(data.instruments[p]).kind == "counted"]
    return levels(
        data.level,
        [key for key, by in found.items() if _callable(by, data)],
        len(data.contenders),
        counted=sum(m.rule.kind == "counted" for m in judged),
        counted_tables=sum(len(tables[p]) for p in counted),
        tables=sum(len(found) for p, found in tables.items() if p not in counted),
    )


def _callable(series: Mapping[str, Series], data: StudyData) -> bool:
    most = max((len(valid(series[v])) for v in data.contenders), default=0)
    return min(len(valid(series[data.baseline])), most) >= MIN_ROUNDS


def against(data: StudyData, variant: str, measured: Sequence[Measured], spent: Levels) -> dict[str, Comparison]:
    """Every judged figure of a contender beside the baseline's."""
    found = {
        m.info.key: compare(m.series[data.baseline], m.series[variant], m.rule, noise(m, data), spent.of(m.info.key))
        for m in measured
        if m.judged
    }
    rates = fig.throughput(data, variant)
    if rates.values:
        base = fig.throughput(data, data.baseline)
        aa = noise_of(base, fig.throughput(data, data.baseline, control=True))
        found[THROUGHPUT] = compare(base, rates, rule_for("clean", "higher"), aa, spent.of(THROUGHPUT))
    before, after = fig.latency(data, data.baseline), fig.latency(data, variant)
    rule = rule_for("clean")
    return found | {k: compare(before[k], after[k], rule, level=spent.of(k)) for k in after if k in before}


def row_levels(data: StudyData, matrix: Matrix, variants: Sequence[Variant], spent: Levels) -> dict[str, RowLevel]:
    """How strictly a table's rows are judged, by contender: less so inside a total that was called.

    For a sampled table the CPU time of clean runs is as good a total as its own: it is the same cost, without samples.
    """
    kind = data.instruments[matrix.profiler]
    totals = [f"{matrix.profiler}:{matrix.metric.key}", *(FIRST if kind == "sampled" else ())]
    counted = rule_for(kind).kind == "counted"
    return {
        v.id: spent.rows(
            counted=counted,
            inside=any(k in v.against_baseline and v.against_baseline[k].relevant for k in totals),
        )
        for v in variants
    }
