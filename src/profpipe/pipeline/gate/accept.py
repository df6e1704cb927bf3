"""`profpipe accept`: the regressions of a finished report become entries of `profpipe-accepted.toml`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from profpipe.errors import UsageError
from profpipe.model.accepted import Accepted
from profpipe.model.report import Report
from profpipe.pipeline.gate.judge import Regression, covers, regressions
from profpipe.pipeline.gate.rules import gate_rule, metric_names


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What the author says. `metrics` = only these, all that fail the gate when empty; `at_most` None = as measured."""

    reason: str
    author: str
    metrics: tuple[str, ...] = ()
    at_most: float | None = None
    until: date | None = None


def accept(report: Report, wanted: Acceptance, earlier: Sequence[Accepted] = ()) -> tuple[Accepted, ...]:
    """One entry for each metric that is worse. Raises UsageError when no such metric is, or the reason is empty.

    `earlier` = entries that exist: what they cover needs none. Without a size of the author's, an entry covers the far
    end of the measured interval, so that the next measurement of the same change is covered too.
    """
    if not wanted.reason.strip():
        raise UsageError("--reason is empty: say why this regression is worth it")
    rules = [gate_rule(text) for text in (report.gate.asked if report.gate else ())] or [gate_rule("regression")]
    if wanted.metrics:
        rules = [gate_rule(f"regression:{name}") for name in wanted.metrics]
    found = [r for r in regressions(report, rules) if not any(covers(entry, r) for entry in earlier)]
    absent = [n for n in wanted.metrics if not any(n in metric_names(r.key) for r in found)]
    if absent or not found:
        what = ", ".join(absent) or "no figure"
        raise UsageError(f"{what} is worse in this report beyond what is accepted already: nothing to accept")
    return tuple(_entries(report.study.id.removeprefix("diff-"), found, wanted))


def _entries(study: str, found: Sequence[Regression], wanted: Acceptance) -> Iterator[Accepted]:
    for key in dict.fromkeys(regression.key for regression in found):
        sizes = [size for r in found if r.key == key for size in (r.size, r.high) if size is not None]
        size = wanted.at_most if wanted.at_most is not None else _rounded_up(max(sizes, default=0.0))
        yield Accepted(
            study=study, metric=key, at_most=size, reason=wanted.reason, author=wanted.author, until=wanted.until
        )


def _rounded_up(size: float) -> float:
    """To the next tenth of a percent."""
    return math.ceil(round(size * 1000, 6)) / 1000 or 0.001
