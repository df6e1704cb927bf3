"""What two commits add to a row of the hotspots: which lines changed, what was renamed or only moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from profpipe import units
from profpipe.model.report import Alignment, Cell, ChangedLines, FunctionRow, HotspotTable
from profpipe.render.text import cut, signed_amount

# Spans of changed lines, and files, that are listed with a function.
SPANS, FILES = 6, 3


@dataclass(frozen=True, slots=True)
class Renamed:
    """A function that was found under another name: `words` = how certain that is and why."""

    before: str
    words: str


def changes(row: FunctionRow, labels: Mapping[str, str]) -> tuple[str, ...]:
    """Changed lines that lie in the function, a text per file; the contender is named where there are several.

    `labels` = contender -> label, as text already.
    """
    found = []
    for contender, files in row.changes.items():
        who = "" if len(labels) < 2 else f"{labels.get(contender, contender)}: "
        found += [who + _changed(item) for item in files[:FILES]]
        if len(files) > FILES:
            found.append(f"{who}{len(files) - FILES} more files")
    return tuple(found)


def _changed(item: ChangedLines) -> str:
    parts = [_spans("", item.added)] if item.added else []
    parts += [_spans("removed ", item.removed)] if item.removed else []
    many = f"{item.lines:,} changed {'line' if item.lines == 1 else 'lines'}"
    where = cut(item.file, 160)
    return f"{where}: {many}" if not parts else f"{where}: {many}, {'; '.join(parts)}"


def _spans(word: str, spans: tuple[tuple[int, int], ...]) -> str:
    texts = [str(first) if first == last else f"{first} to {last}" for first, last in spans[:SPANS]]
    more = f" and {len(spans) - SPANS} more places" if len(spans) > SPANS else ""
    return f"{word}{', '.join(texts)}{more}"


def renamed(row: FunctionRow, labels: Mapping[str, str]) -> tuple[Renamed, ...]:
    """The name this function has in the baseline, once per contender where it differs."""
    return tuple(_renamed(item, contender, labels) for contender, item in row.alignment.items())


def _renamed(item: Alignment, contender: str, labels: Mapping[str, str]) -> Renamed:
    who = "" if len(labels) < 2 else f" in {labels.get(contender, contender)}"
    why = item.why
    return Renamed(item.before.name, f"renamed{who}, {item.certainty}{f': {why}' if why else ''}")


def moved(cell: Cell, unit: str) -> str:
    """The part of a change that only moved between functions; empty when none did or when it rounds to nothing."""
    if not cell.moved:
        return ""
    text = signed_amount(cell.moved, unit)
    return f"{text} only moved" if text[0] in "+−" else ""


def unmatched(table: HotspotTable, variant: str) -> str:
    """How much of a comparison rests on functions that one side does not have."""
    part = table.unmatched.get(variant)
    if part is None:
        return ""
    return f"{units.percent(part)} in functions found on one side only"
