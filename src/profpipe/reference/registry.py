"""Which published studies and name styles there are, by the names that profpipe.toml and the command line use."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from profpipe.plugins import Registry
from profpipe.reference.interface import NameStyle, PublishedStudy

if TYPE_CHECKING:
    from profpipe.model.report import Report

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
    """The report with the rows of the published study `key`; `related` = the newest report of its related study.

    Raises UsageError when there is no such study here, PartFailed when the one of another package raises.
    """
    from profpipe.model.report import ReferenceInfo, SeedRow

    study = STUDIES.get(key)
    with STUDIES.blaming(key):
        about = ReferenceInfo(key=key, title=study.title, about=study.about)
        rows = tuple(study.rows(report, related))
        if strange := [row for row in rows if not isinstance(row, SeedRow)]:
            raise TypeError(f"rows gave {type(strange[0]).__name__}, expected SeedRow")
    return report.model_copy(update={"reference": about, "seed_table": rows})


def name_in_style(key: str) -> Callable[[str], str]:
    """How the name style `key` writes a name. Raises UsageError when there is none.

    The function raises PartFailed when the style of another package raises.
    """
    style = NAME_STYLES.get(key)

    def name(raw: str) -> str:
        with NAME_STYLES.blaming(key):
            found = style.name(raw)
            if not isinstance(found, str):
                raise TypeError(f"name gave {type(found).__name__}, expected str")
            return found

    return name
