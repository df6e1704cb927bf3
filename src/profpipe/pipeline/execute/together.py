"""Runs of several variants under one sampler at once: their servers are up together and are loaded in slices.

The life of each run is that of any other (capture.capture_run). They are nested: the load of one run is the whole
life of the next, and the innermost loads all of them. So however it ends, every server is stopped by its own run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from profpipe import __version__, capture, load
from profpipe.capture.interface import Profiler, SeesSeveral
from profpipe.errors import LoadError
from profpipe.load.set_up import SetUp
from profpipe.load.slices.client import Address, Client, VariantFailed
from profpipe.model.run import LoadResult, RunRecord
from profpipe.pipeline.events import Listener
from profpipe.pipeline.execute.judge import judge
from profpipe.pipeline.execute.one_run import WARM_UP, begin_record, capture_planned, remove_load_files
from profpipe.pipeline.prepare.fitted import NOT_FITTED, Fitted
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.pipeline.prepare.schedule import RunPlan, orders_of
from profpipe.study import LoadPlan

# The requests of a run are dealt out to so many passes, where each connection then gets at least two in a slice.
PASSES, ROUNDS_A_SLICE = 50, 2
FACT = "loaded in turns with"


@dataclass(frozen=True, slots=True)
class RunsTogether:
    """Runs of one profiler and round as a unit of an executor. Each has a folder in `folder`, named by its variant."""

    plans: tuple[RunPlan, ...]
    folder: Path
    fitted: Fitted = NOT_FITTED

    def carry_out(self, study: PreparedStudy, folder: Path, listen: Listener) -> tuple[RunRecord, ...]:
        """The records in the order of the plans. Where one variant fails, no run is valid: the pairs stay pairs."""
        study = replace(study, fitted=self.fitted)
        profiler = _profiler(study, self.plans)
        assert profiler is not None, "who makes this unit asks may_join"
        return _Together(study, self.plans, folder, listen, profiler).carry_out()


def may_join(study: PreparedStudy, plans: Sequence[RunPlan]) -> bool:
    """Whether these runs of one profiler and round can be a unit.

    They must be runs of a sampler that sees several servers at once, of a study that is measured by slices, so that
    all are known to run together, and send the same number of requests.
    """
    loads = [study.plan_for(plan) for plan in plans]
    alike = len({(each.requests, each.connections) for each in loads}) == 1
    if not study.by_slices or len(plans) < 2 or not alike or any(each.mode != "count" for each in loads):
        return False
    return study.kinds[plans[0].profiler] == "sampled" and _profiler(study, plans) is not None


def _profiler(study: PreparedStudy, plans: Sequence[RunPlan]) -> Profiler | None:
    name = plans[0].profiler
    tool = capture.profiler(study.study.tool(name))
    if not isinstance(tool, SeesSeveral):
        return None
    return tool.together([study.targets[plan.variant] for plan in plans], study.study.use(name).options)


@dataclass(slots=True)
class _Together:
    """`up` = servers that are up, in the order of their runs. `lost` = why no run is valid, once that is known."""

    study: PreparedStudy
    plans: tuple[RunPlan, ...]
    folder: Path
    listen: Listener
    profiler: Profiler
    up: list[tuple[LoadPlan, str, int]] = field(default_factory=list)
    found: dict[str, LoadResult] = field(default_factory=dict)
    records: dict[str, RunRecord] = field(default_factory=dict)
    lost: str = ""

    def carry_out(self) -> tuple[RunRecord, ...]:
        self._run(self.plans)
        return tuple(self.records.get(plan.variant) or self._not_begun(plan) for plan in self.plans)

    def _run(self, plans: Sequence[RunPlan]) -> None:
        """The first of these runs, and the others while it is loaded."""
        plan, *others = plans
        study, load_plan = self.study, self.study.plan_for(plan)
        placement, folder = study.placement_for(plan), self.folder / plan.variant
        folder.mkdir()
        set_up = SetUp()

        def warm_up(host: str, port: int) -> LoadResult:
            ready = set_up.ready(load_plan, host, port)
            return load.warm_up(ready, host, port, cpus=placement.load_cpus, folder=folder / WARM_UP)

        def drive(host: str, port: int) -> LoadResult:
            self.up.append((set_up.ready(load_plan, host, port), host, port))
            if others:
                self._run(others)
            else:
                self._load(placement.load_cpus)
            if self.lost:
                raise LoadError(self.lost)
            return self.found[plan.variant]

        record = capture_planned(
            study,
            plan,
            folder,
            self.listen,
            warm_up=warm_up,
            drive=drive,
            instance=self.profiler,
            secrets=lambda: set_up.secrets,
        )
        if plan.variant not in self.found and not self.lost:
            self.lost = f"{plan.variant}: {record.reason}"
        self.records[plan.variant] = self._judged(plan, load_plan, record)

    def _judged(self, plan: RunPlan, load_plan: LoadPlan, record: RunRecord) -> RunRecord:
        served = record.load.served if record.load is not None else load_plan.requests
        reason, phase = judge(record, load_plan.model_copy(update={"requests": served}))
        if reason is None:
            remove_load_files(self.folder / plan.variant)
        others = ", ".join(each.variant for each in self.plans if each is not plan)
        facts = {**record.profiler_facts, FACT: others}
        return replace(
            record, reason=reason, phase=phase, log_tail=record.log_tail if reason else (), profiler_facts=facts
        )

    def _not_begun(self, plan: RunPlan) -> RunRecord:
        return replace(begin_record(self.study, plan), reason=self.lost, phase="start")

    def _load(self, cpus: tuple[int, ...]) -> None:
        """Slices over all servers; `found` or `lost` is set."""
        plan, begun = self.up[0][0], time.monotonic()
        size = max(plan.requests // PASSES, ROUNDS_A_SLICE * plan.connections)
        passes = max(plan.requests // size, 1)
        size = plan.requests // passes
        # Their CPU time is not wanted here: the clocks are those of this process and all below it.
        servers = [
            Address(host, port, os.getpid(), each.request, each.routes, each.trust, each.feeder)
            for each, host, port in self.up
        ]
        orders = orders_of(self.study.study.seed or 0, self.plans[0].round, len(servers), passes)
        try:
            with Client(cpus, timeout=plan.timeout) as client:
                client.open(servers, plan.connections)
                answer = client.slices(orders, [size], plan.timeout * len(servers))
        except VariantFailed as error:
            self.lost = f"{self.plans[error.variant].variant}: {error.reason}"
            return
        passes_done = len(answer["slices"]) // len(servers)
        if passes_done < passes:
            self.lost = f"{passes_done} of {passes} passes over all variants ended in time"
            return
        seconds = time.monotonic() - begun
        for index, each in enumerate(self.plans):
            mine = [found for found in answer["slices"] if found["variant"] == index]
            self.found[each.variant] = _result(plan, mine, passes * size, seconds)


def _result(plan: LoadPlan, mine: Sequence[Mapping[str, list[int]]], served: int, seconds: float) -> LoadResult:
    """The load of one variant. `seconds` = of the load of all: the window of a sampler is open so long."""
    loaded_s = sum(sum(found["wall_ns"]) for found in mine) / 1e9
    return LoadResult(
        tool="builtin",
        version=__version__,
        command=(),
        loop="closed",
        correction="none",
        connections=plan.connections,
        threads=1,
        served=served,
        seconds=loaded_s,
        sent=served,
        output=f"{len(mine)} slices, {loaded_s:.3f} s of {seconds:.3f} s",
    )
