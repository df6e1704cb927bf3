"""Does a report name what was planted? Decided from its sentences alone, as a reader would."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from bench.causes.table import Expected
from profpipe.model.report import Conclusion, Report

Outcome = Literal["named", "later", "not named", "nothing said", "held", "false cause"]
GOOD: tuple[Outcome, ...] = ("named", "held")


@dataclass(frozen=True, slots=True)
class Found:
    """What a report says of one study."""

    outcome: Outcome
    sentence: str  # the one that names the function, else the first cause; empty without any cause
    through: bool  # the sentence names the library's function too
    wrong: tuple[str, ...]  # verdicts that contradict what was planted


def judge(report: Report, expected: Expected) -> Found:
    """The outcome is `named` only if the first cause names both the function and its file."""
    causes = [conclusion for conclusion in report.conclusions if conclusion.kind == "cause"]
    wrong = wrong_verdicts(report, expected)
    if expected.is_control:
        return Found("false cause" if causes else "held", _text(causes), False, wrong)
    if not causes:
        return Found("nothing said", "", False, wrong)
    for at, cause in enumerate(causes):
        if names(cause.text, expected.function or "") and _names_file(cause.text, expected.file or ""):
            through = names(cause.text, expected.through or expected.function or "")
            return Found("later" if at else "named", cause.text, through, wrong)
    return Found("not named", _text(causes), names(causes[0].text, expected.through or ""), wrong)


def names(text: str, function: str) -> bool:
    """Whether the function stands in the text as a word of its own, with or without its class in front."""
    return bool(function) and re.search(rf"(?<!\w){re.escape(function)}(?!\w)", text) is not None


def _names_file(text: str, file: str) -> bool:
    """The last part of its path is enough: where a library is installed is not asked for."""
    return re.search(rf"(?<!\w){re.escape(file.rpartition('/')[2])}(?!\w)", text) is not None


def wrong_verdicts(report: Report, expected: Expected) -> tuple[str, ...]:
    """Costs of the contender that are called better, where a habit was planted, or differ at all, where none was."""
    forbidden = ("better", "worse") if expected.is_control else ("worse",) if expected.saves_cpu else ("better",)
    return tuple(
        f"{key} {figure.verdict}"
        for variant in report.variants
        if variant.role == "contender"
        for key, figure in variant.against_baseline.items()
        if figure.verdict in forbidden and key in ("clean:cpu_us", "callgrind:instructions")
    )


def _text(causes: list[Conclusion]) -> str:
    return causes[0].text if causes else ""
