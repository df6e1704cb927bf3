"""The parts of a function's name that survive an edit: its path without types and its last word; how alike two are."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from functools import lru_cache

from profpipe.analyse.names.demangle import path_of

_CLOSURE = re.compile(
    r"(?:::\{(?:\{?closure|vtable|shim|impl|async)[^{}]*\}+|(?:::)?\{lambda\(.*\)#\d+\}|\.func\d+(?:\.\d+)*)+$"
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
# Words that do not tell what a function does: a version, a variant, a part of something.
_EMPTY = frozenset({"fn", "func", "do", "impl", "inner", "part", "new", "old", "the", "v", "internal"})
_MAX_WORD = 120
SPELT_ALIKE = 0.85


@lru_cache(maxsize=65536)
def stem_of(name: str) -> str:
    """The path of a name without type arguments and without parameters: `ns::put<int>(int, char*)` is `ns::put`.

    Instantiations and overloads of one function share it, as do both sides of a changed signature. A name that does
    not balance stays as it is.
    """
    if "operator" in name:
        return name
    path = path_of(name)
    if not path.endswith((")", ") const", ") &", ") &&")):
        return path
    depth = 0
    for place in range(path.rindex(")"), -1, -1):
        depth += (path[place] == ")") - (path[place] == "(")
        if depth == 0:
            # `(anonymous namespace)` and Go's `(*conn)` are parts of the path, not parameters.
            head = path[:place]
            return head if head and head[-1] not in ":. " else path
    return path


@lru_cache(maxsize=65536)
def last_word(name: str) -> str:
    """The name of a function in its source: `<B as D>::poll::{closure#0}` is `poll`, `a.(*b).serve` is `serve`."""
    stem = _CLOSURE.sub("", stem_of(_CLOSURE.sub("", name)))
    return re.split(r"::|[./ ]", stem)[-1].strip("*&()<>") or stem


@lru_cache(maxsize=65536)
def likeness(before: str, after: str) -> float:
    """The share of words that two names have in common, 0 to 1: `write_head` and `head_writer` have 1.

    Only the last word of a path counts, split at capitals and underscores. Words count as the same when they are spelt
    alike (serialise, serialize: 0.89 of their letters), but not encode and decode (0.83).
    """
    first, second = (_meaning(last_word(name)[:_MAX_WORD]) for name in (before, after))
    if not first or not second:
        return 1.0 if last_word(before) == last_word(after) else 0.0
    shared = sum(any(_alike(a, b) for b in second) for a in first)
    return shared / max(len(first), len(second))


def _alike(a: str, b: str) -> bool:
    return a == b or (min(len(a), len(b)) >= 5 and SequenceMatcher(None, a, b, autojunk=False).ratio() >= SPELT_ALIKE)


def _meaning(word: str) -> frozenset[str]:
    return frozenset(w for w in (w.lower() for w in _WORDS.findall(word)) if w not in _EMPTY and not w.isdigit())
