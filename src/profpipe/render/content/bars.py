"""Figures as bars of text, from zero, for where no image can be drawn."""

from __future__ import annotations

from collections.abc import Sequence

FULL = "█"
PARTS = " ▏▎▍▌▋▊▉"


def bar(value: float, largest: float, width: int) -> str:
    """A bar of `width` characters for the largest value, exact to an eighth of a character; empty for 0."""
    eighths = round(max(value, 0.0) / largest * width * 8) if largest > 0 else 0
    whole, part = divmod(eighths, 8)
    return FULL * whole + (PARTS[part] if part else "")


def bars(rows: Sequence[tuple[str, str, float, str]], width: int) -> str:
    """One line per (label, amount, value, what to say behind it), labels and amounts in columns."""
    labels = max((len(label) for label, *_ in rows), default=0)
    amounts = max((len(text) for _, text, *_ in rows), default=0)
    largest = max((value for _, _, value, _ in rows), default=0.0)
    lines = [
        f"{label:<{labels}} {text:>{amounts}} {bar(value, largest, width)} {note}".rstrip()
        for label, text, value, note in rows
    ]
    return "\n".join(lines)
