"""A function that two commits differ in, and the words for what it does more and how often it is called."""

from __future__ import annotations

from dataclasses import dataclass

from profpipe import units
from profpipe.render.text import PER, amount, cut, per_what

# Calls per request repeat within 1 %.
SAME_CALLS = 0.01
NAME = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Culprit:
    """`file` and `line` of its first changed line, else where it is defined; `did` = what it does more, in words.

    `changed` = a line of the change lies in it. `row` = the id of its row in the report's tables, "" where it has none.
    """

    row: str
    name: str
    file: str
    line: int | None
    did: str
    calls: str
    changed: bool


def called_as(name: str) -> str:
    """A plain name with the parentheses of a call."""
    short = cut(name, NAME)
    return f"{short}()" if short.replace("_", "").replace(".", "").isalnum() else short


def did_words(delta: float, *, label: str, unit: str, key: str, inside: bool) -> str:
    """ "executes 1,520 more instructions per request", "and what it calls take 3.1 µs more CPU time per request".

    `key` = the metric's; `inside` = the cost is of the function and what it calls.
    """
    noun, per = per_what(label)
    counted, verb = unit == "1", "execute" if key.endswith(":instructions") else "take"
    word = "more" if delta > 0 else "fewer" if counted else "less"
    start = f"and what it calls {verb}" if inside else f"{verb}s"
    return f"{start} {amount(abs(delta), unit)} {word} {noun} {per or PER}"


def same(before: float | None, after: float | None) -> bool:
    """Whether a function is called equally often; also where one of the two is not known, or none."""
    return not before or not after or abs(after - before) <= SAME_CALLS * before


def calls_words(before: float | None, after: float | None) -> str:
    """ "called once, as before"; empty where one of the two is not known, or none."""
    if not before or not after:
        return ""
    return (
        f"called {times(after)}, as before"
        if same(before, after)
        else f"called {times(after)} instead of {times(before)}"
    )


def times(count: float) -> str:
    """ "once", "2.5 times": per request."""
    near = round(count)
    if near == 1 and abs(count - 1) <= SAME_CALLS:
        return "once"
    exact = near and abs(count - near) <= SAME_CALLS * near
    return f"{units.count(float(near)) if exact else units.count(count)} times"
