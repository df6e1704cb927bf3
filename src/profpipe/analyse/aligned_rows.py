"""What the alignment of two commits adds to a table: other names of a row, and cost that only moved between rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from profpipe.analyse.matrix import Matrix
from profpipe.analyse.statistics.medians import Floats
from profpipe.model.report import Alignment

# What moving costs, as a share of what moved: a call more or less, registers saved.
OF_MOVED = 0.05


@dataclass(frozen=True, slots=True)
class AlignedRows:
    """Each by contender.

    `alignment` holds rows that were found under another name; `moved` what moved into (positive) or out of each row,
    which adds up to 0; `words` describes it; `unmatched` is the share of both sides' self in functions that only one
    side has, without what moved between them and the rest.
    """

    alignment: Mapping[str, Mapping[int, Alignment]] = field(default_factory=dict)
    moved: Mapping[str, Floats] = field(default_factory=dict)
    words: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    unmatched: Mapping[str, float] = field(default_factory=dict)


NOT_ALIGNED = AlignedRows()
AlignedTable = tuple[Matrix, AlignedRows]


def only_moved(change: Floats, moved: Floats) -> NDArray[np.bool_]:
    """Rows whose change is what moved, within what moving costs."""
    return np.asarray((moved != 0) & (np.abs(change - moved) <= OF_MOVED * np.abs(moved)), dtype=np.bool_)
