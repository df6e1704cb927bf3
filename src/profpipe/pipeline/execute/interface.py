"""What an executor is: it carries out the planned runs of a study, on this machine or on others.

`measure` decides which runs come next, keeps their records and takes out what a report must not show. An executor
builds the targets, runs what it is given and brings the captures home. It knows nothing of rounds or verdicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from profpipe.errors import CaptureError
from profpipe.model.run import RunRecord
from profpipe.pipeline.events import Listener
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.pipeline.prepare.schedule import RunPlan


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run and the empty folder on this machine that its captures go into."""

    plan: RunPlan
    folder: Path


@dataclass(frozen=True, slots=True)
class Unit:
    """Runs whose figures are compared with each other directly: never split over hosts, kept or lost together.

    One run where variants take turns, or one start of several variants that are up at the same time.
    """

    runs: tuple[PlannedRun, ...]


class Session(Protocol):
    """An executor that is ready for one study."""

    def environment(self) -> Mapping[str, str]:
        """Facts of the machine that carries out the runs: fact -> value, as a report shows them."""

    def build(self) -> Mapping[str, CaptureError]:
        """Build every target wherever it will run; variant -> error of those that do not build.

        Reports `Building` for each line of output and a `Note` for each failure. Called once, before the first unit.
        """

    def carry_out(self, units: Iterable[Unit]) -> Iterator[tuple[Unit, tuple[RunRecord, ...]]]:
        """Carry out units, and give each back once it has ended, with a record for each of its runs in their order.

        A unit is taken from `units` only when there is a host free for it, because which one comes next may depend on
        those that have ended; they may end in another order. Every file that a record names in `captures` is in the
        run's folder by then. A run that fails is a record with `reason` and `phase`, never an exception. Reports
        `PhaseEntered`. Raises StoreError where a capture cannot be kept here.
        """


class Executor(Protocol):
    """What an entry point of the group `profpipe.executors` names: an object or a module."""

    def missing(self) -> str | None:
        """Why it cannot be used from this machine, with what to install; None when it can."""

    def session(self, study: PreparedStudy, address: str, listen: Listener) -> AbstractContextManager[Session]:
        """A session for one study. `address` = what `--on NAME:ADDRESS` says after the colon; "" for none.

        Raises UsageError for an address it cannot use and for hosts that lack what the study needs. However the
        block ends (KeyboardInterrupt included), no server, load generator or temporary file is left on any host when
        it has ended, and a unit that had not ended gives no record.
        """
