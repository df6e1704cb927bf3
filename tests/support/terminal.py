"""What rich prints, as plain text."""

from __future__ import annotations

import io

from rich.console import Console, RenderableType


def printed(what: RenderableType, width: int = 80) -> str:
    out = io.StringIO()
    Console(file=out, width=width, highlight=False, no_color=True).print(what)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"
