"""Four instruments of Go's own runtime, which share the agent: CPU time, allocations, mutexes, and all blocking."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from profpipe.capture.interface import Launch, Options, Session, Trial, picked
from profpipe.capture.profilers.go_agent.building import NO_BUILD, recipe
from profpipe.capture.profilers.go_agent.endpoint import GoEndpointSession, endpoint
from profpipe.capture.profilers.go_agent.session import FORMAT, GoAgentSession
from profpipe.capture.server.command import fill, find_program
from profpipe.capture.tools import Version, failure, find_tool, run_tool
from profpipe.errors import UsageError
from profpipe.study.schema import Target
from profpipe.units import Instrument, Language

INSTALL = "install Go 1.21 or newer, https://go.dev/dl"
VERSION = Version("go", ("version",), r"go version go(\S+)")
LEAST = (1, 21)
# Its file is part of package main, so the server itself is compiled as it is, but linked with two packages more.
BUILT_IN = "the profiler is linked into the server: its program is not byte for byte the one that clean runs measure"


@dataclasses.dataclass(frozen=True, slots=True)
class GoProfiler:
    """One mode of the agent. `profiles` are its files, `rate` = whether samples a second can be chosen."""

    name: str
    kind: Instrument
    mode: str
    profiles: tuple[str, ...]
    options: Options
    blind: tuple[str, ...]
    starter: tuple[str, ...] = ()
    default_for: frozenset[Language] = frozenset()
    emits: str | None = FORMAT
    patience: float = 1.0
    stop_patience: float = 1.0
    version: Version | None = None

    def check(self, options: Options) -> None:
        asked = picked(self.name, self.options, options)
        rate = asked.get("rate", 100)
        if isinstance(rate, bool) or not isinstance(rate, int) or not 1 <= rate <= 1000:
            raise UsageError(f"{self.name}: rate is {rate!r}; give samples a second, 1 to 1000")
        if not isinstance(asked["package"], str):
            raise UsageError(f"{self.name}: package is {asked['package']!r}; give the path of the server's package")
        where = asked.get("endpoint", "")
        if not isinstance(where, str) or (where and endpoint(where) is None):
            words = "give a path such as /debug/pprof, or http://127.0.0.1:6060/debug/pprof"
            raise UsageError(f"{self.name}: endpoint is {where!r}; {words}")

    def missing(self, target: Target, root: Path | None = None) -> str | None:
        cwd = Path.cwd() if root is None else root / target.cwd
        found = recipe(target, fill(target.command, 0), ".")
        go = found.go if found is not None else "go"
        program = find_program(go, cwd)
        if program is None:
            return f"{go} not found: {INSTALL}"
        old = VERSION.too_old(program, LEAST)
        return f"{program} is Go {old}, which is too old: {INSTALL}" if old else None

    def try_it(self, python: str) -> Trial:  # noqa: ARG002
        program = find_tool("go")
        if program is None:
            return Trial("go is not installed", INSTALL)
        return Trial(failure(run_tool([program, "version"])), INSTALL)

    def refuses(self, target: Target) -> str | None:
        if target.language == "go" or recipe(target, fill(target.command, 0)) is not None:
            return None
        return f'{self.name} sees Go programs only: set `language = "go"` where {target.command[0]} is one'

    def limits(self, target: Target) -> tuple[str, ...]:
        unknown = recipe(target, fill(target.command, 0)) is None
        return (*self.blind, BUILT_IN, *((NO_BUILD,) if unknown else ()))

    def session(self, launch: Launch) -> Session:
        asked = picked(self.name, self.options, launch.options)
        where = endpoint(str(asked.get("endpoint", "")))
        if where is not None:
            return GoEndpointSession(launch, where)
        rate, package = int(asked.get("rate", 100)), str(asked["package"])
        return GoAgentSession(launch, mode=self.mode, profiles=self.profiles, rate=rate, package=package)


CPU = GoProfiler(
    name="go-cpu",
    kind="sampled",
    mode="cpu",
    profiles=("cpu",),
    options={"rate": 100, "package": "", "endpoint": ""},
    blind=(
        "go-cpu takes 100 samples a second of processor time: a window of one second ranks the ten most expensive "
        "functions, not the rest. A higher rate adds up to too little time: the kernel checks these timers some "
        "250 times a second",
        "go-cpu sees the kernel as the system call that entered it; perf sees inside",
    ),
    starter=(
        "# 100 samples a second: the window should hold a second of processor time.",
        "profiler.go-cpu = { rounds = 5, requests = 20_000 }",
    ),
    default_for=frozenset({"go"}),
    version=VERSION,
)
ALLOCATIONS = GoProfiler(
    name="go-allocs",
    kind="counted",
    mode="allocations",
    profiles=("allocs",),
    options={"package": ""},
    blind=(
        "go-allocs records every allocation with its stack, which slows a server 10 to 30 times: read counts and bytes",
        "objects under 16 bytes without pointers share a block, and Go's profile counts the block; the fact "
        "`allocations per request` counts each",
    ),
    starter=(
        "# Every allocation is recorded: exact, and slow, so fewer requests will do.",
        "profiler.go-allocs = { rounds = 3, requests = 500 }",
    ),
    default_for=frozenset({"go"}),
)
CONTENTION = GoProfiler(
    name="go-contention",
    kind="sampled",
    mode="contention",
    profiles=("mutex",),
    options={"package": ""},
    blind=(
        "go-contention's times are time that goroutines waited for a mutex, not processor time; they stand where the "
        "mutex was unlocked. Waiting for channels is not in them",
    ),
)
BLOCKING = GoProfiler(
    name="go-block",
    kind="sampled",
    mode="block",
    profiles=("block",),
    options={"package": ""},
    blind=(
        "go-block's times are time that goroutines waited for channels, mutexes, condition variables and wait groups, "
        "not processor time: a goroutine that waits for work waits too. Waiting for the network is not in them",
    ),
)
