"""Doubts that a load generator has about its own figures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from profpipe.model.run import LoadResult

Figure = Literal["rate", "latency"]
FIGURES: tuple[Figure, ...] = ("rate", "latency")


@dataclass(frozen=True, slots=True)
class Doubt:
    """A reason in words and the figures it makes doubtful; no figure when it is only to be shown."""

    text: str
    about: tuple[Figure, ...] = ()


def with_doubts(result: LoadResult, doubts: Iterable[Doubt]) -> LoadResult:
    """The result with these doubts after its own."""
    doubts = tuple(doubts)
    doubtful = {*result.doubted, *(figure for doubt in doubts for figure in doubt.about)}
    return replace(
        result,
        doubts=(*result.doubts, *(doubt.text for doubt in doubts)),
        doubted=tuple(figure for figure in FIGURES if figure in doubtful),
    )
