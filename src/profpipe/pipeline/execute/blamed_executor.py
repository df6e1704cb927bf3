"""An executor of another package in use: whatever it raises names it and its package."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType

from profpipe.errors import CaptureError
from profpipe.pipeline.events import Listener
from profpipe.pipeline.execute.interface import Executor, Result, Session, Unit
from profpipe.pipeline.prepare.prepared import PreparedStudy

Blaming = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class BlamedExecutor:
    """The Executor `inner`, each use of it inside `blaming`."""

    inner: Executor
    blaming: Blaming

    def missing(self) -> str | None:
        with self.blaming():
            return self.inner.missing()

    def session(self, study: PreparedStudy, address: str, listen: Listener) -> AbstractContextManager[Session]:
        with self.blaming():
            return _BlamedContext(self.inner.session(study, address, listen), self.blaming)


@dataclass(frozen=True, slots=True)
class _BlamedContext(AbstractContextManager[Session]):
    """The block of a session. What the block itself raises passes unchanged: only the executor's exit is blamed."""

    inner: AbstractContextManager[Session]
    blaming: Blaming

    def __enter__(self) -> Session:
        with self.blaming():
            return _BlamedSession(self.inner.__enter__(), self.blaming)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        with self.blaming():
            return self.inner.__exit__(kind, error, traceback)


@dataclass(frozen=True, slots=True)
class _BlamedSession:
    inner: Session
    blaming: Blaming

    def environment(self) -> Mapping[str, str]:
        with self.blaming():
            return dict(self.inner.environment())

    def build(self) -> Mapping[str, CaptureError]:
        with self.blaming():
            return dict(self.inner.build())

    def carry_out(self, units: Iterable[Unit[Result]]) -> Iterator[tuple[Unit[Result], Result]]:
        with self.blaming():
            pairs = iter(self.inner.carry_out(units))
        while True:
            with self.blaming():
                try:
                    unit, result = next(pairs)
                except StopIteration:
                    return
            yield unit, result
