"""Profiles of many runs -> one Report: names, categories, hotspots, noise, comparison, conclusions.

What other rooms use is found here and imported when it is first asked for: the hotspot list of one capture needs
neither pandas nor the report.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from profpipe.analyse.commits.changed_functions import ExecutedLines, changed_functions, in_changed_file
    from profpipe.analyse.commits.diff import parse_diff
    from profpipe.analyse.compare_captures import compare_profiles
    from profpipe.analyse.conclusions.conclude import conclude
    from profpipe.analyse.report import build_report, with_changes
    from profpipe.analyse.study_data import RunData, StudyData
    from profpipe.analyse.tables.profile_list import HotspotRow, hotspot_list

__all__ = [
    "ExecutedLines",
    "HotspotRow",
    "RunData",
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

_FILES = {
    "HotspotRow": "tables.profile_list",
    "RunData": "study_data",
    "ExecutedLines": "commits.changed_functions",
    "StudyData": "study_data",
    "build_report": "report",
    "changed_functions": "commits.changed_functions",
    "compare_profiles": "compare_captures",
    "conclude": "conclusions.conclude",
    "hotspot_list": "tables.profile_list",
    "in_changed_file": "commits.changed_functions",
    "parse_diff": "commits.diff",
    "with_changes": "report",
}


def __getattr__(name: str) -> object:
    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_FILES[name]}"), name)
