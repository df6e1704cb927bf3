"""The position of every key in a TOML file. tomllib gives the values, tree-sitter the positions."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import tree_sitter
import tree_sitter_toml

KeyPath = tuple[str | int, ...]
_LANGUAGE = tree_sitter.Language(tree_sitter_toml.language())


class Position(NamedTuple):
    """Line and column from 1; the column counts characters."""

    line: int
    col: int


def positions(text: str) -> Mapping[KeyPath, Position]:
    """The position of every key, table header and array item of a valid TOML text.

    A table that only its sub-tables name (`[target.x.env]` names `target.x`) has the position of the first of them.
    """
    lines = text.encode().split(b"\n")
    implied: dict[KeyPath, Position] = {}
    exact: dict[KeyPath, Position] = {}
    for path, node, own in _entries(tree_sitter.Parser(_LANGUAGE).parse(text.encode()).root_node):
        row, byte = node.start_point
        # tree-sitter counts bytes; an editor counts characters.
        place = Position(row + 1, len(lines[row][:byte].decode(errors="replace")) + 1)
        (exact if own else implied).setdefault(path, place)
    return implied | exact


def nearest_position(known: Mapping[KeyPath, Position], path: KeyPath) -> Position:
    """The position of `path`, else of the innermost table around it that has one, else the start of the file."""
    for end in range(len(path), -1, -1):
        if path[:end] in known:
            return known[path[:end]]
    return Position(1, 1)


_Entry = tuple[KeyPath, tree_sitter.Node, bool]


def _entries(document: tree_sitter.Node) -> Iterator[_Entry]:
    arrays: dict[KeyPath, int] = {}  # array of tables -> number of its last element
    for node in document.named_children:
        if node.type == "pair":
            yield from _pair(node, ())
        elif node.type in ("table", "table_array_element"):
            header, *body = node.named_children
            path: KeyPath = ()
            parts = _parts(header)
            for place, part in enumerate(parts):
                path = (*path, _name(part))
                last = place == len(parts) - 1
                yield path, part, last
                if last and node.type == "table_array_element":
                    arrays[path] = arrays.get(path, -1) + 1
                if path in arrays:
                    path = (*path, arrays[path])
                    yield path, part, last
            for pair in body:
                if pair.type == "pair":
                    yield from _pair(pair, path)


def _pair(pair: tree_sitter.Node, base: KeyPath) -> Iterator[_Entry]:
    key, *rest = pair.named_children
    path = base
    parts = _parts(key)
    for place, part in enumerate(parts):
        path = (*path, _name(part))
        yield path, part, place == len(parts) - 1
    for value in rest:
        yield from _value(value, path)


def _value(node: tree_sitter.Node, path: KeyPath) -> Iterator[_Entry]:
    if node.type == "array":
        items = [child for child in node.named_children if child.type != "comment"]
        for number, item in enumerate(items):
            yield (*path, number), item, True
            yield from _value(item, (*path, number))
    elif node.type == "inline_table":
        for pair in node.named_children:
            if pair.type == "pair":
                yield from _pair(pair, path)


def _parts(key: tree_sitter.Node) -> list[tree_sitter.Node]:
    """The grammar nests `a.b.c` to the left: ((a . b) . c)."""
    if key.type == "dotted_key":
        return [part for child in key.named_children for part in _parts(child)]
    return [key]


def _name(key: tree_sitter.Node) -> str:
    text = (key.text or b"").decode()
    if key.type == "bare_key":
        return text
    (name,) = tomllib.loads(f"{text} = 0")
    return name
