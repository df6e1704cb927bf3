"""One variant under one instrument, once: how fast it answers, and whether the instrument gives what can be read."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from profpipe import capture, load
from profpipe.capture.server.memory import Free, free_memory
from profpipe.errors import LoadError
from profpipe.load.set_up import SetUp
from profpipe.model.run import LoadResult, RunRecord
from profpipe.pipeline.events import Listener
from profpipe.pipeline.execute.judge import judge
from profpipe.pipeline.execute.one_run import begin_record, without_service
from profpipe.pipeline.prepare.load_plans import fit
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.pipeline.prepare.schedule import RunPlan
from profpipe.study import LoadPlan, Target

# A single answer may take so long: servers start lazily, and under callgrind a request of 0.3 s takes 15 s.
ANSWER_S = 60.0
# A third of the budget of a study: a server that needs longer to start under a profiler has no time for rounds.
READY_S = 60.0
# Requests grow until a load took so long; a rate from less is mostly the first connections.
LONG_ENOUGH_S = 0.5
FIRST, STEPS, MOST_CONNECTIONS = 2, 6, 20
# A load that takes more than SLACK times as long as one request after the other hangs.
SOON_S, SLACK = 5.0, 20.0
# Seconds for which all connections together may make the last request wait.
QUEUE_S = 2.0


@dataclass(frozen=True, slots=True)
class Tried:
    """What a trial found. `rate` = requests a second under the instrument, None where the run is not valid.

    `connections` = how many it serves at a time, at most. `outside_s` = seconds of the run besides its load: start,
    readiness, the first requests, saving, end. `free` = the memory that was left before the server was started.
    """

    record: RunRecord
    rate: float | None
    outside_s: float
    seconds: float
    connections: int = MOST_CONNECTIONS
    free: Free | None = None

    @property
    def peak_bytes(self) -> int | None:
        """Most resident memory of its processes."""
        return None if self.record.usage is None else self.record.usage.rss_peak_bytes


@dataclass(frozen=True, slots=True)
class TrialUnit:
    """A trial as a unit of an executor: its captures go to `folder`."""

    folder: Path
    variant: str
    profiler: str

    def carry_out(self, study: PreparedStudy, folder: Path, listen: Listener) -> Tried:  # noqa: ARG002
        return try_once(study, self.variant, self.profiler, folder)


def try_once(study: PreparedStudy, variant: str, profiler: str, folder: Path) -> Tried:
    """Start the variant under the instrument, load it for about LONG_ENOUGH_S, and stop it."""
    plan = RunPlan(order=0, variant=variant, profiler=profiler, round=0, control=False)
    placement = study.placement_for(plan)
    probe = _Probe(_open_plan(study, plan), placement.load_cpus, folder / "load")
    begun, free = time.monotonic(), free_memory()
    tool = study.study.tool(profiler)
    record = capture.capture_run(
        _impatient(study.targets[variant], capture.profiler(tool).patience),
        tool,
        begun=begin_record(study, plan),
        root=study.root_of(variant),
        folder=folder,
        options=study.study.use(profiler).options,
        placement=placement,
        warm_up=probe.warm_up,
        load=probe.grow,
        request=probe.plan.request,
        secrets=lambda: probe.set_up.secrets,
    )
    seconds = time.monotonic() - begun
    record = without_service(study, record)
    reason, phase = judge(record, probe.plan.model_copy(update={"requests": probe.sent}))
    record = replace(record, reason=reason, phase=phase)
    rate = probe.rate if reason is None else None
    return Tried(record, rate, max(seconds - probe.grown_s, 0.0), seconds, probe.most, free)


def _impatient(target: Target, patience: float) -> Target:
    """The target with no more than READY_S to become ready, under a profiler too, unless the study sets its time."""
    if "timeout" in target.ready.model_fields_set:
        return target
    ready = target.ready.model_copy(update={"timeout": min(target.ready.timeout, READY_S / patience)})
    return target.model_copy(update={"ready": ready})


def _open_plan(study: PreparedStudy, run: RunPlan) -> LoadPlan:
    """The load of the instrument with its own request and generator, as a count that the probe chooses."""
    use = study.study.use(run.profiler)
    return fit(use.load or study.study.load, study.targets[run.variant], study.generator, {"mode": "count"})


@dataclass(slots=True)
class _Probe:
    """Loads that grow until one took long enough. `sent` = requests of all in the window.

    `most` = connections that the server serves at a time. `grown_s` = seconds of all but the first, which is slow:
    under callgrind all code is translated for it once more.
    """

    plan: LoadPlan
    cpus: tuple[int, ...]
    folder: Path
    rate: float | None = None
    sent: int = 0
    grown_s: float = 0.0
    most: int = MOST_CONNECTIONS
    results: list[LoadResult] = field(default_factory=list)
    set_up: SetUp = field(default_factory=SetUp)

    def warm_up(self, host: str, port: int) -> LoadResult:
        """Two requests. Raises LoadError where the server does not answer them, with how it answered."""
        found = self._send(host, port, FIRST, 1, ANSWER_S * FIRST)
        if not found.served:
            errors = ", ".join(f"{kind}: {many}" for kind, many in found.errors.items()) or "no error reported"
            raise LoadError(f"no request was answered with {self.plan.status_words} ({errors})")
        return found

    def grow(self, host: str, port: int) -> LoadResult:
        """One request, then more over several connections; the last load gives the rate."""
        first = self._send(host, port, 1, 1, ANSWER_S)
        self.results.append(first)
        answer_s = max(first.seconds, 1e-6)
        connections = self._connections(answer_s)
        many = max(connections, math.ceil(LONG_ENOUGH_S / 2 / answer_s))
        for _ in range(STEPS):
            begun = time.monotonic()
            last = self._send(host, port, many, connections, max(SOON_S, SLACK * many * answer_s))
            if last.served < many and connections > 1 and "connections" not in self.plan.model_fields_set:
                # A server that keeps a process or thread for each open connection serves no more of them.
                many, connections, self.most = max(last.served // 4, 1), 1, 1
                continue
            self.results.append(last)
            self.grown_s += time.monotonic() - begun
            if last.served < many or last.seconds >= LONG_ENOUGH_S:
                break
            many = math.ceil(many * min(max(1.2 * LONG_ENOUGH_S / max(last.seconds, 1e-6), 2.0), 10.0))
        last = self.results[-1]
        self.rate = last.served / last.seconds if last.served and last.seconds > 0 else None
        return self._all()

    def _connections(self, answer_s: float) -> int:
        if "connections" in self.plan.model_fields_set:
            return self.plan.connections
        return min(max(int(QUEUE_S / answer_s), 1), MOST_CONNECTIONS)

    def _send(self, host: str, port: int, requests: int, connections: int, timeout: float) -> LoadResult:
        size = {"requests": requests, "connections": min(connections, requests), "timeout": timeout}
        plan = self.set_up.ready(self.plan.model_copy(update=size), host, port)
        return load.run(load.choose(plan), plan, host, port, cpus=self.cpus, folder=self.folder)

    def _all(self) -> LoadResult:
        """All loads of the window as one."""
        errors: dict[str, int] = {}
        for found in self.results:
            for kind, many in found.errors.items():
                errors[kind] = errors.get(kind, 0) + many
        self.sent = sum(found.served + found.failed for found in self.results)
        return replace(
            self.results[-1],
            served=sum(found.served for found in self.results),
            failed=sum(found.failed for found in self.results),
            seconds=sum(found.seconds for found in self.results),
            errors=errors,
        )
