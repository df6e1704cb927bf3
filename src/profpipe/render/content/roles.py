"""Two commits under the names that every forge gives them: the comment shows each hash once."""

from __future__ import annotations

import re

from profpipe.model.report import Report
from profpipe.render.content.change import two_commits

BASE, HEAD = "base", "head"


def named_by_role(report: Report) -> Report:
    """The report of two commits with `base` and `head` for labels, in its sentences too; any other as it is."""
    pair = two_commits(report)
    if pair is None:
        return report
    baseline, contender = pair
    names = {baseline.label: BASE, contender.label: HEAD}
    if len(names) < 2 or not all(names):
        return report
    # A label within a longer word is another name.
    found = re.compile("|".join(rf"(?<![\w-]){re.escape(label)}(?![\w-])" for label in sorted(names, key=len)[::-1]))

    def said(text: str) -> str:
        return found.sub(lambda match: names[match.group()], text)

    gate = report.gate
    if gate is not None:
        hits, accepted, undecided = (
            tuple(said(text).removeprefix(f"{HEAD}: ") for text in texts)
            for texts in (gate.hits, gate.accepted, gate.undecided)
        )
        gate = gate.model_copy(update={"hits": hits, "accepted": accepted, "undecided": undecided})
    slices = report.study.slices
    if slices is not None:
        words = {"length": said(slices.length), "control": said(slices.control), "stopped": said(slices.stopped)}
        slices = slices.model_copy(update=words)
    return report.model_copy(
        update={
            "study": report.study.model_copy(update={"slices": slices}),
            "variants": tuple(v.model_copy(update={"label": said(v.label)}) for v in report.variants),
            "conclusions": tuple(c.model_copy(update={"text": said(c.text)}) for c in report.conclusions),
            "gate": gate,
        }
    )
