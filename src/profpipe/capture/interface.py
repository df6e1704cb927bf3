"""What every profiler is to the life cycle of a run. A profiler is one file here that names the format it writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from profpipe.capture.server.process import Stopped, Supervised
from profpipe.errors import UsageError
from profpipe.study.schema import Target
from profpipe.units import Instrument

Options = Mapping[str, str | int | float | bool]


def picked(name: str, defaults: Options, given: Options) -> dict[str, str | int | float | bool]:
    """The profiler's defaults with what a study gives. Raises UsageError for an option that does not exist."""
    if unknown := sorted(given.keys() - defaults.keys()):
        raise UsageError(f"{name} has no option {', '.join(unknown)}; it has: {', '.join(defaults) or 'none'}")
    return {**defaults, **given}


@dataclass(frozen=True, slots=True)
class Launch:
    """How the server is started: its command as profiled, its whole environment, and where captures go.

    `argv` is the target's own command with {port} and {python} filled in, before a profiler wraps it.
    """

    target: Target
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    raw: Path
    options: Options
    cpus: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A file a profiler wrote; `format` names its parser."""

    path: Path
    format: str


@dataclass(frozen=True, slots=True)
class Window:
    """What the harness saw from outside while the window was open: CPU of the server's tree, requests served."""

    cpu_s: float | None
    served: int


@dataclass(frozen=True, slots=True)
class Collected:
    """What a run's instrument brought home. `refused` = it ran, and saw too little of the server to be shown."""

    files: tuple[Written, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    refused: str | None = None


class Session(Protocol):
    """One run under one profiler. Every step raises CaptureError with its phase when it fails."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    facts: Mapping[str, str]
    scratch: Path | None  # a flat folder of its own outside the run's, removed when the server has ended

    def open(self, server: Supervised) -> None:
        """Begin collecting; returns when collection has begun."""

    def helpers(self) -> tuple[int, ...]:
        """Processes of the profiler beside the server, whose CPU is not the server's."""

    def close(self, server: Supervised, window: Window) -> None:
        """End collecting; the server still runs."""

    def collect(self, stopped: Stopped) -> Collected:
        """The files, once the server has ended."""

    def abandon(self) -> None:
        """Whatever happened: leave no process and no temporary file. Called once, last."""


class Profiler(Protocol):
    """An instrument. `emits` is the format of its captures, None for none.

    `patience` multiplies the target's ready timeout, `stop_patience` its stop timeout. `options` holds every option a
    study may set, with its default.
    """

    name: str
    kind: Instrument
    emits: str | None
    patience: float
    stop_patience: float
    options: Options

    def check(self, options: Options) -> None:
        """Raises UsageError for an option, or a value of one, that does not exist: before any run."""

    def missing(self, target: Target, root: Path | None = None) -> str | None:
        """What must be installed, with the line that does it; None when all is there."""

    def refuses(self, target: Target) -> str | None:
        """Why this instrument cannot see this target; None when it can."""

    def limits(self, target: Target) -> tuple[str, ...]:
        """What it cannot see or distorts on this target, a sentence each: printed beside its table."""

    def session(self, launch: Launch) -> Session:
        """Prepare one run."""


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
        """Nothing to let go of."""
