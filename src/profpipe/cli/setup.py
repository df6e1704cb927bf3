"""`profpipe init`, `check`, `list` and `doctor`: before the first run."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast, get_args

import rich_click as click

from profpipe.cli.options import CONFIG, JSON
from profpipe.cli.say import say, say_json
from profpipe.errors import EXIT_OK, UsageError
from profpipe.units import Language

LANGUAGES = click.Choice(get_args(Language))


@click.command()
@click.option("--command", "command", help="command that starts the server, with {port} in place of its port")
@click.option("--name", default="server", show_default=True, help="name of the target")
@click.option("--language", type=LANGUAGES, help="language of the server, which decides on its profilers")
@click.option("--contender", help="the command of a second variant to compare with")
@click.option("--path", "request_path", default="/", show_default=True, help="path that the load requests")
@click.option("--force", is_flag=True, help="replace an existing profpipe.toml")
def init(
    command: str | None, name: str, language: Language | None, contender: str | None, request_path: str, force: bool
) -> None:
    """Write a commented profpipe.toml for your own server. Asks for the command and language if not given."""
    from profpipe.pipeline.setup import write_starter_file

    path = Path("profpipe.toml")
    if path.exists() and not force:
        raise UsageError(f"{path} exists; check it with `profpipe check` or replace it with --force")
    if command is None:
        command = _asked("--command", "Command that starts the server ({port} stands for its port)")
    if language is None:
        language = cast("Language", _asked("--language", "Language of the server", type=LANGUAGES, default="python"))
    write_starter_file(
        path, name=name, command=command, language=language, contender=contender, request_path=request_path
    )
    say(f"{path} written. Next: profpipe check, then profpipe run")


def _asked(option: str, question: str, **kind: Any) -> str:
    """The answer to a question. Raises UsageError when nobody can answer, as in a script."""
    try:
        return cast("str", click.prompt(question, err=True, **kind))
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise UsageError(f"there is no answer on standard input: give {option}") from None


@click.command()
@CONFIG
def check(config: Path | None) -> None:
    """Check profpipe.toml and print every mistake with its line."""
    from profpipe.pipeline.setup import load_study_file

    loaded = load_study_file(config)
    targets, studies = len(loaded.file.target), len(loaded.file.study)
    say(
        f"{loaded.path}: {targets} {'target' if targets == 1 else 'targets'}, "
        f"{studies} {'study' if studies == 1 else 'studies'}, no mistakes"
    )


@click.command("list")
@CONFIG
@JSON
def list_(config: Path | None, as_json: bool) -> None:
    """List the studies and targets, and whether each target can run here."""
    from profpipe.pipeline.setup import listing, load_study_file

    rows = listing(load_study_file(config))
    if as_json:
        say_json(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    for study in rows["studies"]:
        say(f"study  {study['id']:<20} {study['question']}")
        say(f"       {'':<20} {', '.join(study['targets'])}; instruments {', '.join(study['profilers'])}")
    for target in rows["targets"]:
        state = "ready" if target["missing"] is None else f"cannot run: {target['missing']}"
        say(f"target {target['id']:<20} {state}")


@click.command()
@click.option("--python", default=sys.executable, help="the interpreter of your server, for the in-process profilers")
@JSON
@click.pass_context
def doctor(context: click.Context, python: str, as_json: bool) -> None:
    """Show which profilers and load generators work here, why the others do not, and what to install."""
    from profpipe.pipeline.doctor import examine

    rows = examine(python)
    if as_json:
        say_json(json.dumps([asdict(row) for row in rows], indent=1, ensure_ascii=False))
        context.exit(EXIT_OK)
    for row in rows:
        say(f"{'ok     ' if row.works else 'missing'} {row.name:<14} {row.kind:<10} {row.note}")
        if not row.works and row.install:
            say(f"        {'':<14} {'':<10} → {row.install}")
    context.exit(EXIT_OK)
