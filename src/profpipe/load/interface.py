"""What a load generator is: it sends the requests of a LoadPlan and counts the answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from profpipe.model.run import LoadResult
    from profpipe.study.schema import LoadPlan

# Processors of a load: () = any, (c,) = that one, more = its threads in turn.
Cpus = tuple[int, ...]
# Program, arguments, and a pattern whose first group is the version in what it prints.
Program = tuple[str, tuple[str, ...], str]


class Generator(Protocol):
    """One generator. Each module of the registry is one; other packages name theirs in `profpipe.loads`."""

    MODES: frozenset[str]
    """The modes of a plan ("count", "rate", "closed") in which `auto` tries it. A plan that names it is always tried.
    `auto` tries built-in generators only."""

    PROGRAM: Program | None
    """The outside program it runs, whose version is recorded with the machine's facts; None without one."""

    def missing(self) -> str | None:
        """Why it cannot run here, with the command that installs it; None when it can."""

    def refuses(self, plan: LoadPlan) -> str | None:
        """Why it cannot do what this plan asks; None when it can."""

    def run(self, plan: LoadPlan, host: str, port: int, *, cpus: Cpus, folder: Path) -> LoadResult:
        """Load the server once, on these processors, within about plan.timeout seconds; raw output goes to `folder`.

        `served` is counted from answers with the expected status, never assumed. A server that refuses, dies or answers
        nonsense is a result with errors. Raises LoadError when the generator itself failed.
        """
