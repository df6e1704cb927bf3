"""Mistakes in a study file: pydantic's errors in the words of somebody who writes the file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from profpipe.study.config_docs import study_schema
from profpipe.study.positions import KeyPath
from profpipe.study.requests import ONE, SEVERAL

NAME_RULE = "a name starts with a letter or digit and has letters, digits, `.`, `_` and `-`, 64 at most"
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


class Mistake(NamedTuple):
    path: KeyPath
    text: str


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?`, or the known names when none is close and they are few, or nothing."""
    names = sorted(set(known))
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f'; did you mean "{close[0]}"?'
    return f"; known: {', '.join(names)}" if 0 < len(names) <= 20 else ""


def dotted(path: KeyPath) -> str:
    """("target", "x", "command", 0) -> target.x.command[0]; a key that TOML would quote is quoted."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _BARE_KEY.fullmatch(part) else json.dumps(part))
    return text


def shape_mistakes(error: ValidationError, data: Mapping[str, Any]) -> Iterator[Mistake]:
    """One mistake per place: a union's five errors about one value are one mistake."""
    places: dict[KeyPath, list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        path = place_in(data, detail["loc"])
        places.setdefault(path, []).append(detail)
    meant = {(*path[:-1], _meant(path)) for path, details in places.items() if details[0]["type"] == "extra_forbidden"}
    for path, found in places.items():
        details = [detail for detail in found if detail["type"] != "missing" or detail["loc"] not in meant]
        if not details:
            continue  # `comand` was given, and its own mistake suggests "command"
        types = {detail["type"] for detail in details}
        inside = any(other[: len(path)] == path and len(other) > len(path) for other in places)
        if types == {"too_short"} and inside:
            continue  # items were given, and each has its own mistake
        yield Mistake(path, _say(path, details))


def _meant(path: KeyPath) -> str:
    return next(iter(get_close_matches(str(path[-1]), _keys(path[:-1]), n=1)), "")


def place_in(data: Any, loc: KeyPath) -> KeyPath:
    """The part of pydantic's loc that exists in the file: without `[key]`, union members and missing keys."""
    path: KeyPath = ()
    for part in loc:
        item = isinstance(data, tuple) and isinstance(part, int) and part < len(data)
        if part in {ONE, SEVERAL}:
            continue
        if not item and not (isinstance(data, dict) and part in data and part != "[key]"):
            break
        data, path = data[part], (*path, part)
    return path


def _say(path: KeyPath, details: list[ErrorDetails]) -> str:
    first = details[0]
    missing = [str(detail["loc"][-1]) for detail in details if detail["type"] == "missing"]
    if missing:
        return "; ".join(f'missing key "{key}" ({_described((*path, key))})' for key in missing)
    kind, context, value = first["type"], first.get("ctx", {}), first["input"]
    if kind == "extra_forbidden":
        return f"unknown key{did_you_mean(str(path[-1]), _keys(path[:-1]))}"
    if kind == "string_pattern_mismatch":
        if first["loc"][-1] == "[key]" or "A-Za-z0-9" in context["pattern"]:
            return f"{_shown(value)} is not a name: {NAME_RULE}"
        return f"must be text like {context['pattern']}, got {_shown(value)}"
    if path == ("schema",):
        newer = "; a newer profpipe may read it" if isinstance(value, int) else ""
        return f"this profpipe reads schema 1, got {_shown(value)}{newer}"
    if kind == "literal_error":
        hint = did_you_mean(value, re.findall(r"'([^']*)'", context["expected"])) if isinstance(value, str) else ""
        return f"must be {context['expected']}, got {_shown(value)}" + (hint if "mean" in hint else "")
    if kind == "too_short":
        return "must not be empty"
    if len(details) > 1:
        return f"must be text, a number or true/false, got {_shown(value)}"
    return f"{_expected(kind, first['msg'])}, got {_shown(value)}"


_TOML_TYPES = {
    "tuple_type": "an array",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
}


def _expected(kind: str, message: str) -> str:
    return f"must be {_TOML_TYPES[kind]}" if kind in _TOML_TYPES else message.replace("Input should be", "must be", 1)


def _shown(value: object) -> str:
    """The value as TOML would show it, shortened: a mistake stays on one line, without control characters."""
    if isinstance(value, bool):
        return "true" if value else "false"
    try:
        text = json.dumps(value)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _node(path: KeyPath) -> Mapping[str, Any]:
    """The JSON Schema of the value at `path`; empty where anything or nothing is allowed."""
    node: Mapping[str, Any] = study_schema()
    for part in path:
        node = _below(node, part)
    return node


def _below(node: Mapping[str, Any], part: str | int) -> Mapping[str, Any]:
    """The schema of a key or an item; of several alternatives, the first that has it."""
    for each in map(_resolved, node.get("oneOf", (node,))):
        if isinstance(part, int):
            found = each.get("items")
        else:
            found = each.get("properties", {}).get(part) or each.get("additionalProperties") or _of_pattern(each)
        if found:
            return _resolved(found)
    return {}


def _of_pattern(node: Mapping[str, Any]) -> Mapping[str, Any]:
    return next(iter(node.get("patternProperties", {}).values()), {})


def _resolved(node: Any) -> Mapping[str, Any]:
    if not isinstance(node, dict):
        return {}
    if "$ref" not in node:
        return node
    found: Mapping[str, Any] = study_schema()["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    return found


def _keys(path: KeyPath) -> list[str]:
    node = _node(path)
    first = next(iter(node.get("oneOf", ())), node)  # the table, where it may be an array of tables as well
    return list(_resolved(first).get("properties", ()))


def _described(path: KeyPath) -> str:
    parent = _node(path[:-1]).get("properties", {})
    return str(parent.get(path[-1], {}).get("description", "required"))
