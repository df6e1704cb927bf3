"""Mistakes in what a request expects of bodies."""

from __future__ import annotations

import re
from collections.abc import Iterator

from profpipe.study.mistakes import Mistake
from profpipe.study.positions import KeyPath
from profpipe.study.requests import Asked

RULES = ("contains", "pattern", "pointer")


def check_expected(path: KeyPath, asked: Asked) -> Iterator[Mistake]:
    """Mistakes in the `expect_body` of a request."""
    rule = asked.expect_body
    if rule is None:
        return
    if asked.method == "HEAD":
        yield Mistake(path, "an answer to HEAD has no body")
    given = [key for key in RULES if getattr(rule, key) is not None]
    if len(given) != 1:
        yield Mistake(
            path, f"one of {', '.join(RULES)} says what is expected; {' and '.join(given) or 'nothing'} is set"
        )
    if rule.equals is not None and rule.pointer is None:
        yield Mistake((*path, "equals"), 'has no effect without pointer = "/PLACE"')
    if rule.pointer and not rule.pointer.startswith("/"):
        yield Mistake((*path, "pointer"), "a JSON pointer starts with `/`")
    if rule.contains == "":
        yield Mistake((*path, "contains"), "must not be empty: every body has that")
    if rule.pattern is not None:
        try:
            re.compile(rule.pattern)
        except re.error as error:
            yield Mistake((*path, "pattern"), f"not a regular expression: {error}")
