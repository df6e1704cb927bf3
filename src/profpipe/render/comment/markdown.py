"""comment.md: the verdict first, figures, gap and changed functions open, the rest folded; cut by whole sections."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from profpipe.model.report import Report
from profpipe.render.comment.blocks import Block, joined, paragraph
from profpipe.render.comment.changed_functions import changed
from profpipe.render.comment.escape_markdown import prose
from profpipe.render.comment.figures import folded_figures, open_figures, summary
from profpipe.render.comment.folded import (
    classic,
    conditions,
    hotspots,
    invalid,
    leading,
    method,
    more,
    published,
    published_title,
)
from profpipe.render.comment.gap import first_gap, gap_numbers, other_gaps
from profpipe.render.comment.links import Links
from profpipe.render.comment.two_commits import commits_and, first_screen, first_sentence, quiet, short_footer
from profpipe.render.comment.verdict import first_line, footer, headline, is_quiet, verdict
from profpipe.render.content.change import two_commits
from profpipe.render.content.roles import named_by_role
from profpipe.render.text import cut
from profpipe.render.visible import visible_report

# GitHub refuses a comment over 65,536 characters; other forges count bytes.
LIMIT = 60_000
# A comparison of two commits: what is read on a phone. The page has the rest.
LIMIT_OF_TWO = 8_000


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
# Of two commits: what a reviewer asks next. Everything else is on the page.
FOLDED_OF_TWO = (
    CommentSection("figures", "Figures", open_figures),
    CommentSection("changed", "Functions", changed),
    CommentSection("why", "Why, in words", leading),
    CommentSection("gap", "Where the difference is", first_gap),
    CommentSection("invalid", "Invalid runs", invalid),
    CommentSection("more", "More conclusions", more),
    CommentSection("method", "Method and conditions", conditions),
)


def render_comment(report: Report, *, limit: int | None = None, links: Links | None = None, origin: str = "") -> str:
    """comment.md, at most `limit` characters and bytes. What does not fit is named, with how many rows it had.

    `limit` = by default 8,000 for two commits, else what every forge takes. `links` = where the report and the sources
    are shown, `origin` = a sentence of ours about who measured. Raises ReportError when a link is not one that Markdown
    could hold.
    """
    links = links or Links()
    links.check()
    clear = named_by_role(visible_report(report))
    of_two = two_commits(clear) is not None
    limit = limit if limit is not None else LIMIT_OF_TWO if of_two else LIMIT
    sections = _of_two(clear, links, origin) if of_two else _of_many(clear, links, origin)
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
        kept.insert(0, str(prose(_first_line(clear)[: limit // 16])))
    if cut_:
        kept.append("Cut to fit: " + "; ".join(cut_[:9]) + ". report.html has everything.")
    return "\n\n".join(kept) + "\n"


def _of_two(clear: Report, links: Links, origin: str) -> tuple[CommentSection, ...]:
    foot = CommentSection("footer", "", lambda found: short_footer(found, links, origin))
    if is_quiet(clear):
        return (
            CommentSection("quiet", "", quiet),
            CommentSection("footer", "", lambda found: commits_and(foot.blocks(found), found, links)),
        )
    return (CommentSection("verdict", "", lambda found: first_screen(found, links)), foot, *FOLDED_OF_TWO)


def _of_many(clear: Report, links: Links, origin: str) -> tuple[CommentSection, ...]:
    foot = CommentSection("footer", "", lambda found: footer(found, links.report, origin))
    return (CommentSection("quiet", "", _quiet), foot) if is_quiet(clear) else (*OPEN, foot, *FOLDED)


def _first_line(clear: Report) -> str:
    return first_sentence(clear) if two_commits(clear) is not None else first_line(clear).text


def _quiet(report: Report) -> list[Block]:
    return [*headline(report), paragraph("{}", summary(report) or "No figure could be compared.")]


def _folded(title: str, text: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>" if title else text


def verdict_line(report: Report, limit: int) -> str:
    """The first line of the comment as plain text, for a status."""
    return cut(_first_line(named_by_role(visible_report(report))), limit)


def _size(text: str) -> int:
    return max(len(text), len(text.encode("utf-8", "replace")))
