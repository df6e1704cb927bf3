"""Rounds added until the verdict is stable, without the bias of looking often: looks are fixed before the first one.

Each look has an equal part of the report's alpha (Bonferroni over looks), and a report is judged at the level of one
look. Whatever makes a study stop, a false verdict at any look then stays under alpha. Looks that are nested are
alike, so the bound is not reached; a Pocock level would be some 30 % larger for four looks, but ranks of few rounds
take steps far wider than that.
"""

from __future__ import annotations

from profpipe.model.report import ALPHA, Sequential
from profpipe.units import percent

# Each look has some 1.4 times the rounds of the one before: half the variance in two looks.
GROWTH = 1.42


def looks(first: int, most: int) -> tuple[int, ...]:
    """Rounds per variant after which verdicts are looked at: (7, 20) -> 7, 10, 14, 20.

    Raises ValueError where `first` is under 1 or over `most`.
    """
    if not 1 <= first <= most:
        raise ValueError(f"looks from {first} to {most} rounds: the first must be at least 1 and at most the last")
    found = [first]
    while (after := max(round(found[-1] * GROWTH), found[-1] + 1)) < most:
        found.append(after)
    # A last step of under a fifth would spend a whole look's level on next to nothing.
    if len(found) > 1 and most < found[-1] * 1.2:
        found.pop()
    return (*found, most) if found[-1] < most else tuple(found)


def level(look: int, looks: tuple[int, ...], alpha: float) -> float:
    """The part of `alpha` that the look after `look` rounds may spend; the parts of all looks add up to alpha.

    Raises ValueError for rounds that are no look: an unplanned look has no level.
    """
    if look not in looks:
        raise ValueError(f"{look} rounds are no planned look: {', '.join(map(str, looks))}")
    return alpha / len(looks)


def plan_looks(first: int, most: int, alpha: float = ALPHA) -> Sequential:
    """The looks of a study that has not begun, each with its part of `alpha`, as the report says it."""
    planned = looks(first, most)
    one = level(first, planned, alpha)
    words = ", ".join(map(str, planned[:-1])) + (" and " if len(planned) > 1 else "") + str(planned[-1])
    rule = (
        f"looks fixed beforehand, after {words} rounds, each at {percent(one, 2)} for the whole report: together at "
        f"most {percent(alpha)}"
    )
    return Sequential(rule=rule, looks=(), planned=planned, alpha=one, stopped="cut short")
