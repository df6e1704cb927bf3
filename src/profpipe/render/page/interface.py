"""What a section of the page is. `sections.SECTIONS` lists them in the order of the page.

A new section is a file here with its `SECTION`, a template, and its place in `sections.SECTIONS`: the bar at the top of
the page links to it, and conclusions that rest on what it shows link to it too. docs/extend/page-section.md adds one
step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from profpipe.model.report import Report


def no_data(_: Report) -> Mapping[str, Any]:
    """For a section that needs no script."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One section of the page, from a report to what its template shows.

    `key`: the id of its element, and what the address bar shows: lower-case letters and dashes.
    `title`: its name in the bar at the top.
    `template`: a file in templates/ that prints one `<section id="{{ section.key }}">` of `view` and computes nothing.
    `view`: Report -> a frozen value of texts and integer positions, every text as `visible_report` left it; None leaves
    the section out. Pure: the same report gives the same view.
    `script`: Report -> what the page's script reads of it, JSON under names that no other section uses; empty lists
    where there is nothing, for the script reads them on every page.
    `shows`: the parts of report.json that a reader finds here; a conclusion's evidence links to it.
    """

    key: str
    title: str
    template: str
    view: Callable[[Report], Any | None]
    script: Callable[[Report], Mapping[str, Any]] = no_data
    shows: tuple[str, ...] = ()
