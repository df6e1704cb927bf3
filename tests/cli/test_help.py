"""`profpipe --help`: every command, in full sentences, at the price of click alone."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from profpipe.cli import cli
from profpipe.cli.program import SECTIONS
from profpipe.parse import PARSERS
from tests.support.command import profpipe

HEAVY = ("pydantic", "duckdb", "numpy", "pandas", "scipy", "jinja2", "psutil", "httpx2", "rich", "importlib.metadata")


@pytest.mark.programs
def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv[1:] = ['--help']\n"
        "from profpipe.cli import main\n"
        "try: main()\n"
        f"finally: print(*[m for m in {HEAVY} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("Usage: ")
    assert done.stderr == "\n"


def test_help_names_every_command_with_its_whole_first_sentence() -> None:
    shown = profpipe("--help").stdout
    visible = {name for name, command in cli.commands.items() if not command.hidden}
    listed = [name for names in SECTIONS.values() for name in names]
    assert sorted(listed) == sorted(visible - {"publish"})  # another name of attach
    words = " ".join(shown.split())
    for name in listed:
        paragraph = (cli.commands[name].help or "").replace("\n\n", ". ")
        sentence = re.split(r"[.?] ", " ".join(paragraph.split()))[0].removesuffix(".")
        assert f"{name} {sentence}" in words


def test_the_help_of_parse_lists_every_format() -> None:
    words = " ".join(profpipe("parse", "--help").stdout.split())
    for name in PARSERS.names():
        assert name in words.replace("- ", "-")


@pytest.mark.parametrize("command", ["diff", "bisect", "calibrate"])
def test_commands_that_compare_commits_share_their_options(command: str) -> None:
    known = {option for parameter in cli.commands[command].params for option in parameter.opts}
    assert {"--json", "--requests", "--budget", "--rounds", "--max-rounds", "--config", "--reports"} <= known
