"""No profiler: throughput, latency, CPU and memory of the server as it is."""

from __future__ import annotations

import os
from pathlib import Path
from types import MappingProxyType
from typing import get_args

from profpipe.capture.interface import Bare, Launch, Options, Session, Trial, picked
from profpipe.capture.server.usage import cpu_clock_ns
from profpipe.capture.tools import Version
from profpipe.study.schema import Target
from profpipe.units import Instrument, Language


class Clean:
    name = "clean"
    kind: Instrument = "clean"
    emits: str | None = None
    patience = 1.0
    stop_patience = 1.0
    options: Options = MappingProxyType({})
    version: Version | None = None
    default_for: frozenset[Language] = frozenset(get_args(Language))
    starter: tuple[str, ...] = ()

    def check(self, options: Options) -> None:
        picked(self.name, self.options, options)

    def missing(self, target: Target, root: Path | None = None) -> str | None:  # noqa: ARG002
        return None

    def try_it(self, python: str) -> Trial:  # noqa: ARG002
        """Read the CPU clock of another process, which some sandboxes do not have."""
        try:
            cpu_clock_ns(os.getppid())
        except OSError as error:
            return Trial(f"this system does not report the CPU time of another process: {error}")
        return Trial()

    def refuses(self, target: Target) -> str | None:  # noqa: ARG002
        return None

    def limits(self, target: Target) -> tuple[str, ...]:  # noqa: ARG002
        return ("clean runs measure what a request costs, not where: no functions",)

    def session(self, launch: Launch) -> Session:
        return Bare(launch)


PROFILER = Clean()
