"""What a profiler is to the rest of profpipe. Each profiler is one file or folder of `profilers/`, or a plug-in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from profpipe.capture.server.process import Stopped, Supervised
from profpipe.capture.tools import Version
from profpipe.errors import UsageError
from profpipe.study.schema import Target
from profpipe.units import Instrument, Language

Options = Mapping[str, str | int | float | bool]


def picked(name: str, defaults: Options, given: Options) -> dict[str, str | int | float | bool]:
    """The profiler's defaults, overridden by the study's options. Raises UsageError for one that does not exist."""
    if unknown := sorted(given.keys() - defaults.keys()):
        raise UsageError(f"{name} has no option {', '.join(unknown)}; it has: {', '.join(defaults) or 'none'}")
    return {**defaults, **given}


@dataclass(frozen=True, slots=True)
class Launch:
    """How the server is started: its command before profiling, its whole environment, and where captures go.

    `argv` is the target's own command with {port} and {python} filled in, before a profiler wraps it. `data` = the
    folder that {data} stands for.
    """

    target: Target
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    raw: Path
    options: Options
    cpus: frozenset[int] | None = None
    data: Path | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A file a profiler wrote; `format` names its parser."""

    path: Path
    format: str


@dataclass(frozen=True, slots=True)
class Window:
    """What was measured from outside while the window was open: CPU seconds of the server's tree, requests served."""

    cpu_s: float | None
    served: int


@dataclass(frozen=True, slots=True)
class Collected:
    """What a profiler collected in a run. `refused` = it ran, but saw too little of the server to be shown."""

    files: tuple[Written, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What trying a profiler on this machine found.

    `why_not` is None when it works. `install` is the command, or the setting, that would make it work; `note` is worth
    knowing either way.
    """

    why_not: str | None = None
    install: str = ""
    note: str = ""


class Session(Protocol):
    """One run under one profiler. Every step raises CaptureError with its phase when it fails."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    facts: Mapping[str, str]
    scratch: Path | None  # a flat folder of its own outside the run's, removed when the server has ended

    def open(self, server: Supervised) -> None:
        """Begin collecting; returns when collection has begun."""

    def helpers(self) -> tuple[int, ...]:
        """Processes of the profiler outside the server, whose CPU is not the server's."""

    def close(self, server: Supervised, window: Window) -> None:
        """End collecting; the server is still running."""

    def collect(self, stopped: Stopped) -> Collected:
        """The files, once the server has ended."""

    def abandon(self) -> None:
        """Leave no process and no temporary file, whatever happened. Called once, last."""


class Profiler(Protocol):
    """A way to look at a server: `clean` runs are one too.

    `kind` is what its figures are, `emits` the format of its captures (None: it writes none). `patience` multiplies the
    target's ready timeout, `stop_patience` its stop timeout. `options` holds every option a study may set, with its
    default. `version` asks its program for the version (None: it has no program of its own). `profpipe init` proposes
    it for the languages in `default_for`, with the lines `starter` in the study.
    """

    name: str
    kind: Instrument
    emits: str | None
    patience: float
    stop_patience: float
    options: Options
    version: Version | None
    default_for: frozenset[Language]
    starter: tuple[str, ...]

    def check(self, options: Options) -> None:
        """Called before any run. Raises UsageError for an option, or a value of one, that does not exist."""

    def missing(self, target: Target, root: Path | None = None) -> str | None:
        """What must be installed for this target, with the command that does it; None when nothing is missing."""

    def try_it(self, python: str) -> Trial:
        """Use it once on a small program, for `profpipe doctor`; takes seconds at most.

        `python` is the interpreter of the user's servers. May raise CaptureError or OSError where trying fails.
        """

    def refuses(self, target: Target) -> str | None:
        """Why this profiler cannot see this target; None when it can."""

    def limits(self, target: Target) -> tuple[str, ...]:
        """What it cannot see or distorts on this target, a sentence each: printed next to its table."""

    def session(self, launch: Launch) -> Session:
        """Prepare one run."""


@runtime_checkable
class SeesSeveral(Protocol):
    """What a profiler adds that can look at several servers at once, which are loaded in turns."""

    def together(self, targets: Sequence[Target], options: Options) -> Profiler | None:
        """What gives a session for each of these targets, all open at once; None where they must be run one by one."""


class Bare:
    """A session that adds nothing to the server. Profilers that attach or wrap override what they need."""

    def __init__(self, launch: Launch) -> None:
        self.argv: tuple[str, ...] = launch.argv
        self.env: Mapping[str, str] = launch.env
        self.facts: Mapping[str, str] = {}
        self.scratch: Path | None = None

    def open(self, server: Supervised) -> None:
        """Nothing to begin."""

    def helpers(self) -> tuple[int, ...]:
        return ()

    def close(self, server: Supervised, window: Window) -> None:
        """Nothing to end."""

    def collect(self, stopped: Stopped) -> Collected:  # noqa: ARG002
        return Collected()

    def abandon(self) -> None:
        """Nothing to remove."""
