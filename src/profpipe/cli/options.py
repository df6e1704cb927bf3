"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.types import StringParamType

from profpipe.cli.part_names import EXECUTOR, GENERATOR
from profpipe.errors import UsageError

Command = Callable[..., None]
SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}
# Options of `measuring` that become a RunOptions by their own names.
OF_RUN = ("targets", "rounds", "requests", "generator", "resolution", "budget", "seed")
ROUNDS = click.IntRange(1, 1000)
MOST_ROUNDS = 20

CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="the study file; default: the nearest profpipe.toml",
)
REPORTS = click.option(
    "--reports",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("reports"),
    show_default=True,
    help="the folder of run folders and of the history",
)
JSON = click.option("--json", "as_json", is_flag=True, help="print the result as JSON")
PROFILERS = click.option("-p", "--profiler", "profilers", multiple=True, help="only these instruments (repeatable)")
REQUESTS = click.option("-n", "--requests", type=click.IntRange(1, 100_000_000), help="requests per run")
FIRST_ROUNDS = "rounds to start with; default: the study's"


def duration(text: str) -> float:
    """`90`, `90s`, `10m` or `1h`, in seconds. Raises UsageError for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|h)?", text.strip())
    if found is None or float(found[1]) <= 0:
        raise UsageError(f"--budget {text}: expected a time such as 90s, 10m or 1h")
    return float(found[1]) * SECONDS[found[2]]


def percentage(text: str) -> float:
    """`2%` or `2`, as 0.02. Raises UsageError for anything else."""
    try:
        return float(text.strip().removesuffix("%")) / 100
    except ValueError:
        raise UsageError(f"--limit {text}: expected a percentage such as 2%") from None


def resolution(text: str) -> float:
    """`0.5%` or `0.5`, as 0.005. Raises UsageError for anything else, and for what is not above 0 and at most 100 %."""
    try:
        value = float(text.strip().removesuffix("%")) / 100
    except ValueError:
        value = 0.0
    if not 0 < value <= 1:
        raise UsageError(f"--resolution {text}: expected a percentage above 0, such as 0.5%")
    return value


RESOLUTION = click.option(
    "--resolution",
    type=resolution,
    help="the smallest change of CPU time that matters, such as 0.5%; default: the study's, 1%",
)
BUDGET = click.option(
    "--budget",
    type=duration,
    help="time for the whole study, such as 90s or 10m; default: the study's, 3m. Where the study sets its numbers of "
    "requests itself: time for measuring CPU time by slices, 60s; no round is added that would end after it",
)
SEED = click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    help="what layouts of memory and orders of slices are drawn from; default: a new one",
)


def measuring(rounds: str = FIRST_ROUNDS) -> Callable[[Command], Command]:
    """Options of a command that measures, which receives them as `run`, a RunOptions. `rounds` = the help of -r."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def with_run_options(*words: Any, profilers: tuple[str, ...], on: str, **rest: Any) -> None:
            from profpipe.pipeline.prepare.options import RunOptions

            picked = {name: rest.pop(name) for name in OF_RUN if name in rest}
            command(*words, run=RunOptions(profilers=profilers, on=on, **picked), **rest)

        options = (
            click.option("-r", "--rounds", type=ROUNDS, help=rounds),
            PROFILERS,
            REQUESTS,
            click.option("--generator", type=GENERATOR, help="the load generator"),
            RESOLUTION,
            BUDGET,
            SEED,
            click.option(
                "--on",
                type=EXECUTOR,
                default="local",
                show_default=True,
                help="what carries out the runs, as NAME or NAME:ADDRESS; local = this machine",
            ),
        )
        found: Command = with_run_options
        for option in reversed(options):
            found = option(found)
        return found

    return decorate


def max_rounds(help: str) -> Callable[[Command], Command]:
    return click.option("--max-rounds", type=ROUNDS, default=MOST_ROUNDS, show_default=True, help=help)


def given(max_rounds: int) -> int | None:
    """A number of rounds that is not the default, for a command that is shown."""
    return None if max_rounds == MOST_ROUNDS else max_rounds


class Bytes(StringParamType):
    """`512M`, `2G`, `300k` or a number of bytes."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = re.fullmatch(r"(\d{1,6})\s*([kMGT]?)(?:i?B)?", str(value).strip(), re.IGNORECASE)
        if found is None:
            if isinstance(value, int) or str(value).isdecimal():
                return int(str(value))
            self.fail(f"{value}: expected a size such as 512M or 2G", param, ctx)
        return int(found[1]) << 10 * " KMGT".index(found[2].upper() or " ")


BYTES = Bytes()
