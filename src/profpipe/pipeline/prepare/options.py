"""What the command line overrides of a study."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from profpipe.study.find import FILE_NAME, PYPROJECT

FOUND = (FILE_NAME, PYPROJECT)
# The executor of a study unless `--on` names another one: this machine.
LOCAL = "local"


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Options of every command that measures. None = as the study says; `on` = the executor, NAME or NAME:ADDRESS."""

    targets: tuple[str, ...] = ()
    profilers: tuple[str, ...] = ()
    rounds: int | None = None
    requests: int | None = None
    generator: str | None = None
    resolution: float | None = None
    budget: float | None = None
    seed: int | None = None
    on: str = LOCAL

    def command(self, study: str, file: str = FILE_NAME) -> str:
        """The command that repeats this run from the folder of the study file, without a path of this machine."""
        words = ["profpipe", "run", study, *(["--config", file] if file not in FOUND else [])]
        words += [word for target in self.targets for word in ("-t", target)]
        return shlex.join([*words, *self.words()])

    def words(self) -> list[str]:
        """The options as command-line words, targets left out: those are named in another way by each command."""
        on = None if self.on == LOCAL else self.on
        values = (
            ("-r", self.rounds),
            ("-n", self.requests),
            ("--generator", self.generator),
            ("--resolution", None if self.resolution is None else f"{100 * self.resolution:g}%"),
            ("--budget", None if self.budget is None else f"{self.budget:g}s"),
            ("--seed", self.seed),
            ("--on", on),
        )
        return [
            *(word for name in self.profilers for word in ("-p", name)),
            *(str(word) for flag, value in values if value is not None for word in (flag, value)),
        ]


def as_given(config: Path | None, max_rounds: int | None, options: RunOptions) -> list[str]:
    """How commits are measured, as words of a command; a study file of this machine only by its name."""
    words: list[str] = []
    if config is not None:
        words += ["--config", config.name if config.is_absolute() else str(config)]
    if max_rounds is not None:
        words += ["--max-rounds", str(max_rounds)]
    return [*words, *options.words()]
