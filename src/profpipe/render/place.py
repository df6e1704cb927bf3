"""Where a reader would look a function up."""

from __future__ import annotations

from profpipe.characters import visible

FILE, OBJECT = 160, 80  # characters


def place_of(file: str, object_: str) -> str:
    """File, then the object's own name, both visible and not too long."""
    parts = [visible(file, limit=FILE), visible(object_.rpartition("/")[2], limit=OBJECT)]
    return " · ".join(part for part in parts if part)
