"""Stands in for `profpipe diff` in a recipe: resolves the commits as the command does, and measures nothing.

`python -m tests.support.resolve_asked FILE WORDS...` writes the subject of each commit into FILE, the baseline first.
"""

from __future__ import annotations

import sys
from pathlib import Path

from profpipe.cli import cli
from profpipe.commits.resolve import repository, resolve
from profpipe.errors import UsageError


def main() -> None:
    file, *words = sys.argv[1:]
    context = cli.commands["diff"].make_context("diff", words)
    try:
        found = [commit.subject for commit in resolve(repository(Path.cwd()), context.params["words"]).commits]
    except UsageError as error:
        found = [f"refused: {error}"]
    Path(file).write_text("\n".join(found))


if __name__ == "__main__":
    main()
