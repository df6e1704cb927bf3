"""A study's record from the few facts that a test is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from profpipe.analyse import RunData, StudyData
from profpipe.model.study import StudyRecord, VariantFacts

OF_DATA = ("per", "same_program", "alpha", "calibration", "classic_name")


def study_record(variants: Sequence[str], **facts: Any) -> StudyRecord:
    """`variants`: the baseline first. `labels` and `languages` are by variant; all else as in StudyRecord."""
    labels: Mapping[str, str] = facts.pop("labels", {})
    languages: Mapping[str, str] = facts.pop("languages", {})
    empty = dict.fromkeys(("study", "question", "load", "placement", "command", "created", "profpipe"), "")
    return StudyRecord(
        **{
            **empty,
            "baseline": variants[0],
            "rounds": 1,
            "kinds": {},
            "environment": {},
            "variants": tuple(VariantFacts(v, labels.get(v, ""), languages.get(v, ""), ()) for v in variants),
            **facts,
        }
    )


def study_data(runs: Sequence[RunData], variants: Sequence[str], **facts: Any) -> StudyData:
    """Runs and the record of their study; the facts of StudyData itself are among `facts`."""
    of_data = {name: facts.pop(name) for name in OF_DATA if name in facts}
    return StudyData(record=study_record(variants, **facts), runs=tuple(runs), **of_data)
