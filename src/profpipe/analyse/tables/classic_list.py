"""The raw list of one run per variant, in the form that the tools of 2018 printed."""

from __future__ import annotations

from profpipe.analyse.names.source_paths import base_name
from profpipe.analyse.statistics.series import rounded
from profpipe.analyse.study_data import StudyData
from profpipe.analyse.valid_runs import good_runs
from profpipe.model.derive import own_costs
from profpipe.model.report import ClassicList, ClassicRow

CLASSIC_ROWS = 15


def classic_list(study: StudyData, variant: str, profiler: str) -> ClassicList | None:
    """The list of the 2018 tools: raw counts of one run's whole window, the uncovered rest with it. First valid run."""
    runs = good_runs(study, variant, profiler)
    if not runs:
        return None
    metric = runs[0].profiles[0].metrics[0]
    rows: list[tuple[int, str]] = []
    for profile in runs[0].profiles:
        own = own_costs(profile, metric.key)
        f = profile.functions
        rows += [
            (value, classic_place(study.classic_name(name) if study.classic_name else name, file))
            for value, file, name in zip(own.tolist(), f.file, f.name, strict=True)
            if value
        ]
    rows.sort(key=lambda row: (-row[0], row[1]))
    total = sum(value for value, _ in rows)
    shown = rows[:CLASSIC_ROWS]
    return ClassicList(
        variant=variant,
        metric=f"{profiler}:{metric.key}",
        total=total,
        rows=tuple(ClassicRow(value=v, share=rounded(v / total, 6), place=place) for v, place in shown),
        rest=total - sum(v for v, _ in shown),
        rest_functions=len(rows) - len(shown),
    )


def classic_place(name: str, file: str) -> str:
    """`file:function`, as older tools wrote it; `???` for an unknown file."""
    return f"{base_name(file) or '???'}:{name}"
