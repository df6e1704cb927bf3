"""The page: one HTML file, no network, nothing runs in it but our own script, admitted by its hash."""

from __future__ import annotations

from profpipe.model.report import Report
from profpipe.render.content.study import study_text
from profpipe.render.page.interface import Section
from profpipe.render.page.sections import SECTIONS, script_data, shown
from profpipe.render.templates import PAGE, environment, inlined, templates_folder
from profpipe.render.visible import visible_report


def render_page(report: Report, sections: tuple[Section, ...] = SECTIONS) -> str:
    """The whole report as one HTML document. The same report gives the same bytes."""
    folder, clear = templates_folder(), visible_report(report)
    found = shown(clear, sections)
    # For the links of a conclusion's evidence: part of report.json -> id of the section that shows it.
    where = {part: section.key for section, _ in found for part in section.shows}
    return (
        environment(folder)
        .get_template(PAGE)
        .render(
            study=study_text(clear),
            sections=found,
            where=where,
            data=script_data(clear, sections),
            **inlined(folder, "report"),
        )
    )
