"""Profiles of many runs -> one Report: names, categories, hotspots, noise, comparison, conclusions."""

from __future__ import annotations

from profpipe.analyse.changed_functions import SideLines, changed_functions, in_changed_file, with_changes
from profpipe.analyse.changed_lines import parse_diff
from profpipe.analyse.conclude import conclude
from profpipe.analyse.data import Earlier, RunData, StudyData
from profpipe.analyse.lists import HotspotRow, hotspot_list
from profpipe.analyse.report import build_report
from profpipe.analyse.side_by_side import compare_profiles

__all__ = [
    "Earlier",
    "HotspotRow",
    "RunData",
    "SideLines",
    "StudyData",
    "build_report",
    "changed_functions",
    "compare_profiles",
    "conclude",
    "hotspot_list",
    "in_changed_file",
    "parse_diff",
    "with_changes",
]
