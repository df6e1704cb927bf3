"""The list of commands in `profpipe --help`, in the order in which they are needed.

This is click's own help. rich-click's took half of the time of `--help`, and broke long paths in error messages.
"""

from __future__ import annotations

import click

SECTIONS = {
    "Measure": ("run", "report"),
    "Commits": ("diff", "bisect", "calibrate", "clean", "history", "merge"),
    "On a pull request": ("attach", "accept"),
    "Before the first run": ("doctor", "init", "check", "list"),
    "Captures you already have": ("parse", "compare", "export", "load"),
}
LONGEST = 200  # characters of a first sentence, which is wrapped and never cut


class Program(click.Group):
    """The group of all commands."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        widest = max(len(name) for names in SECTIONS.values() for name in names)
        for title, names in SECTIONS.items():
            with formatter.section(title):
                # Padded, so that the texts of all sections begin in one column.
                texts = ((name, self.commands[name].get_short_help_str(LONGEST)) for name in names)
                formatter.write_dl([(name.ljust(widest), text) for name, text in texts])
