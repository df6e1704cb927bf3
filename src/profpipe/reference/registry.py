"""Which published studies and name styles there are, by the names that profpipe.toml and the command line use."""

from __future__ import annotations

from profpipe.model.report import ReferenceInfo, Report
from profpipe.plugins import Registry
from profpipe.reference.interface import NameStyle, PublishedStudy

STUDIES: Registry[PublishedStudy] = Registry(
    kind="published study",
    protocol=PublishedStudy,
    builtin={"post-2018": "profpipe.reference.post2018:STUDY"},
    group="profpipe.references",
)
NAME_STYLES: Registry[NameStyle] = Registry(
    kind="name style",
    protocol=NameStyle,
    builtin={"cargo-profiler": "profpipe.reference.post2018:NAME_STYLE"},
    group="profpipe.name_styles",
)


def set_beside(report: Report, key: str, related: Report | None = None) -> Report:
    """The report with the rows of the published study `key`; `related` = the newest report of its related study."""
    study = STUDIES.get(key)
    about = ReferenceInfo(key=key, title=study.title, about=study.about)
    return report.model_copy(update={"reference": about, "seed_table": study.rows(report, related)})
