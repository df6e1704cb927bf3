"""Which lines of which files ran inside a function: what a diff's changed lines are looked up in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FunctionLines:
    """Lines of one file that ran in one function. `file` differs from `home` where code was inlined from elsewhere.

    Names and paths as the profiler wrote them; `home` is the function's own file.
    """

    name: str
    home: str
    file: str
    lines: frozenset[int]
