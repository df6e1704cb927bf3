"""Which figures that are read first have no verdict yet, so that more rounds are worth their time."""

from __future__ import annotations

from collections.abc import Mapping

from profpipe.analyse.conclusions.facts import Facts
from profpipe.model.metric_keys import FIRST
from profpipe.model.report import Comparison, Report


def undecided_metrics(report: Report) -> frozenset[str]:
    """The keys, among CPU time and the counted total, whose verdict for any contender is still "cannot tell".

    A figure without any value is left out: more rounds do not bring it. So is CPU time where it is decided as a ratio
    to the load generator's, which many rounds on a machine with slow spells would only repeat.
    """
    facts = Facts(report)
    return frozenset(
        key
        for contender in facts.contenders
        for key in (_first(report, contender.against_baseline), facts.counted())
        if key is not None and (found := contender.against_baseline.get(key)) is not None and undecided(found)
    )


def _first(report: Report, figures: Mapping[str, Comparison]) -> str | None:
    """None where CPU time was measured by slices: rounds add nothing to starts."""
    return _first_decided(figures, FIRST) if report.study.slices is None else None


def _first_decided(figures: Mapping[str, Comparison], keys: tuple[str, ...]) -> str:
    """The first of the figures that is decided, else the first of all: they are one question."""
    return next((key for key in keys if key in figures and not undecided(figures[key])), keys[0])


def undecided(comparison: Comparison) -> bool:
    """Whether more rounds could decide it: "cannot tell" between two known figures."""
    return comparison.verdict == "cannot tell" and comparison.delta is not None
