"""Globs, the patterns of category rules: text with * as the wildcard."""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(maxsize=4096)
def glob(pattern: str) -> re.Pattern[str]:
    """A glob as an expression for `match` on the whole text.

    Every star but the last is an atomic group, so no text makes it backtrack over earlier stars: time grows with
    len(pattern) x len(text) at most.
    """
    head, *rest = [re.escape(part) for part in re.sub(r"\*+", "*", pattern).split("*")]
    if not rest:
        return re.compile(head + r"\Z")
    *middle, tail = rest
    return re.compile(head + "".join(f"(?>.*?{part})" for part in middle) + (f".*{tail}\\Z" if tail else ""), re.DOTALL)
