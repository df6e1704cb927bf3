"""Hostile text made visible, once: every string of a report before anything is rendered from it.

Names come from profiles, configs, command lines and logs. HTML and Markdown escape markup where they print; here goes
what no markup escapes: characters that hide, reorder or end text, and text without end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from profpipe.characters import NAME, visible
from profpipe.errors import ReportError
from profpipe.model.report import Report

PROSE = 2000
# Fields that hold sentences, commands or lists of names; every other text is cut at NAME characters.
LONG: Final = frozenset(
    {"text", "load", "placement", "command", "environment", "reason", "rule", "what", "post", "ours", "why"}
    | {"title", "about", "words"}
)
# Fields by which parts of a report find each other: never cut, or two long keys would become one. They are made visible
# all the same, equally on both sides, for a key is what is shown where there is no label.
KEYS: Final = frozenset(
    {"id", "key", "variant", "metric", "category", "categories", "baseline", "contender", "contenders", "variants"}
    | {"path"}
)
# What stays exactly as it is: numbers, None, and the words of a Literal, which hold nothing but lower-case letters.
T = TypeVar("T")


def visible_report(report: Report) -> Report:
    """The report with every string visible, keys of tables too; what holds nothing hidden is the same object.

    Pure, and changes nothing the second time. Raises ReportError when two keys of one table differ only in characters
    that cannot be seen: one of the two would be lost.
    """
    return _visible(report, "report")


def visible_values(value: T) -> T:
    """The same for one part of a report, or for a frozen dataclass or a tuple of them, as a history has them."""
    return _visible(value, "")


def _visible(value: T, field: str) -> T:
    """The value itself where nothing in it changes, which is nearly always: most of a report is not copied."""
    made: Any = value
    if type(value) in _NO_TEXT:
        pass
    elif isinstance(value, str):
        made = visible(value, limit=None if field in KEYS else PROSE if field in LONG else NAME)
    elif isinstance(value, tuple):
        made = _tuple(value, field)
    elif isinstance(value, dict):
        made = _table(value, field)
    elif isinstance(value, BaseModel):
        changed = _changed(vars(value))
        made = value.model_copy(update=changed) if changed else value
    elif is_dataclass(value) and not isinstance(value, type):
        changed = _changed({item.name: getattr(value, item.name) for item in fields(value)})
        made = replace(value, **changed) if changed else value
    return made  # type: ignore[no-any-return]


_NO_TEXT: Final = frozenset({int, float, bool, type(None)})


def _changed(values: Mapping[str, Any]) -> dict[str, Any]:
    made = {name: _visible(value, name) for name, value in values.items() if type(value) not in _NO_TEXT}
    return {name: value for name, value in made.items() if value is not values[name]}


def _tuple(values: tuple[Any, ...], field: str) -> tuple[Any, ...]:
    # A column of a flame graph has a million numbers; the first shows what it holds.
    if not values or type(values[0]) in (int, float):
        return values
    made = tuple(_visible(item, field) for item in values)
    return values if all(new is old for new, old in zip(made, values, strict=True)) else made


def _table(table: dict[Any, Any], field: str) -> dict[Any, Any]:
    made = {visible(key, limit=None): _visible(value, field) for key, value in table.items()}
    if len(made) < len(table):
        raise ReportError(
            f"{field}: two of its {len(table)} keys differ only in characters that cannot be seen, so they would be "
            "shown as one: give the targets, metrics or settings of this report other names"
        )
    same = all(made.get(key) is value for key, value in table.items())
    return table if same else made
