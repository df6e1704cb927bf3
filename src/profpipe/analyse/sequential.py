"""Looks at growing numbers of rounds: fixed beforehand, each at its share of the report's level."""

from __future__ import annotations

from profpipe.model.report import Sequential

ALPHA = 0.01
GROWTH = 1.4


def plan_looks(first: int, most: int, alpha: float = ALPHA) -> Sequential:
    """The looks after `first` rounds, then after 1.4 times as many each, `most` at the end."""
    planned = [first]
    while planned[-1] < most:
        planned.append(min(most, max(planned[-1] + 1, round(planned[-1] * GROWTH))))
    level = alpha / len(planned)
    rule = f"{len(planned)} looks fixed beforehand, each at a level of {level:.2g}: together at most {alpha:g}"
    return Sequential(rule=rule, looks=(), planned=tuple(planned), alpha=level, stopped="cut short")
