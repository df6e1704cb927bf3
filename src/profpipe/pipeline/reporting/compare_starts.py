"""Starts of several run folders as the starts of one comparison, each side's variant under its own name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from profpipe.analyse.statistics.alpha import STARTS
from profpipe.analyse.statistics.starts import valid
from profpipe.model.report import ALPHA, SlicesRecord
from profpipe.model.start import Start
from profpipe.model.study import StudyRecord
from profpipe.pipeline.reporting.stored_runs import stored_starts

NOT_ALL = "not every side was measured by slices: CPU time is that of the clean runs"


def joined_starts(sides: Sequence[tuple[str, Path, StudyRecord, str]]) -> tuple[SlicesRecord | None, tuple[Start, ...]]:
    """The record and the starts of a comparison; (None, ()) unless every side was measured by slices.

    `sides` = label, folder, study and variant, the baseline first. Variants of one folder keep the starts they shared.
    Starts of different folders are put together in their order: nothing then cancels within a start, and the interval
    is as much wider.
    """
    records = [study.slices for _, _, study, _ in sides]
    base = records[0]
    if base is None or any(record is None for record in records):
        return None, ()
    control = f"{sides[0][0]}, again"
    together = len({folder.resolve() for _, folder, _, _ in sides}) == 1
    found = {label: valid(stored_starts(folder, study)) for label, folder, study, _ in sides}
    many = min(map(len, found.values()))
    starts = []
    for index in range(many):
        first = found[sides[0][0]][index]
        parts = {
            label: found[label][index].variants[variant]
            for label, _, _, variant in sides
            if variant in found[label][index].variants
        }
        if base.control in first.variants and sides[0][2].baseline == sides[0][3]:
            parts[control] = first.variants[base.control]
        starts.append(replace(first, variants=parts, orders=first.orders if together else ()))
    record = base.model_copy(
        update={
            "control": control,
            "planned": (max(many, 1),),
            "contenders": len(sides) - 1,
            "alpha": ALPHA * STARTS,
            "left_out": (),
            "rule": f"all {many} starts that every side has" + ("" if together else ", of studies at different times"),
        }
    )
    return record, tuple(starts)
