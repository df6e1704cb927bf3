"""No profiler: throughput, latency, CPU and memory of the server as it is."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from profpipe.capture.interface import Bare, Launch, Options, Session, picked
from profpipe.study.schema import Target
from profpipe.units import Instrument


class Clean:
    name = "clean"
    kind: Instrument = "clean"
    emits: str | None = None
    patience = 1.0
    stop_patience = 1.0
    options: Options = MappingProxyType({})

    def check(self, options: Options) -> None:
        picked(self.name, self.options, options)

    def missing(self, target: Target, root: Path | None = None) -> str | None:  # noqa: ARG002
        return None

    def refuses(self, target: Target) -> str | None:  # noqa: ARG002
        return None

    def limits(self, target: Target) -> tuple[str, ...]:  # noqa: ARG002
        return ("clean runs say what a request costs, not where: no functions",)

    def session(self, launch: Launch) -> Session:
        return Bare(launch)


PROFILER = Clean()
