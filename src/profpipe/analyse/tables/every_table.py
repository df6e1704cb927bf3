"""All tables and graphs of a report, and the notes on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from profpipe.analyse.aligned_rows import AlignedTable
from profpipe.analyse.function_index import Index
from profpipe.analyse.statistics.rule import rule_for
from profpipe.analyse.study_data import StudyData
from profpipe.analyse.tables.classic_list import classic_list
from profpipe.analyse.tables.flame_graph import variant_flame
from profpipe.analyse.tables.hotspots import hotspot_table, switching
from profpipe.analyse.tables.verdicts import Verdicts, row_levels
from profpipe.analyse.tables.waterfall import waterfall
from profpipe.analyse.valid_runs import good_runs
from profpipe.model.report import CategoryInfo, ClassicList, Flame, HotspotTable, Limit, Waterfall

Aligned = Mapping[str, Sequence[AlignedTable]]


@dataclass(frozen=True, slots=True)
class Tables:
    """`limits` = what the tables cannot say, found while they were made."""

    hotspots: tuple[HotspotTable, ...]
    waterfalls: tuple[Waterfall, ...]
    classic: tuple[ClassicList, ...]
    flames: tuple[Flame, ...]
    categories: tuple[CategoryInfo, ...]
    limits: tuple[Limit, ...]


def every_table(study: StudyData, index: Index, aligned: Aligned, verdicts: Verdicts) -> Tables:
    """Hotspots of every matrix, and the graphs.

    A profiler's second use in a study has figures and a hotspot table, but no graphs: the first use has them.
    """
    hotspots = _hotspots(study, index, aligned, verdicts)
    first = [p for p in study.profilers if not study.again(p)]
    flames, folded = _flames(study, first)
    return Tables(
        hotspots=hotspots,
        waterfalls=_waterfalls(study, [t for t in hotspots if t.metric.partition(":")[0] in first], verdicts),
        classic=_classic(study, [p for p in first if study.instruments[p] == "counted"]),
        flames=flames,
        categories=_categories(index, hotspots),
        limits=(*_wrong_call_graphs(study, index, aligned), *folded),
    )


def _hotspots(study: StudyData, index: Index, aligned: Aligned, verdicts: Verdicts) -> tuple[HotspotTable, ...]:
    found = []
    for profiler in study.profilers:
        for matrix, rows in aligned[profiler]:
            rule = rule_for(study.instruments[profiler], metric=matrix.metric.key)
            found.append(hotspot_table(matrix, index, study, rule, row_levels(study, matrix, verdicts), rows))
    return tuple(table for table in found if table is not None)


def _waterfalls(study: StudyData, tables: Sequence[HotspotTable], verdicts: Verdicts) -> tuple[Waterfall, ...]:
    found = [
        waterfall(table, study.baseline, contender, verdicts.against[contender].get(table.metric))
        for table in tables
        for contender in study.contenders
    ]
    return tuple(fall for fall in found if fall is not None)


def _classic(study: StudyData, counted: Sequence[str]) -> tuple[ClassicList, ...]:
    found = [classic_list(study, v, p) for p in counted for v in study.variants]
    return tuple(c for c in found if c is not None)


def _flames(study: StudyData, profilers: Sequence[str]) -> tuple[tuple[Flame, ...], tuple[Limit, ...]]:
    flames, limits = [], []
    for profiler in profilers:
        for variant in study.variants:
            drawn = variant_flame(study, variant, profiler) if good_runs(study, variant, profiler) else None
            if drawn is None:
                continue
            flames.append(drawn[0])
            if drawn[1]:
                text = f"{drawn[1]:,} of the smallest boxes of the flame graph are folded into the box below them."
                limits.append(Limit(profiler=profiler, text=text, variants=(variant,)))
    return tuple(flames), tuple(limits)


def _categories(index: Index, tables: Sequence[HotspotTable]) -> tuple[CategoryInfo, ...]:
    """Those that occur, in the order of the rules' file."""
    used = {row.category for table in tables for row in table.rows}
    return tuple(
        CategoryInfo(key=c.key, label=c.label, about=c.about, group=c.group)
        for c in index.categories.categories
        if c.key in used
    )


def _wrong_call_graphs(study: StudyData, index: Index, aligned: Aligned) -> tuple[Limit, ...]:
    """A call graph rebuilt from calls is false where a program switches stacks in user space."""
    out = []
    for profiler in study.profilers:
        if study.instruments[profiler] != "counted":
            continue
        wrong = {v for matrix, _ in aligned[profiler] for v in switching(matrix, index, study)}
        if wrong:
            text = (
                "Call graph unreliable: stackful coroutines. Switching stacks in user space gives false totals and "
                "callers; self values are right."
            )
            variants = tuple(sorted(wrong, key=study.variants.index))
            out.append(Limit(profiler=profiler, text=text, variants=variants))
    return tuple(out)
