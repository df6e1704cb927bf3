"""comment.md: the verdict in the first line, the rest folded, small enough for every forge; cut by whole sections."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from profpipe.model.report import Report
from profpipe.render.html import templates_folder
from profpipe.render.view import ReportView, build_view
from profpipe.render.view_hotspots import HotFunction, HotTable

# GitHub refuses a comment over 65,536 characters; other forges count bytes.
LIMIT = 60_000
FUNCTIONS = 15
# Columns a reader compares first; the page has all.
COLUMNS = ("throughput", "p99_us", "clean:cpu_us")

# (block, title of the folded part; empty = always open). In order of importance: the last ones go first.
SECTIONS = (
    ("verdict", ""),
    ("conclusions", ""),
    ("variants", ""),
    ("more", "More conclusions"),
    ("invalid", "Runs that do not count"),
    ("waterfall", "Where the gap comes from"),
    ("seed", "The post of 2018, line by line"),
    ("hotspots", "Hotspots"),
    ("method", "What this rests on"),
    ("classic", "The classic list"),
)


class Md(str):
    """Text that is Markdown already."""

    __slots__ = ()


# With brackets, backticks, angles and pipes escaped, parentheses, dots and signs within a line mean nothing.
_SPECIAL = re.compile(r"([\\`*_{}\[\]|<>~$&^])")
# What makes a heading, a list or a rule of the line it begins; a number followed by a space is a list.
_OPENING = re.compile(r"^(\s*)(?:(\d+)(?=[.)](?:\s|$))|([#+\-=]+(?=\s|$)))")
# Forges turn these into links after Markdown is done, so a backslash does not help; in a code span they leave them.
_LINKED = re.compile(
    r"@[\w-]+|#\d+|\bGH-\d+|\b\w+://[^\s`]*|\bwww\.[^\s`]*|\b(?=[0-9a-f]*[a-f])[0-9a-f]{7,}\b", re.IGNORECASE
)


def prose(text: object) -> Md:
    """Text as a reader would see it: no markup, no link, no mention, no reference."""
    if isinstance(text, Md):
        return text
    flat = re.sub(r"\s+", " ", str(text))
    parts, at = [], 0
    for match in _LINKED.finditer(flat):
        parts += [_SPECIAL.sub(r"\\\1", flat[at : match.start()]), code(match.group(), table=True)]
        at = match.end()
    parts.append(_SPECIAL.sub(r"\\\1", flat[at:]))
    return Md(_OPENING.sub(_escape_opening, "".join(parts), count=1))


def _escape_opening(match: re.Match[str]) -> str:
    space, number, sign = match.groups()
    return f"{space}{number}\\" if number else f"{space}\\{sign}"


def code(text: object, *, table: bool = False) -> Md:
    """A code span: a fence longer than any run of backticks inside. In a table a pipe is escaped even in code."""
    flat = " ".join(str(text).split())
    if table:
        flat = flat.replace("|", "\\|")
    longest = max((len(run) for run in re.findall(r"`+", flat)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return Md(f"{fence}{pad}{flat or ' '}{pad}{fence}")


def cell_code(text: object) -> Md:
    return code(text, table=True)


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
    made.filters["cell_code"] = cell_code
    return made


def render_comment(report: Report, *, limit: int = LIMIT) -> str:
    """comment.md, at most `limit` characters and bytes. What does not fit is named, with how many rows it had."""
    view = build_view(report)
    template = environment(templates_folder()).get_template("comment.md.j2")
    values = _values(view)
    kept: list[str] = []
    cut: list[str] = []
    room = limit - 400
    for name, title in SECTIONS:
        text = _tidy("".join(template.blocks[name](template.new_context(values))))
        if not text:
            continue
        rows = sum(line.startswith(("| ", "- ")) for line in text.splitlines())
        section = text if not title else f"<details><summary>{title}</summary>\n\n{text}\n\n</details>"
        if _size(section) + 2 <= room:
            kept.append(section)
            room -= _size(section) + 2
        else:
            cut.append(f"{title or name}: {rows:,} rows not shown")
    if not kept:
        kept = [_shortened(view, limit - 200)]
    if cut:
        kept.append("Cut to fit: " + "; ".join(cut[:8]) + ". The page has everything.")
    return "\n\n".join(kept) + "\n"


def _shortened(view: ReportView, limit: int) -> str:
    text = view.verdicts[0].text if view.verdicts else "No verdict: these runs do not support one."
    return str(prose(text[: limit // 16]))


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


def _values(view: ReportView) -> dict[str, Any]:
    picks = _picks(view)
    first = {w.metric for w in view.waterfalls.views[:1]}
    return {
        "view": view,
        "picks": picks,
        "columns": [view.table.columns[index] for index in picks],
        "waterfalls": [w for w in view.waterfalls.views if w.metric in first],
        "hotspots": [(table, *_top(table)) for table in view.hotspots],
    }


def _picks(view: ReportView) -> list[int]:
    """The columns of the comment: speed, CPU, the metric of the headline; at most five."""
    wanted = [*COLUMNS, view.headline.key if view.headline else "", *view.explained]
    keys = [column.key for column in view.table.columns]
    found = [keys.index(key) for key in wanted if key in keys]
    found += [index for index in range(len(keys)) if index not in found]
    return sorted(set(found[:5]))


def _top(table: HotTable) -> tuple[list[HotFunction], str]:
    functions = [f for category in table.categories for f in category.functions]
    if table.ranked:
        functions.sort(key=lambda f: -max((float(cell.key) for cell in f.cells), default=0.0))
    hidden = len(functions) - FUNCTIONS
    return functions[:FUNCTIONS], f"{hidden:,}" if hidden > 0 else ""
