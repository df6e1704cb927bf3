"""An executor as other hosts would have it: worker processes that share nothing with profpipe but what is sent."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from profpipe.errors import CaptureError
from profpipe.pipeline.events import Event, Listener
from profpipe.pipeline.execute.build import build_targets
from profpipe.pipeline.execute.interface import Result, Session, Unit
from profpipe.pipeline.prepare.prepared import PreparedStudy


@dataclass(frozen=True)
class ProcessExecutor:
    """`workers` processes, each unit in a folder of its own below `scratch`."""

    workers: int
    scratch: Path

    def missing(self) -> str | None:
        return None

    @contextmanager
    def session(self, study: PreparedStudy, address: str, listen: Listener) -> Iterator[Session]:
        self.scratch.mkdir(exist_ok=True)
        with ProcessPoolExecutor(self.workers, mp_context=get_context("spawn")) as pool:
            yield ProcessSession(study, listen, pool, self)


@dataclass(frozen=True)
class ProcessSession:
    study: PreparedStudy
    listen: Listener
    pool: ProcessPoolExecutor
    executor: ProcessExecutor

    def environment(self) -> Mapping[str, str]:
        return {"CPU": f"{self.executor.workers} worker processes"}

    def build(self) -> Mapping[str, CaptureError]:
        return build_targets(self.study, self.listen)

    def carry_out(self, units: Iterable[Unit[Result]]) -> Iterator[tuple[Unit[Result], Result]]:
        waiting = iter(units)
        running: dict[Future[Any], Unit[Result]] = {}
        while True:
            for unit in islice(waiting, self.executor.workers - len(running)):
                running[self.pool.submit(_on_the_worker, unit, self.study, self.executor.scratch)] = unit
            if not running:
                return
            for ended in wait(running, return_when=FIRST_COMPLETED).done:
                unit = running.pop(ended)
                result, events, folder = ended.result()
                shutil.copytree(folder, unit.folder, dirs_exist_ok=True)
                shutil.rmtree(folder)
                for event in events:
                    self.listen(event)
                yield unit, result


def _on_the_worker(unit: Unit[Result], study: PreparedStudy, scratch: Path) -> tuple[Result, list[Event], Path]:
    folder = Path(tempfile.mkdtemp(dir=scratch))
    events: list[Event] = []
    return unit.carry_out(study, folder, events.append), events, folder
