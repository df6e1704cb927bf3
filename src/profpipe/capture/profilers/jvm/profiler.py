"""Two instruments of the JVM's flight recorder: samples of running Java code, and allocations."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from profpipe.capture.interface import Launch, Options, Session, Trial, picked
from profpipe.capture.profilers.jvm.machines import INSTALL
from profpipe.capture.profilers.jvm.session import FORMAT, JvmSession
from profpipe.capture.tools import Version, failure, find_tool, run_tool
from profpipe.errors import UsageError
from profpipe.study.schema import Target
from profpipe.units import Instrument, Language

VERSION = Version("java", ("-version",), r'version "([^"]+)"')


@dataclasses.dataclass(frozen=True, slots=True)
class JvmProfiler:
    """One event of the flight recorder. `setting` is what the option `option` sets, `unit` follows its number."""

    name: str
    event: str
    option: str
    setting: str
    options: Options
    least: int
    most: int
    blind: tuple[str, ...]
    starter: tuple[str, ...] = ()
    default_for: frozenset[Language] = frozenset()
    kind: Instrument = "sampled"
    emits: str | None = FORMAT
    version: Version | None = None
    patience: float = 1.0
    stop_patience: float = 1.0

    def check(self, options: Options) -> None:
        asked = picked(self.name, self.options, options)[self.option]
        if isinstance(asked, bool) or not isinstance(asked, int) or not self.least <= asked <= self.most:
            limits = f"{self.least} to {self.most}"
            raise UsageError(f"{self.name}: {self.option} is {asked!r}; give a whole number, {limits}")

    def missing(self, target: Target, root: Path | None = None) -> str | None:  # noqa: ARG002
        lost = [name for name in ("jcmd", "jfr") if find_tool(name) is None]
        return f"{' and '.join(lost)} not found: {INSTALL}" if lost else None

    def try_it(self, python: str) -> Trial:  # noqa: ARG002
        program = find_tool("jfr")
        if program is None:
            return Trial("jfr of the JDK is not installed", INSTALL)
        return Trial(failure(run_tool([program, "help"])), INSTALL)

    def refuses(self, target: Target) -> str | None:
        if target.language == "jvm" or (target.language == "other" and Path(target.command[0]).name == "java"):
            return None
        return (
            f'{self.name} sees Java virtual machines only: set `language = "jvm"` where {target.command[0]} starts one'
        )

    def limits(self, target: Target) -> tuple[str, ...]:  # noqa: ARG002
        return self.blind

    def session(self, launch: Launch) -> Session:
        asked = picked(self.name, self.options, launch.options)[self.option]
        return JvmSession(launch, event=self.event, settings=(self.setting.format(asked),))


FILES = (
    "the flight recorder names classes, not source files: the file shown has the class's name, which is wrong for "
    "a class that stands in another class's file and for Kotlin and Scala"
)
CPU = JvmProfiler(
    name="jvm-cpu",
    event="jdk.ExecutionSample",
    option="interval",
    setting="period={}ms",
    options={"interval": 1},
    least=1,
    most=1000,
    blind=(
        "jvm-cpu samples threads that run Java code: system calls and native code, the collector and the compiler are "
        "not in it, and a thread that waits for a processor is",
        "at each sample the recorder looks at no more than five threads",
        FILES,
    ),
    starter=(
        "# The JVM interprets and compiles code while it starts: a long warm-up shows methods as they stay.",
        "profiler.jvm-cpu = { rounds = 5, requests = 10_000 }",
    ),
    default_for=frozenset({"jvm"}),
    version=VERSION,
)
ALLOCATIONS = JvmProfiler(
    name="jvm-allocs",
    event="jdk.ObjectAllocationSample",
    option="rate",
    setting="throttle={}/s",
    options={"rate": 1000},
    least=1,
    most=100_000,
    blind=(
        "jvm-allocs samples allocations, some of every thread's buffers, and scales them to bytes: a small "
        "difference is chance",
        FILES,
    ),
)
