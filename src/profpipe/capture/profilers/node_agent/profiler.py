"""Two instruments of V8, which share the agent: samples of running JavaScript, and exact calls."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from profpipe.capture.interface import Launch, Options, Session, Trial, picked
from profpipe.capture.profilers.node_agent.session import NodeAgentSession
from profpipe.capture.tools import Version, failure, find_tool, run_tool
from profpipe.errors import UsageError
from profpipe.study.schema import Target
from profpipe.units import Instrument, Language

INSTALL = "install Node 16 or newer, https://nodejs.org"
VERSION = Version("node", ("--version",), r"v(\d\S*)")
PROGRAMS = re.compile(r"^(?:node|nodejs|npm|npx|yarn|pnpm|tsx|ts-node)$")


@dataclasses.dataclass(frozen=True, slots=True)
class NodeProfiler:
    """One mode of the agent."""

    name: str
    kind: Instrument
    mode: str
    emits: str | None
    options: Options
    blind: tuple[str, ...]
    starter: tuple[str, ...]
    version: Version | None = None
    patience: float = 1.0
    stop_patience: float = 1.0
    default_for: frozenset[Language] = frozenset({"node"})

    def check(self, options: Options) -> None:
        interval = picked(self.name, self.options, options).get("interval", 1000)
        if isinstance(interval, bool) or not isinstance(interval, int) or not 50 <= interval <= 1_000_000:
            raise UsageError(f"{self.name}: interval is {interval!r}; give microseconds between samples, 50 to 1000000")

    def missing(self, target: Target, root: Path | None = None) -> str | None:  # noqa: ARG002
        return None if find_tool("node") else f"node not found: {INSTALL}"

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
        interval = int(picked(self.name, self.options, launch.options).get("interval", 1000))
        return NodeAgentSession(launch, mode=self.mode, interval=interval, emits=self.emits or "")


CPU = NodeProfiler(
    name="node-cpu",
    kind="sampled",
    mode="samples",
    emits="cpuprofile",
    options={"interval": 1000},
    blind=(
        "node-cpu's time is elapsed time in which a thread was not idle: waiting for a processor counts, waiting for "
        "requests does not",
        "node-cpu sees Node's C++ code as the function that called it, or as (program)",
    ),
    starter=(
        "# 1,000 samples a second. V8 compiles hot functions while they run: a long warm-up shows them as they stay.",
        "# Its time is elapsed time: a processor of its own keeps the load generator out of it.",
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
