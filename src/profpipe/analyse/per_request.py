"""Cost per request: what a window cost, divided by the requests that were served in it. The one place that divides."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from profpipe.analyse.statistics.medians import Floats
from profpipe.analyse.study_data import RunData, StudyData

Cost = TypeVar("Cost", float, Floats)


def served(study: StudyData, runs: Iterable[RunData]) -> float:
    """Requests that these valid runs served together; 1 where costs are per capture, since nothing was counted."""
    return float(sum(run.record.requests or 1 for run in runs)) if study.per == "request" else 1.0


def per_request(cost: Cost, requests: float) -> Cost:
    """`cost` of the window, or of each function in it, for one request. `requests` comes from `served`."""
    return cost / requests
