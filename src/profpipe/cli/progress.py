"""The progress of a study on stderr: the current run and its phase, how many runs there are, requests, time left."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.progress import Progress as Bar

from profpipe.cli.say import plain
from profpipe.model.run import RunRecord
from profpipe.pipeline.events import (
    Building,
    Event,
    Fits,
    Look,
    Note,
    PhaseEntered,
    RunEnded,
    RunStarted,
    SlicesEnded,
    StartEnded,
    StudyStarted,
    TrialEnded,
    TrialStarted,
)
from profpipe.pipeline.measure.give_up import NOT_AGAIN
from profpipe.pipeline.prepare.schedule import RunPlan
from profpipe.units import percent

STARTS_A_LINE = 5


class Progress:
    """A live line on a terminal; elsewhere one plain line per finished run, not wrapped at 80 columns."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False)
        self.live = self.console.is_terminal
        self.bar = Bar(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[requests]:,} requests  {task.fields[left]}"),
            console=self.console,
            transient=True,
            disable=not self.live,
        )
        self.task: TaskID | None = None
        self.started = time.monotonic()
        self.requests = self.ended = self.planned = 0
        self.starts = self.begun_with = 0  # begun_with: runs that had ended when `started` was set
        self.folder: Path | None = None
        self.reasons: set[tuple[str, str]] = set()  # (variant, reason) that were printed

    def __enter__(self) -> Progress:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def say(self, text: str) -> None:
        self.console.print(escape(plain(text)), soft_wrap=True)

    def show(self, event: Event) -> None:
        match event:
            case Note(text):
                self.say(text)
            case StudyStarted(folder, planned):
                # The studies of a calibration follow each other: the count goes on.
                self.folder, self.planned = folder, self.ended + planned
                if self.task is not None:
                    self.bar.update(self.task, total=self.planned)
            case Look(rounds, undecided, coming):
                self._look(rounds, undecided, coming)
            case Building(target, line):
                self._describe(f"building {target}: {line[:60]}")
            case TrialStarted(variant, profiler):
                self._begin()
                self._describe(f"trial of {variant} under {profiler}")
            case TrialEnded(variant, profiler, rate, reason):
                found = f"NOT MEASURED: {reason}" if rate is None else f"{rate:,.4g} requests/s"
                self.say(f"trial of {variant} under {profiler}: {found}")
            case Fits():
                self._fits(event)
            case RunStarted(plan):
                self._begin()
                self._describe(_title(plan))
            case PhaseEntered(plan, phase):
                self._describe(f"{_title(plan)}: {phase}")
            case RunEnded(plan, record):
                self._end(plan, record)
            case StartEnded():
                self._start(event)
            case SlicesEnded(stopped, planned):
                self.say(f"CPU time: {stopped}")
                self.planned, self.started = self.ended + planned, time.monotonic()
                self.begun_with = self.ended

    def _fits(self, event: Fits) -> None:
        self.planned, self.started, self.begun_with = self.ended + event.planned, time.monotonic(), self.ended
        if self.task is not None:
            self.bar.update(self.task, total=self.planned)
        over = "" if event.expected_s <= event.budget_s else f", more than the budget of {event.budget_s:.0f} s"
        self.say(f"the loads follow from the trial; the study takes about {event.expected_s:.0f} s{over}")

    @contextmanager
    def reporting_a_stop(self) -> Iterator[None]:
        """When the block fails or is stopped, print what is kept of the study."""
        try:
            yield
        except BaseException:
            self.print_what_is_kept()
            raise

    def print_what_is_kept(self) -> None:
        """How many runs are kept of a study that ended before its report, and the command that reports them."""
        if self.folder is None:
            return
        if not self.ended and not self.starts:
            self.say("stopped before any run had ended; nothing is kept")
            return
        command = shlex.join(["profpipe", "report", str(self.folder)])
        starts = f"{_starts(self.starts)} and " if self.starts else ""
        self.say(f"kept {starts}the {self.ended} of {self.planned} runs that had ended; report them with: {command}")

    def _start(self, event: StartEnded) -> None:
        """A start that is lost is always printed, the others now and then where lines stay."""
        self.starts += 1
        known = "" if event.width is None else f", CPU time within ±{percent(event.width, 2)}"
        text = f"{_starts(event.kept)} done{known}, at most {event.left_s:.0f} s left"
        if event.lost is not None:
            self.say(f"a start is lost: {event.lost.variant or 'the load client'}: {event.lost.reason}")
        if self.live:
            self._begin()
            self._describe(text)
        elif self.starts % STARTS_A_LINE == 0:
            self.say(text)

    def _look(self, rounds: int, undecided: tuple[str, ...], coming: int) -> None:
        self.planned += coming
        if self.task is not None:
            self.bar.update(self.task, total=self.planned)
        names = " and ".join(undecided)
        verb = "is" if len(undecided) == 1 else "are"
        self.say(f"{names} {verb} still undecided after {rounds} rounds; adding {coming} runs")

    def _begin(self) -> None:
        if self.task is None:
            self.task = self.bar.add_task("", total=self.planned, requests=0, left="")

    def _describe(self, text: str) -> None:
        if self.task is not None:
            self.bar.update(self.task, description=escape(plain(text)))
        elif self.live:
            self.say(text)

    def _end(self, plan: RunPlan, record: RunRecord) -> None:
        self.ended += 1
        self.requests += record.load.served if record.load is not None else 0
        since = self.ended - self.begun_with
        left = (time.monotonic() - self.started) / since * (self.planned - self.ended)
        if self.task is not None:
            self.bar.update(self.task, completed=self.ended, requests=self.requests, left=f"{left:.0f} s left")
        count = "" if self.live else f"[{self.ended}/{self.planned}] "
        if record.reason is not None:
            self._failed(f"{count}{_title(plan)}: INVALID: {record.phase}: ", record)
        elif not self.live:
            self.say(f"{count}{_title(plan)}: {record.requests:,} requests, {left:.0f} s left")

    def _failed(self, head: str, record: RunRecord) -> None:
        """Print a reason in full only once: repeated in every round, it would bury the others."""
        assert record.reason is not None
        if record.reason.startswith(NOT_AGAIN):
            self.say(head + NOT_AGAIN)
        elif (record.variant, record.reason) in self.reasons:
            self.say(f"{head}same reason as before")
        else:
            self.reasons.add((record.variant, record.reason))
            self.say(head + record.reason)
            for line in record.log_tail[-5:]:
                self.say(f"    {line}")


def _starts(many: int) -> str:
    return "1 start" if many == 1 else f"{many} starts"


def _title(plan: RunPlan) -> str:
    control = " (A/A control)" if plan.control else ""
    return f"{plan.profiler} {plan.variant}{control} round {plan.round}"
