"""The gate's result: its rules, the regressions that failed it, and those that were accepted."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe.model.report import Report

HITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class GateText:
    """`word` = passed or failed, `asked` = the rules, `hits` = the regressions that failed it.

    `more` = how many hits are not listed, in words. `accepted` = regressions that did not fail the gate, each with who
    accepted it and why.
    """

    failed: bool
    word: str
    asked: str
    hits: tuple[str, ...]
    more: str
    accepted: tuple[str, ...] = ()


def gate_text(report: Report) -> GateText | None:
    """None for a report without a gate."""
    gate = report.gate
    if gate is None:
        return None
    rest = len(gate.hits) - HITS
    return GateText(
        failed=gate.failed,
        word="Gate failed" if gate.failed else "Gate passed",
        asked=", ".join(gate.asked) or "nothing",
        hits=gate.hits[:HITS],
        more=f"{rest} more" if rest > 0 else "",
        accepted=gate.accepted[:HITS],
    )
