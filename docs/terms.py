"""The parts of docs/glossary.md that the code itself knows: metrics, categories, commands."""

from __future__ import annotations

from profpipe import units
from profpipe.analyse.names.categories import categories
from profpipe.cli import cli
from profpipe.model.metric_keys import EVERY

COUNTED_BY_PROFILERS = (
    units.INSTRUCTIONS, units.SAMPLES, units.WALL_NS, units.CPU_NS, units.CALLS, units.SYSCALLS,
)  # fmt: skip


def terms() -> str:
    """Markdown: three sections, a table each."""
    metrics = [(f"`{figure.key}`", f"{figure.label}: {figure.about}".removesuffix(": ")) for figure in EVERY]
    metrics += [(f"`{metric.key}`", f"{metric.label}: {metric.about}") for metric in COUNTED_BY_PROFILERS]
    known = [(f"`{c.key}`", f"{c.label}: {c.about}" if c.about else c.label) for c in categories().categories]
    commands = [
        (f"`profpipe {name}`", (command.help or "").strip().partition("\n")[0])
        for name, command in sorted(cli.commands.items())
        if not command.hidden
    ]
    return "\n\n".join(
        [
            "## Metrics\n\nFigures of clean runs begin with `clean:`. What a profiler counts is written "
            "`PROFILER:METRIC`, for example `callgrind:instructions`.",
            table(metrics),
            "## Categories",
            table(known),
            "## Commands",
            table(commands),
        ]
    )


def table(rows: list[tuple[str, str]]) -> str:
    return "\n".join(["| term | meaning |", "|---|---|", *(f"| {term} | {meaning} |" for term, meaning in rows)])
