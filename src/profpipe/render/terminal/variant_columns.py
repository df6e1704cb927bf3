"""The columns of variants in a table that `profpipe run` prints."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from profpipe.render.content.variants import VariantHead

# Variants that 80 columns have room for beside what names a row.
MOST_VARIANTS = 3


def add_variants(table: Table, heads: Sequence[VariantHead]) -> None:
    """A column for each variant that there is room for; the caption tells where the others are."""
    for head in heads[:MOST_VARIANTS]:
        table.add_column(Text(head.label), justify="right", overflow="fold")
    if (left := len(heads) - MOST_VARIANTS) > 0:
        table.caption = f"{left} more {'variant is' if left == 1 else 'variants are'} in report.html"
        table.caption_justify = "left"
