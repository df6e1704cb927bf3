"""Profiles of many runs -> one Report: names, categories, hotspots, noise, comparison, conclusions."""

from __future__ import annotations

from profpipe.analyse.commits.changed_functions import SideLines, changed_functions, in_changed_file
from profpipe.analyse.commits.diff import parse_diff
from profpipe.analyse.compare_captures import compare_profiles
from profpipe.analyse.conclusions.conclude import conclude
from profpipe.analyse.report import build_report, with_changes
from profpipe.analyse.study_data import RunData, StudyData
from profpipe.analyse.tables.profile_list import HotspotRow, hotspot_list

__all__ = [
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
