"""The classic list of every variant."""

from __future__ import annotations

from profpipe.model.report import Report
from profpipe.render.content.classic import ClassicText, classic_lists
from profpipe.render.page.interface import Section


def classic_view(report: Report) -> tuple[ClassicText, ...] | None:
    """None where no profiler made one."""
    return classic_lists(report) or None


SECTION = Section(key="lists", title="Lists", template="_lists.html.j2", view=classic_view, shows=("classic",))
