"""`profpipe init`, `check`, `list` and `doctor`: before the first run."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast, get_args

import click

from profpipe.cli.options import CONFIG, JSON
from profpipe.cli.say import say, say_json
from profpipe.errors import EXIT_OK, UsageError
from profpipe.units import Language

LANGUAGES = click.Choice(get_args(Language))
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


@click.command()
@click.option("--command", "command", help="command that starts the server, with {port} in place of its port")
@click.option("--name", default="server", show_default=True, help="name of the target")
@click.option("--language", type=LANGUAGES, help="language of the server, which decides on its profilers")
@click.option("--contender", help="the command of a second variant to compare with")
@click.option("--method", type=click.Choice(METHODS), default="GET", show_default=True, help="method of the request")
@click.option("--path", default="/", show_default=True, help="path that the load requests")
@click.option("--header", "headers", multiple=True, help="`Name: value` of the request (repeatable)")
@click.option("--body-file", type=click.Path(path_type=Path, dir_okay=False), help="file with the body of the request")
@click.option("--status", type=click.IntRange(100, 599), default=200, show_default=True, help="status of a good answer")
@click.option("--force", is_flag=True, help="replace an existing profpipe.toml")
def init(force: bool, **given: Any) -> None:
    """Write a commented profpipe.toml for your own server, which it finds in the files of this folder.

    It looks at Procfile, Dockerfile, compose files, pyproject.toml and manage.py, and for Flask, FastAPI, aiohttp and
    other applications with a server in .venv. Where it finds none and --command is not given, it asks.
    """
    from profpipe.pipeline.setup import Asked, find_server, write_starter_file

    path = Path("profpipe.toml")
    if path.exists() and not force:
        raise UsageError(f"{path} exists; check it with `profpipe check` or replace it with --force")
    asked = Asked(**given)
    server = find_server(asked, Path.cwd())
    if server is None:
        command = _asked("--command", "Command that starts the server ({port} stands for its port)")
        asked = replace(asked, command=command)
        server = find_server(asked, Path.cwd())
    assert server is not None
    write_starter_file(path, asked, server)
    if asked.command is None:
        say(f"server found: {server.found}: {shlex.join(server.argv)}")
    for note in server.notes:
        say(f"note: {note}")
    say(f"{path} written. Next: profpipe check, then profpipe run")


def _asked(option: str, question: str, **kind: Any) -> str:
    """The answer to a question. Raises UsageError when nobody can answer, as in a script."""
    try:
        return cast("str", click.prompt(question, err=True, **kind))
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise UsageError(
            f"the files of this folder do not say how its server is started, and nobody answers: give {option}"
        ) from None


@click.command()
@CONFIG
def check(config: Path | None) -> None:
    """Check profpipe.toml and print every mistake with its line."""
    from profpipe.pipeline.setup import load_study_file, missing_services

    loaded = load_study_file(config)
    targets, studies = len(loaded.file.target), len(loaded.file.study)
    say(
        f"{loaded.path}: {targets} {'target' if targets == 1 else 'targets'}, "
        f"{studies} {'study' if studies == 1 else 'studies'}, no mistakes"
    )
    for name, (_, why) in missing_services(loaded).items():
        if why is not None:
            say(f"service {name} cannot run here: {why}")


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
    for service in rows["services"]:
        state = "ready" if service["missing"] is None else f"cannot run: {service['missing']}"
        say(f"service {service['id']:<19} {state}")


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
