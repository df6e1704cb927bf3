"""What a comment is made of: paragraphs, lists, tables and drawings, each with its number of rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from profpipe.render.comment.escape_markdown import Md, fenced, md, prose


@dataclass(frozen=True, slots=True)
class Block:
    """Markdown without blank lines at its ends; `rows` = its rows of a table or items of a list."""

    text: Md
    rows: int = 0


def paragraph(template: str, *values: object) -> Block:
    """As `escape_markdown.md`."""
    return Block(md(template, *values))


def bullets(items: Iterable[Md]) -> list[Block]:
    """One list; nothing where there are no items."""
    lines = [f"- {item}" for item in items]
    return [Block(Md("\n".join(lines)), len(lines))] if lines else []


def table(columns: Sequence[tuple[object, bool]], rows: Iterable[Sequence[object]]) -> Block:
    """`columns` = (title, whether it is numeric); cells that are not Md are escaped."""
    lines = [
        _row(title for title, _ in columns),
        _row(Md("---:" if number else "---") for _, number in columns),
    ]
    body = [_row(row) for row in rows]
    return Block(Md("\n".join(lines + body)), len(body))


def _row(cells: Iterable[object]) -> str:
    return "| " + " | ".join(prose(cell) for cell in cells) + " |"


def drawing(lines: str) -> Block:
    return Block(fenced(lines))


def joined(blocks: Sequence[Block]) -> str:
    """Blocks with a blank line between them."""
    return "\n\n".join(block.text for block in blocks)
