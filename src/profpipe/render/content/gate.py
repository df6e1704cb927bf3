"""The gate's answer: what was asked to fail on, what it found, and what was accepted."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe.model.report import Report

HITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class GateText:
    """`word` = passed or failed, `asked` = what fails it, `hits` = what did; `more` counts those not listed.

    `accepted` = regressions that did not fail it, each with who accepted it and why.
    """

    failed: bool
    word: str
    asked: str
    hits: tuple[str, ...]
    more: str
    accepted: tuple[str, ...] = ()


def gate_text(report: Report) -> GateText | None:
    """None where nothing was asked to fail on."""
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
