"""`profpipe history` and `profpipe merge`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from profpipe.cli.options import JSON, REPORTS
from profpipe.cli.say import say, say_json
from profpipe.errors import UsageError

LAST = 20


@click.command()
@click.argument("what", metavar="[METRIC|FUNCTION]", required=False)
@REPORTS
@click.option("--study", help="only reports of this study")
@click.option("--variant", help="only this variant")
@click.option("--metric", help="only this metric's figures of a function")
@click.option("--machine", help="only this machine: the start of its key or a part of its description")
@click.option(
    "--last", type=click.IntRange(1), help=f"only the newest N points of each series; default: {LAST} in the terminal"
)
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="also write the trends as one HTML page")
@JSON
def history(
    what: str | None,
    reports: Path,
    study: str | None,
    variant: str | None,
    metric: str | None,
    machine: str | None,
    last: int | None,
    html: Path | None,
    as_json: bool,
) -> None:
    """How a metric or the cost of a function changed from commit to commit, and where its level changed.

    Without an argument, lists what the history contains. METRIC is a key such as `clean:cpu_us`, FUNCTION is a name or
    an id; an unambiguous part is enough. Each machine has its own series.
    """
    from profpipe.pipeline.history import Narrowed, ask, overview

    narrow = Narrowed(study, variant, machine, metric)
    if what is None:
        if html is not None:
            raise UsageError("--html needs a metric or a function to draw")
        answer = overview(reports, narrow)
    else:
        answer = ask(reports, what, narrow)
    for path, text in answer.damaged:
        say(
            f"profpipe: {path}: {text}; ignored. Remove it and run `profpipe report` again",
            err=True,
        )
    if html is not None:
        _write(html, answer.what, answer.trends, last)
    if as_json:
        say_json(json.dumps({"what": answer.what, "trends": [asdict(t) for t in answer.trends]}, ensure_ascii=False))
        return
    _print(what, answer.what, answer.trends, last, reports)
    if html is not None:
        say(f"\npage: {html}")


def _write(path: Path, name: str, trends: Sequence[object], last: int | None) -> None:
    from profpipe import __version__, store
    from profpipe.render.history.html import render_history

    path.absolute().parent.mkdir(parents=True, exist_ok=True)
    store.write_output(path.absolute(), render_history(name, trends, __version__, last))  # type: ignore[arg-type]


def _print(what: str | None, name: str, trends: Sequence[object], last: int | None, reports: Path) -> None:
    from rich.console import Console

    from profpipe.render.terminal.history import render_overview, render_trends

    console = Console(highlight=False)
    if not trends:
        say(f"No history in {reports / 'history'} yet; `profpipe run` and `profpipe report` write it.")
    elif what is None:
        console.print(render_overview(trends))  # type: ignore[arg-type]
    else:
        console.print(render_trends(name, trends, last or LAST))  # type: ignore[arg-type]


@click.command()
@click.argument(
    "folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, file_okay=False)
)
@REPORTS
@click.option("--machines", is_flag=True, help="allow reports of several machines; each machine has its own series")
def merge(folders: tuple[Path, ...], reports: Path, machines: bool) -> None:
    """Merge the histories of other machines or CI jobs into this one.

    DIR is a reports folder or its history folder. Every file is checked first. Nothing is written when a file is
    damaged, or when the reports are of several machines and --machines is not given.
    """
    from profpipe.characters import visible
    from profpipe.pipeline.history import machine_words
    from profpipe.pipeline.history import merge as merge_histories

    done = merge_histories(folders, reports, machines=machines)
    known = f"; {done.known:,} already there" if done.known else ""
    say(f"{len(done.new):,} {'report' if len(done.new) == 1 else 'reports'} merged into {done.into}{known}")
    for machine in done.machines:
        say(f"  machine {visible(machine_words(machine))}")
