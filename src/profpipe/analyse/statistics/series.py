"""A figure over its rounds as the report holds it: values, median, interval and spread."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from profpipe.analyse.statistics.medians import Floats, median_interval
from profpipe.model.report import Series


def rounded(value: float, digits: int = 9) -> float:
    """Significant digits enough for any figure here, so that a report does not carry 17 of them."""
    return float(f"{value:.{digits}g}")


def series(values: Sequence[float | None], why: str | None = None) -> Series:
    """The figure of a variant over its rounds; None = that round is invalid. No valid round: `why` says the reason."""
    known = np.array([v for v in values if v is not None], dtype=np.float64)
    shown = tuple(None if v is None else rounded(v) for v in values)
    if not len(known):
        return Series(values=shown, why=why or "no valid round")
    low, high = median_interval(known)
    middle = float(np.median(known))
    cv = float(np.std(known, ddof=1) / abs(known.mean())) if len(known) > 1 and known.mean() else None
    return Series(
        values=shown,
        median=rounded(middle),
        low=None if low is None else rounded(low),
        high=None if high is None else rounded(high),
        cv=None if cv is None else rounded(cv, 4),
        why=why,
    )


def valid(figure: Series) -> Floats:
    """The values of the valid rounds."""
    return np.array([v for v in figure.values if v is not None], dtype=np.float64)
