"""comment.md: the verdict first, figures, gap and changed functions open, the rest folded; cut by whole sections."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from profpipe.errors import ReportError
from profpipe.model.report import Report
from profpipe.render.comment.escape_markdown import Md, block, code, prose
from profpipe.render.comment.view import CommentView, build_comment_view
from profpipe.render.page.hotspots import HotFunction, HotTable
from profpipe.render.page.html import templates_folder
from profpipe.render.page.view import ReportView, build_view

# GitHub refuses a comment over 65,536 characters; other forges count bytes.
LIMIT = 60_000
FUNCTIONS = 15
# (block, title of the folded part; empty = always open). In order of importance: the last ones go first.
SECTIONS = (
    ("verdict", ""),
    ("figures", ""),
    ("gap", ""),
    ("changed", ""),
    ("footer", ""),
    ("why", "Why, in words"),
    ("all_figures", "All figures"),
    ("invalid", "Runs that do not count"),
    ("more", "More conclusions"),
    ("gaps", "The gaps of the other variants"),
    ("waterfall", "The gap in numbers"),
    ("method", "What this rests on"),
    ("hotspots", "Hotspots"),
    ("seed", "A published study, line by line"),
    ("classic", "The classic list"),
)
QUIET = (("quiet", ""), ("footer", ""))
# A link that could not end its own parentheses, and that is one for sure.
_LINK = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&*+,;=%-]{1,2000}")


@lru_cache(maxsize=4)
def environment(folder: Path) -> Environment:
    """Markdown's autoescape: whatever a template prints that is not Md goes through `prose`."""
    made = Environment(
        loader=FileSystemLoader(folder),
        autoescape=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=prose,
    )
    made.filters["code"] = code
    made.filters["block"] = block
    return made


def render_comment(report: Report, *, limit: int = LIMIT, link: str = "", origin: str = "") -> str:
    """comment.md, at most `limit` characters and bytes. What does not fit is named, with how many rows it had.

    `link` = where report.html can be opened, `origin` = a sentence of ours about who measured. Raises ReportError
    when the link is not one that Markdown could hold.
    """
    if link and not _LINK.fullmatch(link):
        raise ReportError("the link to the report is not http:// or https:// with the signs of a URL: leave it out")
    view = build_view(report)
    own = build_comment_view(report, view)
    template = environment(templates_folder()).get_template("comment.md.j2")
    values = _values(view, own) | {"link": Md(link), "origin": origin}
    kept: list[str] = []
    cut: list[str] = []
    room = limit - 500
    for name, general in QUIET if own.quiet else SECTIONS:
        title = str(prose(view.published.title)) if name == "seed" and view.published else general
        text = _tidy("".join(template.blocks[name](template.new_context(values))))
        if not text:
            continue
        section = text if not title else f"<details><summary>{title}</summary>\n\n{text}\n\n</details>"
        if _size(section) + 2 <= room:
            kept.append(section)
            room -= _size(section) + 2
        else:
            cut.append(f"{title or name}: {_rows(text):,} rows not shown")
    if not kept or cut[:1] == ["verdict: 0 rows not shown"]:
        kept.insert(0, str(prose(own.headline[: limit // 16])))
    if cut:
        kept.append("Cut to fit: " + "; ".join(cut[:9]) + ". The page has everything.")
    return "\n\n".join(kept) + "\n"


def verdict_line(report: Report, limit: int) -> str:
    """The first line of the comment as plain text, for a status."""
    text = build_comment_view(report, build_view(report)).headline
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _rows(text: str) -> int:
    """Rows of tables without their heads, items of lists, and lines of drawings."""
    lines = text.splitlines()
    heads = sum(line.startswith("| --") for line in lines)
    return sum(line.startswith(("| ", "- ")) for line in lines) - 2 * heads


def _size(text: str) -> int:
    return max(len(text), len(text.encode("utf-8", "replace")))


def _tidy(text: str) -> str:
    """Table rows on lines of their own without blank lines between, other blank lines single."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    kept: list[str] = []
    for index, line in enumerate(lines):
        following = next((later for later in lines[index + 1 :] if later), "")
        if line == "" and kept and kept[-1].startswith("|") and following.startswith("|"):
            continue
        if line == "" and kept and kept[-1] == "":
            continue
        kept.append(line)
    return "\n".join(kept)


def _values(view: ReportView, own: CommentView) -> dict[str, Any]:
    first = {w.metric for w in view.waterfalls.views[:1]}
    return {
        "view": view,
        "own": own,
        "waterfalls": [w for w in view.waterfalls.views if w.metric in first],
        "hotspots": [(table, *_top(table)) for table in view.hotspots],
    }


def _top(table: HotTable) -> tuple[list[HotFunction], str]:
    functions = [f for category in table.categories for f in category.functions]
    if table.ranked:
        functions.sort(key=lambda f: -max((float(cell.key) for cell in f.cells), default=0.0))
    hidden = len(functions) - FUNCTIONS
    return functions[:FUNCTIONS], f"{hidden:,}" if hidden > 0 else ""
