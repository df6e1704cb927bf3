"""A verdict as a coloured word."""

from __future__ import annotations

from rich.text import Text

from profpipe.render.text import Chip

_STYLE = {"v-better": "green", "v-worse": "red", "v-unsure": "yellow", "v-same": "dim"}


def chip_text(chip: Chip | None) -> Text:
    return Text() if chip is None else Text(chip.word, style=_STYLE[chip.css.split()[0]])
