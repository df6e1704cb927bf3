"""What an executor is: it decides where the planned runs of a study are carried out, on this machine or on others.

`measure` decides which runs come next, keeps their records and takes out what a report must not show. An executor
builds the targets, carries out the units it is given and brings their files to this machine. It knows nothing of
rounds or verdicts, and nothing of what a unit does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, TypeVar

from profpipe.errors import CaptureError
from profpipe.pipeline.events import Listener
from profpipe.pipeline.prepare.prepared import PreparedStudy

Result = TypeVar("Result")
Result_co = TypeVar("Result_co", covariant=True)


class Unit(Protocol[Result_co]):
    """What is carried out in one piece on one host, because its figures are compared with each other directly.

    A single run where variants take turns (`one_run.PlannedRun`), or one start of several variants side by side. A
    unit, a study and a result can be pickled.
    """

    @property
    def folder(self) -> Path:
        """The empty folder on this machine for the unit's files."""

    def carry_out(self, study: PreparedStudy, folder: Path, listen: Listener) -> Result_co:
        """Start, load and stop the servers on the machine where this is called; files go into `folder`.

        The paths of `study` and `folder` are those of that machine. A failure is a result with its reason, not an
        exception. However it ends (KeyboardInterrupt included), it leaves no process.
        """


class Session(Protocol):
    """An executor that is ready for one study."""

    def environment(self) -> Mapping[str, str]:
        """Facts of the machine that carries out the runs: fact -> value, as a report shows them."""

    def build(self) -> Mapping[str, CaptureError]:
        """Build every target wherever it will run; variant -> error of those that do not build.

        Reports `Building` for each line of output and a `Note` for each failure. Called once, before the first unit.
        """

    def carry_out(self, units: Iterable[Unit[Result]]) -> Iterator[tuple[Unit[Result], Result]]:
        """Carry out units, and give each back with its result once it has ended, in any order.

        A unit is taken from `units` only when there is a host free for it, because which one comes next may depend on
        those that have ended. When a unit is given back, its files are in its folder. Events of the units are reported.
        Raises StoreError when the files cannot be kept on this machine.
        """


class Executor(Protocol):
    """What an entry point of the group `profpipe.executors` names: an object or a module."""

    def missing(self) -> str | None:
        """Why it cannot be used from this machine, with what to install; None when it can."""

    def session(self, study: PreparedStudy, address: str, listen: Listener) -> AbstractContextManager[Session]:
        """A session for one study. `address` = what `--on NAME:ADDRESS` says after the colon; "" for none.

        Raises UsageError for an address it cannot use and for hosts that lack what the study needs. However the
        block ends (KeyboardInterrupt included), no server, load generator or temporary file is left on any host when
        it has ended, and a unit that had not ended gives no result.
        """
