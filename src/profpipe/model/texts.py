"""Every text of a report or a record, changed by one function: what is new in a schema cannot be forgotten."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from pydantic import BaseModel

T = TypeVar("T")
OneText = Callable[[str], str]
Words = Callable[[Sequence[str]], tuple[str, ...]]


def with_texts(value: T, text: OneText, words: Words, *, without: frozenset[str] = frozenset()) -> T:
    """The value with `text` applied to every string in it and `words` to every tuple of strings, as commands are.

    Names of fields, keys of tables and fields called as in `without` stay. What doesn't change is the same object.
    """
    made: Any = value
    if isinstance(value, str):
        made = text(value)
    elif isinstance(value, tuple | list):
        made = _sequence(value, text, words, without)
    elif isinstance(value, dict):
        made = _kept(value, {k: with_texts(v, text, words, without=without) for k, v in value.items()})
    elif isinstance(value, BaseModel):
        changed = _changed(vars(value), text, words, without)
        made = value.model_copy(update=changed) if changed else value
    elif is_dataclass(value) and not isinstance(value, type):
        changed = _changed({f.name: getattr(value, f.name) for f in fields(value)}, text, words, without)
        made = replace(value, **changed) if changed else value
    return made  # type: ignore[no-any-return]


def _changed(values: dict[str, Any], text: OneText, words: Words, without: frozenset[str]) -> dict[str, Any]:
    made = {k: with_texts(v, text, words, without=without) for k, v in values.items() if k not in without}
    return {name: value for name, value in made.items() if value is not values[name]}


def _sequence(
    values: tuple[Any, ...] | list[Any], text: OneText, words: Words, without: frozenset[str]
) -> tuple[Any, ...] | list[Any]:
    # A column of a flame graph has a million numbers; the first shows what it holds.
    if not values or type(values[0]) in (int, float):
        return values
    if all(isinstance(item, str) for item in values):
        made: Any = words(values)
    else:
        made = tuple(with_texts(item, text, words, without=without) for item in values)
    if all(new is old or new == old for new, old in zip(made, values, strict=True)):
        return values
    return type(values)(made)


def _kept(old: dict[Any, Any], new: dict[Any, Any]) -> dict[Any, Any]:
    return old if all(new[key] is old[key] for key in old) else new
