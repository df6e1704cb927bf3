"""comment.md: the verdict first, figures, gap and changed functions open, the rest folded; cut by whole sections."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from profpipe.errors import ReportError
from profpipe.model.report import Report
from profpipe.render.comment.blocks import Block, joined, paragraph
from profpipe.render.comment.changed_functions import changed
from profpipe.render.comment.escape_markdown import prose
from profpipe.render.comment.figures import folded_figures, open_figures, summary
from profpipe.render.comment.folded import classic, hotspots, invalid, leading, method, more, published, published_title
from profpipe.render.comment.gap import first_gap, gap_numbers, other_gaps
from profpipe.render.comment.verdict import first_line, footer, headline, is_quiet, verdict
from profpipe.render.text import cut
from profpipe.render.visible import visible_report

# GitHub refuses a comment over 65,536 characters; other forges count bytes.
LIMIT = 60_000
# An absolute URL without characters that could end the parentheses of a Markdown link.
_LINK = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&*+,;=%-]{1,2000}")


@dataclass(frozen=True, slots=True)
class CommentSection:
    """`title` of the folded part; empty = always open. `blocks` are empty where the report has nothing for it.

    `named` = the title that a report gives the part, where it gives one.
    """

    key: str
    title: str
    blocks: Callable[[Report], list[Block]]
    named: Callable[[Report], str] | None = None

    def titled(self, report: Report) -> str:
        return str(prose(self.named(report))) if self.named else self.title


# By importance: open ones first; when there is no room for all, the last ones are cut.
OPEN = (
    CommentSection("verdict", "", verdict),
    CommentSection("figures", "", open_figures),
    CommentSection("gap", "", first_gap),
    CommentSection("changed", "", changed),
)
FOLDED = (
    CommentSection("why", "Why, in words", leading),
    CommentSection("all_figures", "All figures", folded_figures),
    CommentSection("invalid", "Invalid runs", invalid),
    CommentSection("more", "More conclusions", more),
    CommentSection("gaps", "The gaps of the other variants", other_gaps),
    CommentSection("waterfall", "The gap in numbers", gap_numbers),
    CommentSection("method", "Method and conditions", method),
    CommentSection("hotspots", "Hotspots", hotspots),
    CommentSection("seed", "A published study, line by line", published, published_title),
    CommentSection("classic", "The classic list", classic),
)


def render_comment(report: Report, *, limit: int = LIMIT, link: str = "", origin: str = "") -> str:
    """comment.md, at most `limit` characters and bytes. What does not fit is named, with how many rows it had.

    `link` = where report.html can be opened, `origin` = a sentence of ours about who measured. Raises ReportError
    when the link is not one that Markdown could hold.
    """
    if link and not _LINK.fullmatch(link):
        raise ReportError("the link to the report is not http:// or https:// with the signs of a URL: leave it out")
    clear = visible_report(report)
    foot = CommentSection("footer", "", lambda found: footer(found, link, origin))
    quiet = (CommentSection("quiet", "", _quiet), foot)
    sections = quiet if is_quiet(clear) else (*OPEN, foot, *FOLDED)
    kept: list[str] = []
    cut_: list[str] = []
    room = limit - 500
    for section in sections:
        blocks = section.blocks(clear)
        if not blocks:
            continue
        title = section.titled(clear)
        text = _folded(title, joined(blocks))
        if _size(text) + 2 <= room:
            kept.append(text)
            room -= _size(text) + 2
        else:
            cut_.append(f"{title or section.key}: {sum(block.rows for block in blocks):,} rows not shown")
    if not kept or cut_[:1] == ["verdict: 0 rows not shown"]:
        kept.insert(0, str(prose(first_line(clear).text[: limit // 16])))
    if cut_:
        kept.append("Cut to fit: " + "; ".join(cut_[:9]) + ". report.html has everything.")
    return "\n\n".join(kept) + "\n"


def _quiet(report: Report) -> list[Block]:
    return [*headline(report), paragraph("{}", summary(report) or "No figure could be compared.")]


def _folded(title: str, text: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>" if title else text


def verdict_line(report: Report, limit: int) -> str:
    """The first line of the comment as plain text, for a status."""
    return cut(first_line(visible_report(report)).text, limit)


def _size(text: str) -> int:
    return max(len(text), len(text.encode("utf-8", "replace")))
