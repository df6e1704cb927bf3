"""`profpipe load`: what a finished result of a load generator says."""

from __future__ import annotations

from pathlib import Path

import click
from click.exceptions import Exit

from profpipe.cli.part_names import RESULT
from profpipe.cli.say import say


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--tool", type=RESULT, help="which load generator wrote it; default: recognised by its content")
def load(file: Path, tool: str | None) -> None:
    """Print what a load generator's finished result says, and whether its own figures agree.

    FILE is what wrk, h2load, hey, ab or redis-benchmark printed, or the JSON of k6, locust, vegeta, oha, fortio,
    autocannon or bombardier. Exit code 1 when a check fails.
    """
    from profpipe.errors import EXIT_ERROR
    from profpipe.pipeline.loads import finished_load, finished_load_lines

    result, audit = finished_load(file, tool)
    for line in finished_load_lines(result, audit):
        say(line)
    if audit.passed < audit.checked:
        raise Exit(EXIT_ERROR)
