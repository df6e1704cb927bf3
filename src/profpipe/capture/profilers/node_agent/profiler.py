"""Three instruments of V8, which share the agent: samples of running JavaScript, exact calls, samples of the heap."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from profpipe.capture.interface import Launch, Options, Session, Trial, picked
from profpipe.capture.profilers.node_agent.session import NodeAgentSession
from profpipe.capture.server.command import find_program
from profpipe.capture.tools import Version, failure, find_tool, run_tool
from profpipe.errors import UsageError
from profpipe.study.schema import Target
from profpipe.units import Instrument, Language

INSTALL = "install Node 16 or newer, https://nodejs.org"
VERSION = Version("node", ("--version",), r"v(\d\S*)")
PROGRAMS = re.compile(r"^(?:node|nodejs|npm|npx|yarn|pnpm|tsx|ts-node)$")


@dataclasses.dataclass(frozen=True, slots=True)
class NodeProfiler:
    """One mode of the agent. `interval` counts `unit`s, from `least` to `most`; `since` = Node's version."""

    name: str
    kind: Instrument
    mode: str
    emits: str | None
    options: Options
    blind: tuple[str, ...]
    starter: tuple[str, ...]
    unit: str = "microseconds between samples"
    least: int = 50
    most: int = 1_000_000
    since: int = 16
    version: Version | None = None
    patience: float = 1.0
    stop_patience: float = 1.0
    default_for: frozenset[Language] = frozenset({"node"})

    def check(self, options: Options) -> None:
        interval = picked(self.name, self.options, options).get("interval", self.least)
        if isinstance(interval, bool) or not isinstance(interval, int) or not self.least <= interval <= self.most:
            asked = f"give {self.unit}, {self.least} to {self.most}"
            raise UsageError(f"{self.name}: interval is {interval!r}; {asked}")

    def missing(self, target: Target, root: Path | None = None) -> str | None:
        cwd = Path.cwd() if root is None else root / target.cwd
        given = target.command[0]
        program = find_program(given, cwd) if Path(given).name in ("node", "nodejs") else find_tool("node")
        if program is None:
            return f"node not found: {INSTALL}"
        old = VERSION.too_old(program, (self.since,))
        return f"{program} is Node {old}; {self.name} needs {self.since} or newer: https://nodejs.org" if old else None

    def try_it(self, python: str) -> Trial:  # noqa: ARG002
        program = find_tool("node")
        if program is None:
            return Trial("node is not installed", INSTALL)
        return Trial(failure(run_tool([program, "-e", "new (require('node:inspector').Session)().connect()"])), INSTALL)

    def refuses(self, target: Target) -> str | None:
        program = Path(target.command[0]).name
        if target.language == "node" or (target.language == "other" and PROGRAMS.match(program)):
            return None
        return f'{self.name} sees Node programs only: set `language = "node"` where {target.command[0]} is one'

    def limits(self, target: Target) -> tuple[str, ...]:  # noqa: ARG002
        return self.blind

    def session(self, launch: Launch) -> Session:
        interval = int(picked(self.name, self.options, launch.options).get("interval", 2000))
        return NodeAgentSession(launch, mode=self.mode, interval=interval, emits=self.emits or "")


CPU = NodeProfiler(
    name="node-cpu",
    kind="sampled",
    mode="samples",
    emits="cpuprofile",
    options={"interval": 2000},
    blind=(
        "node-cpu spreads the processor time of a thread evenly over its samples, and a thread that gets its processor "
        "back is sampled at once: on one processor with the load generator, writev, which wakes it, gets too much",
        "node-cpu sees Node's C++ code as the function that called it, or as (program)",
    ),
    starter=(
        "# 500 samples a second. V8 compiles hot functions while they run: a long warm-up shows them as they stay.",
        "# A processor of its own keeps the load generator's turns out of the samples.",
        'profiler.node-cpu = { rounds = 5, requests = 10_000, placement = "split" }',
    ),
    version=VERSION,
)
CALLS = NodeProfiler(
    name="node-calls",
    kind="counted",
    mode="calls",
    emits="v8-calls",
    options={},
    blind=(
        "node-calls counts every call, and V8 inlines less meanwhile: a server is two to four times slower, so read "
        "counts only",
        "node-calls counts functions of scripts: those of Node's C++ code and of V8 itself are not in it",
    ),
    starter=("profiler.node-calls = { rounds = 3, requests = 1000 }",),
)
HEAP = NodeProfiler(
    name="node-heap",
    kind="sampled",
    mode="heap",
    emits="heapprofile",
    options={"interval": 16_384},
    unit="bytes between samples",
    least=256,
    most=1 << 30,
    since=20,  # before, V8 forgets what the collector freed
    blind=(
        "node-heap samples an allocation in every 16 KiB and scales up: functions that allocate little are missing",
        "node-heap sees V8's heap only: the bytes of a Buffer lie outside it",
    ),
    starter=(),
    default_for=frozenset(),
)
