"""`profpipe clean`: remove what `profpipe diff` and `bisect` keep for a repository."""

from __future__ import annotations

from pathlib import Path

import click

from profpipe.cli.say import say
from profpipe.errors import EXIT_OK


@click.command()
@click.pass_context
def clean(context: click.Context) -> None:
    """Remove what `profpipe diff` keeps: worktrees and builds of this repository, and all environments."""
    import shutil

    from profpipe.commits.resolve import repository
    from profpipe.commits.worktrees import (
        BISECTING,
        MEASURING,
        environments_folder,
        kept,
        locked,
        remove,
        size_of,
    )
    from profpipe.units import amount

    repo = repository(Path.cwd())
    with locked(repo, BISECTING), locked(repo, MEASURING):
        found = kept(repo)
        for worktree in found:
            size = size_of(worktree.path)
            remove(repo, worktree.path)
            say(f"removed {worktree.commit[:12] or worktree.path.name}: {amount(size, 'B')}")
        for environment in sorted(path for path in environments_folder().glob("*") if path.is_dir()):
            size = size_of(environment)
            shutil.rmtree(environment, ignore_errors=True)
            say(f"removed environment {environment.name}: {amount(size, 'B')}")
    if not found:
        say("no worktree is kept for this repository")
    context.exit(EXIT_OK)
