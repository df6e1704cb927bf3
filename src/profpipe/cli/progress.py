"""What a study tells on stderr while it runs: which run of how many, its phase, requests so far, time left."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.progress import Progress as Bar

from profpipe.model.run import RunRecord
from profpipe.pipeline.events import Building, Event, Note, PhaseEntered, RunEnded, RunStarted
from profpipe.pipeline.schedule import RunPlan


class Progress:
    """A live line on a terminal; plain lines, one per finished instrument round, elsewhere."""

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

    def __enter__(self) -> Progress:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def say(self, text: str) -> None:
        self.console.print(escape(text))

    def show(self, event: Event) -> None:
        match event:
            case Note(text):
                self.say(text)
            case Building(target, line):
                self._describe(f"building {target}: {line[:60]}")
            case RunStarted(plan, of):
                self._begin(of)
                self._describe(_title(plan))
            case PhaseEntered(plan, phase):
                self._describe(f"{_title(plan)}: {phase}")
            case RunEnded(plan, record):
                self._end(plan, record)

    def interrupted(self, folder: Path) -> None:
        kept = f"{self.ended} of {self.planned} runs ended and are kept"
        self.say(f"stopped: {kept}; report them with: profpipe report {folder.name}")

    def _begin(self, of: int) -> None:
        if self.task is None:
            self.planned = of
            self.task = self.bar.add_task("", total=of, requests=0, left="")

    def _describe(self, text: str) -> None:
        if self.task is not None:
            self.bar.update(self.task, description=escape(text))
        elif self.live:
            self.say(text)

    def _end(self, plan: RunPlan, record: RunRecord) -> None:
        self.ended += 1
        self.requests += record.load.served if record.load is not None else 0
        left = (time.monotonic() - self.started) / self.ended * (self.planned - self.ended)
        if self.task is not None:
            self.bar.update(self.task, completed=self.ended, requests=self.requests, left=f"{left:.0f} s left")
        if not record.valid:
            self.say(f"{_title(plan)}: {record.phase}: {record.reason}")
            for line in record.log_tail[-5:]:
                self.say(f"    {line}")
        elif not self.live:
            self.say(f"[{self.ended}/{self.planned}] {_title(plan)}: {record.requests:,} requests, {left:.0f} s left")


def _title(plan: RunPlan) -> str:
    control = " (A/A control)" if plan.control else ""
    return f"{plan.profiler} {plan.variant}{control} round {plan.round}"
