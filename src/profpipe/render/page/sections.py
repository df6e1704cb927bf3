"""The sections of the page, in their order."""

from __future__ import annotations

from typing import Any

from profpipe.model.report import Report
from profpipe.render.page import (
    classic,
    flame_graph,
    gap,
    hotspots,
    libraries,
    load_checks,
    method,
    published_study,
    routes,
    services,
    variants,
    verdict,
)
from profpipe.render.page.interface import Section

SECTIONS: tuple[Section, ...] = (
    verdict.SECTION,
    variants.SECTION,
    routes.SECTION,
    services.SECTION,
    gap.SECTION,
    libraries.SECTION,
    hotspots.SECTION,
    flame_graph.SECTION,
    classic.SECTION,
    published_study.SECTION,
    load_checks.SECTION,
    method.SECTION,
)


def shown(report: Report, sections: tuple[Section, ...] = SECTIONS) -> tuple[tuple[Section, Any], ...]:
    """(section, its view) of those that this report has something for."""
    views = ((section, section.view(report)) for section in sections)
    return tuple((section, view) for section, view in views if view is not None)


def script_data(report: Report, sections: tuple[Section, ...] = SECTIONS) -> dict[str, Any]:
    """What the page's script reads, of all sections together. Raises ValueError when two use one name."""
    found: dict[str, Any] = {}
    for section in sections:
        data = section.script(report)
        twice = sorted(set(data) & set(found))
        if twice:
            raise ValueError(f"section {section.key}: another section's script data is called {twice[0]} already")
        found |= data
    return found
