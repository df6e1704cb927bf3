"""Profiles of many runs -> one Report: names, categories, hotspots, noise, comparison, conclusions."""

from __future__ import annotations

from profpipe.analyse.conclude import conclude
from profpipe.analyse.data import Earlier, RunData, StudyData
from profpipe.analyse.lists import HotspotRow, hotspot_list
from profpipe.analyse.report import build_report
from profpipe.analyse.side_by_side import compare_profiles

__all__ = [
    "Earlier",
    "HotspotRow",
    "RunData",
    "StudyData",
    "build_report",
    "compare_profiles",
    "conclude",
    "hotspot_list",
]
