"""Habits that reviewers know, where their calls differ: what is done per request, by whom, and what to look at next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from profpipe.analyse.conclusions.facts import Facts, Figure, conclusion, named, times
from profpipe.analyse.conclusions.registry import weight
from profpipe.model.report import Conclusion, HabitCalls

# Fewer additional calls per request are a matter of single requests, not of each.
PER_REQUEST = 0.5
# A query for each row: several more than before, and at least twice as many.
ROWS = 2.0


@dataclass(frozen=True, slots=True)
class _Words:
    """`what` = what a variant does; `advice` = what to look at next; `likely` = its calls alone do not prove it.

    `follows`: often no habit of its own but a part of another one, which is then told first.
    """

    what: str
    advice: str
    likely: bool = False
    follows: bool = False


WORDS: Mapping[str, _Words] = {
    "query": _Words(
        "sends several queries where one may do",
        "whether one query can fetch all rows: a join, IN, select_related or prefetch_related in Django, joinedload or "
        "selectinload in SQLAlchemy",
        likely=True,
    ),
    "regular expression": _Words(
        "compiles regular expressions while it serves",
        "whether the pattern can be compiled once, at import: re keeps the last 512, and a pattern that holds text of "
        "the request is a new one each time",
    ),
    "template": _Words(
        "makes templates or their environment while it serves",
        "whether the environment can be made once, at import, so that its cache of compiled templates is used",
    ),
    "validator": _Words(
        "builds validators or models while it serves",
        "whether the model, schema or TypeAdapter can be built once, at import",
    ),
    "client": _Words(
        "makes clients while it serves",
        "whether one client can live as long as the server: a new one opens new connections and may load certificates",
    ),
    "database connection": _Words(
        "opens database connections while it serves",
        "whether a pool or a kept connection can be used (CONN_MAX_AGE in Django, the engine's pool in SQLAlchemy)",
    ),
    "blocking call": _Words(
        "blocks its event loop while it serves",
        "an awaitable call in its place, or a thread (asyncio.to_thread): all other requests wait meanwhile, which CPU "
        "time does not show",
        likely=True,
    ),
    "thread pool": _Words(
        "hands work to a thread pool while it serves",
        "whether the function can be `async def`: FastAPI and Starlette run a plain `def` in a thread, and handing over"
        " to it costs more than a short function does",
    ),
    "deep copy": _Words(
        "makes deep copies while it serves",
        "whether the copy is changed at all; where it is, copy only the part that changes",
    ),
    "warning": _Words(
        "issues warnings while it serves",
        "what the warning says (`python -W error` shows where it comes from): also one that is not shown costs a look "
        "at the stack",
    ),
    "log record": _Words(
        "writes log records while it serves",
        "the level of the record, and whether one record can hold what several do",
    ),
    "import": _Words(
        "imports modules while it serves",
        "whether the import can stand at the top of its file; an import that fails is searched for each time",
        follows=True,  # a client that is made imports what it sends with
    ),
    "accepted connection": _Words(
        "accepts new connections while it serves",
        "who closes them: `Connection: close`, a keep-alive time that is too short, or a server without keep-alive",
    ),
}


def habits(facts: Facts) -> Iterator[Conclusion]:
    """For every contender: each habit whose calls differ by about one per request or more, in either direction."""
    for contender in facts.contenders:
        calls = [(i, c) for i, c in enumerate(facts.report.habits) if c.contender == contender.id and c.habit in WORDS]
        shown = [(i, c) for i, c in calls if _differs(c)]
        for place, (i, c) in enumerate(sorted(shown, key=_order)):
            yield _conclusion(facts, c, f"habits.{i}", place)


def _order(item: tuple[int, HabitCalls]) -> tuple[bool, float, int]:
    """What follows from another habit last, then by the difference."""
    i, calls = item
    return WORDS[calls.habit].follows, -abs(calls.after - calls.before), i


def _differs(calls: HabitCalls) -> bool:
    few, many = sorted((calls.before, calls.after))
    if calls.habit == "query":
        return many - few >= ROWS and many >= ROWS * few
    return many - few >= PER_REQUEST


def _conclusion(facts: Facts, calls: HabitCalls, path: str, place: int) -> Conclusion:
    contender, baseline = facts.label(calls.contender), facts.baseline.label
    words = WORDS[calls.habit]
    more, less = (contender, baseline) if calls.after > calls.before else (baseline, contender)
    few, many = sorted((calls.before, calls.after))
    below = f" below {named(calls.own)}" if calls.own is not None else ""
    text = (
        f"{more} {words.what}: {named(calls.function)} runs {times(many)} per request{below}, "
        f"{times(few) if few else 'never'} in {less}. To look at next: {words.advice}."
    )
    rows = [Figure(calls.before, f"{path}.before").row, Figure(calls.after, f"{path}.after").row]
    return conclusion(
        "habits",
        f"{calls.contender}:{calls.habit}",
        text,
        kind="cause",
        weight=weight("habits", 0.3 - 0.02 * place),
        rows=rows,
        certainty="likely" if words.likely else "measured",
    )
