"""Is what a comparison says of a bump what the package's changelog says? Decided from report and exit code alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bench.bumps.table import Bump, Cost
from profpipe.model.report import Report

# The costs that decide, the surest first.
COSTS = ("callgrind:instructions", "clean:cpu_us", "clean:cpu_beside_load")


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of a bump. `cost` is None where no cost was decided; `cause` = the sentence that was judged."""

    cost: Cost | None
    figures: str
    gate: int
    cause: str
    name: str | None

    def wrong(self, bump: Bump) -> tuple[str, ...]:
        """What is not as it must be: verdict, gate, name; empty where all is right."""
        # "Cannot tell" of a bump that changes nothing is no false verdict, and of one that does it is no answer.
        verdict = self.cost != bump.cost and (bump.cost != "same" or self.cost is not None)
        nameless = self.name is None if bump.names else False
        checks = {"verdict": verdict, "gate": self.gate != bump.gate, "name": nameless}
        return tuple(what for what, is_wrong in checks.items() if is_wrong)


def judge(report: Report, code: int, bump: Bump) -> Found:
    """`code` = the exit code of the comparison."""
    contender = next(variant for variant in report.variants if variant.role == "contender")
    figures = {key: contender.against_baseline[key] for key in COSTS if key in contender.against_baseline}
    verdicts = {key: figure.verdict for key, figure in figures.items()}
    sentences = [each.text for each in report.conclusions if each.kind in ("cause", "verdict")]
    cause = next((text for text in sentences if _name(text, bump)), sentences[0] if sentences else "")
    first = [each.text for each in report.conclusions if each.kind == "cause"][:1]
    return Found(
        cost=_cost(verdicts),
        figures=", ".join(
            f"{key.partition(':')[2]} {figure.ratio:.2f}x {figure.verdict}" if figure.ratio else f"{key} unknown"
            for key, figure in figures.items()
        ),
        gate=code,
        cause=first[0] if first else cause,
        name=_name(first[0], bump) if first else None,
    )


def _cost(verdicts: Mapping[str, str]) -> Cost | None:
    """One verdict of all costs: those that differ from the baseline count, in their order."""
    for key in COSTS:
        if (found := verdicts.get(key)) in ("better", "worse"):
            return found  # type: ignore[return-value]
    return "same" if "no change" in verdicts.values() else None


def _name(text: str, bump: Bump) -> str | None:
    """The first of the bump's names that stands in the text as a word of its own."""
    return next((name for name in bump.names if re.search(rf"(?<![\w-]){re.escape(name)}(?!\w)", text)), None)
