"""Which published studies and list styles there are, by the names that profpipe.toml and the command line use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from profpipe.errors import UsageError

if TYPE_CHECKING:
    from profpipe.model.report import Report
    from profpipe.reference.interface import NameStyle, PublishedStudy

# `reference` of a study -> the folder that has the published study as STUDY.
STUDIES = {"post-2018": "post2018"}
# `name_style` of a study -> the folder that has the style as NAME_STYLE.
NAME_STYLES = {"cargo-profiler": "post2018"}


def published_study(key: str) -> PublishedStudy:
    """The published study with this key. Raises UsageError naming those that exist."""
    if key not in STUDIES:
        raise UsageError(f"no published study {key!r}; profpipe has: {', '.join(STUDIES)}")
    found: PublishedStudy = import_module(f"profpipe.reference.{STUDIES[key]}").STUDY
    return found


def name_style(key: str) -> NameStyle:
    """The list style with this key. Raises UsageError naming those that exist."""
    if key not in NAME_STYLES:
        raise UsageError(f"no name style {key!r}; profpipe has: {', '.join(NAME_STYLES)}")
    found: NameStyle = import_module(f"profpipe.reference.{NAME_STYLES[key]}").NAME_STYLE
    return found


def set_beside(report: Report, key: str, related: Report | None = None) -> Report:
    """The report with the rows of the published study `key`; `related` = the newest report of its related study."""
    from profpipe.model.report import ReferenceInfo

    study = published_study(key)
    about = ReferenceInfo(key=key, title=study.title, about=study.about)
    return report.model_copy(update={"reference": about, "seed_table": study.rows(report, related)})
