"""The colours of categories, the same in tables, bars and flame graphs."""

from __future__ import annotations

from profpipe.model.report import Report


def hue_of(report: Report) -> dict[str, int]:
    """Category -> colour 1..10 for the ten that take the largest part of any table; the rest share grey, 0."""
    part: dict[str, float] = {}
    for row in (row for table in report.hotspots for row in table.rows):
        mean = sum(cell.share or 0.0 for cell in row.cells.values()) / max(len(row.cells), 1)
        part[row.category] = max(part.get(row.category, 0.0), mean)
    ordered = sorted((key for key in part if key not in {"other", "unexplained"}), key=lambda key: -part[key])
    return {key: index + 1 if index < 10 else 0 for index, key in enumerate(ordered)}


def legend(report: Report) -> list[list[int | str]]:
    """(colour, label) of the categories that have a colour of their own."""
    labels = {category.key: category.label for category in report.categories}
    return [[hue, labels.get(key, key)] for key, hue in hue_of(report).items() if hue]
