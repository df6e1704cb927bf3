"""The executors by name, and the one that `--on` asks for."""

from __future__ import annotations

from functools import partial

from profpipe.errors import UsageError
from profpipe.pipeline.execute.blamed_executor import BlamedExecutor
from profpipe.pipeline.execute.interface import Executor
from profpipe.pipeline.prepare.options import LOCAL
from profpipe.plugins import Registry

EXECUTORS = Registry[Executor](
    kind="executor",
    protocol=Executor,
    builtin={LOCAL: "profpipe.pipeline.execute.local"},
    group="profpipe.executors",
)


def find_executor(on: str) -> tuple[Executor, str]:
    """The executor of `--on NAME` or `--on NAME:ADDRESS`, and the address. Raises UsageError when it cannot be used.

    In use, one of another package raises PartFailed in place of an error that is none of ours.
    """
    name, _, address = on.partition(":")
    executor = BlamedExecutor(EXECUTORS.get(name), partial(EXECUTORS.blaming, name))
    why = executor.missing()
    if why is not None:
        raise UsageError(f"--on {on}: {why}")
    return executor, address
