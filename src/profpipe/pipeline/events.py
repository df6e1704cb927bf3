"""What happens while a study runs, as values: the command line shows them, tests collect them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from profpipe.model.run import Phase, RunRecord
from profpipe.model.start import Lost
from profpipe.pipeline.prepare.schedule import RunPlan


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence for the user: a target that is left out, an instrument that is not installed."""

    text: str


@dataclass(frozen=True, slots=True)
class StudyStarted:
    """The run folder exists; `planned` runs will be tried."""

    folder: Path
    planned: int


@dataclass(frozen=True, slots=True)
class Building:
    """A line that the build of a target printed."""

    target: str
    line: str


@dataclass(frozen=True, slots=True)
class TrialStarted:
    """A variant is tried under an instrument, to find out how large its loads can be."""

    variant: str
    profiler: str


@dataclass(frozen=True, slots=True)
class TrialEnded:
    """`rate` = requests a second; or None, and the reason why it is not measured."""

    variant: str
    profiler: str
    rate: float | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Fits:
    """The loads of the study are fitted to its budget: `planned` runs follow, and all takes about `expected_s`."""

    planned: int
    expected_s: float
    budget_s: float


@dataclass(frozen=True, slots=True)
class RunStarted:
    plan: RunPlan


@dataclass(frozen=True, slots=True)
class PhaseEntered:
    plan: RunPlan
    phase: Phase


@dataclass(frozen=True, slots=True)
class RunEnded:
    plan: RunPlan
    record: RunRecord


@dataclass(frozen=True, slots=True)
class StartEnded:
    """`kept` starts have figures so far; `width` = half-width of the widest interval; seconds of the budget left."""

    kept: int
    lost: Lost | None
    width: float | None
    left_s: float


@dataclass(frozen=True, slots=True)
class SlicesEnded:
    """Why no more starts are added; `planned` runs follow."""

    stopped: str
    planned: int


@dataclass(frozen=True, slots=True)
class Look:
    """After `rounds` rounds these instruments are still undecided: `coming` more runs follow."""

    rounds: int
    undecided: tuple[str, ...]
    coming: int


Event = (
    Look
    | Note
    | StudyStarted
    | Building
    | TrialStarted
    | TrialEnded
    | Fits
    | RunStarted
    | PhaseEntered
    | RunEnded
    | StartEnded
    | SlicesEnded
)
Listener = Callable[[Event], None]
