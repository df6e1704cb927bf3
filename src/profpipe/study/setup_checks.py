"""Mistakes in the requests that are sent before the load."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from profpipe.study.mistakes import Mistake, did_you_mean
from profpipe.study.positions import KeyPath
from profpipe.study.requests import Asked
from profpipe.study.setup import SetUpRequest, Take, texts_of
from profpipe.study.templates import differs

VALUE_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
# What stands in braces for something else.
TAKEN_NAMES = frozenset({"seq", "random", "csv"})
SOURCES = ("pointer", "pattern", "header", "cookie")


def check_set_up(path: KeyPath, steps: Sequence[SetUpRequest], requests: Sequence[Asked]) -> Iterator[Mistake]:
    """Mistakes in what is taken, and in names that nothing uses. The requests themselves are checked elsewhere."""
    seen: set[str] = set()
    later = [text for each in (*steps[1:], *requests) for text in texts_of(each)]
    for number, step in enumerate(steps):
        if differs(*texts_of(step)):
            words = "a request of the set-up is sent once, and has no {seq}, {random:...} or {csv:...}"
            yield Mistake((*path, number), words)
        for name, take in step.take.items():
            place = (*path, number, "take", name)
            yield from _name(place, name, seen)
            yield from _source(place, take)
            seen.add(name)
            if take.cookie is None and not any(f"{{{name}}}" in text for text in later):
                written = {word for text in later for word in re.findall(r"\{([a-z][a-z0-9_]*)\}", text)} - seen
                hint = did_you_mean(name, written) if written else ""
                yield Mistake(place, f"no request after it has {{{name}}}{hint}")


def _name(place: KeyPath, name: str, seen: set[str]) -> Iterator[Mistake]:
    if not VALUE_NAME.fullmatch(name):
        yield Mistake(place, "the name of a value has small letters, digits and `_`, and begins with a letter")
    elif name in TAKEN_NAMES:
        yield Mistake(place, f"{{{name}}} stands for something else: choose another name")
    elif name in seen:
        yield Mistake(place, "an earlier request takes a value of this name: choose another")


def _source(place: KeyPath, take: Take) -> Iterator[Mistake]:
    given = [source for source in SOURCES if getattr(take, source) is not None]
    if len(given) != 1:
        yield Mistake(place, f"one of {', '.join(SOURCES)} says where it is; {' and '.join(given) or 'nothing'} is set")
    if take.pointer and not take.pointer.startswith("/"):
        yield Mistake((*place, "pointer"), "a JSON pointer starts with `/`")
    if take.pattern is not None:
        try:
            groups = re.compile(take.pattern).groups
        except re.error as error:
            yield Mistake((*place, "pattern"), f"not a regular expression: {error}")
        else:
            if groups != 1:
                yield Mistake((*place, "pattern"), f"needs one group, around the value; it has {groups}")
