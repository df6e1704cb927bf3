"""A study that is ready to run: its variants, its runs, and the load and place of each run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from profpipe.capture import Environment, Placement
from profpipe.capture.services.beside import NO_SERVICES, Beside
from profpipe.model.accepted import Accepted
from profpipe.model.report import CommitInfo, LeftOut, Limit
from profpipe.pipeline.prepare.fitted import NOT_FITTED, SLICES_S, Fitted
from profpipe.pipeline.prepare.load_plans import fit
from profpipe.pipeline.prepare.schedule import RunPlan, schedule
from profpipe.study import LoadPlan, Study, Target
from profpipe.study.requests import Route, Sent
from profpipe.units import Instrument


@dataclass(frozen=True, slots=True)
class Variants:
    """What is compared: targets of one study file, or one target at several commits.

    `roots` = the folder that each variant's paths are relative to; `commits` is empty
    where the variants are targets; `checkout` = the user's folder of the commits' repository; `environments` = those
    that were made for variants; `written` = the target as the study file has it, before its places were filled in.
    """

    targets: Mapping[str, Target]
    roots: Mapping[str, Path]
    baseline: str
    left_out: tuple[LeftOut, ...] = ()
    commits: Mapping[str, CommitInfo] = field(default_factory=dict)
    checkout: Path | None = None
    environments: Mapping[str, Environment] = field(default_factory=dict)
    written: Mapping[str, Target] = field(default_factory=dict)

    def as_written(self, name: str) -> Target:
        """The target of a variant as its study file has it."""
        return self.written.get(name) or self.targets[name]


@dataclass(frozen=True, slots=True)
class PreparedStudy:
    """A study that is ready to run. Per instrument: `kinds`, `rounds`, and `placements` with "" for all others.

    `limits` go into the report as they are; `refused` = (variant, instrument) that are not measured; `executor` =
    what carries out the runs, NAME or NAME:ADDRESS; `gate` = the rules that decide whether the change fails, and
    `accepted` = the regressions that were accepted for it; `by_slices` = starts give the figures of clean runs;
    `fitted` = the loads that a trial has found; `routes_left_out` = requests of a load that has several which a variant
    does not answer, with the reason: the loads of this study are without them; `beside` = the services that run
    while a unit is carried out.
    """

    id: str
    study: Study
    variants: Variants
    runs: tuple[RunPlan, ...]
    placements: Mapping[str, Placement]
    limits: tuple[Limit, ...]
    kinds: Mapping[str, Instrument]
    rounds: Mapping[str, int]
    refused: frozenset[tuple[str, str]]
    generator: str | None
    executor: str
    gate: tuple[str, ...] = ()
    accepted: tuple[Accepted, ...] = ()
    by_slices: bool = False
    routes_left_out: tuple[tuple[Route, str], ...] = ()
    fitted: Fitted = NOT_FITTED
    beside: Beside = NO_SERVICES

    @property
    def targets(self) -> Mapping[str, Target]:
        return self.variants.targets

    @property
    def baseline(self) -> str:
        return self.variants.baseline

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        return self.variants.left_out

    @property
    def requests(self) -> tuple[Sent, ...]:
        """Every request that any run of the study sends, before its loads and in them."""
        study = self.study
        own = (study.use(name).load for name in self.kinds)
        plans = (study.load, study.throughput, study.latency, *own)
        asked = [
            each for plan in plans if plan is not None for each in (*plan.setup, *(plan.routes or (plan.request,)))
        ]
        return (*asked, *(target.request for target in self.targets.values() if target.request is not None))

    def root_of(self, variant: str) -> Path:
        """The folder that a variant's paths are relative to."""
        return self.variants.roots[variant]

    def schedule(self, until: Mapping[str, int], after: Mapping[str, int], order: int) -> tuple[RunPlan, ...]:
        """The runs of the rounds `after[profiler]` + 1 to `until[profiler]`, numbered from `order` + 1."""
        judged = {"counted"} if self.by_slices else {"clean", "counted"}
        control = [name for name in until if self.study.control and self.kinds[name] in judged]
        return schedule(
            tuple(self.targets), until, self.baseline, control=control, refused=self.refused, after=after, order=order
        )

    def placement_for(self, run: RunPlan) -> Placement:
        """The processors of the server and of the load generator in one run."""
        return self.placements.get(run.profiler) or self.placements[""]

    @property
    def slices_s(self) -> float:
        """Seconds that starts may take."""
        return self.fitted.slices_s or self.study.budget or SLICES_S

    @property
    def slices_load(self) -> LoadPlan:
        """The load of slices: its connections and its warm-up."""
        load = self.study.load
        return load if self.fitted.slices is None else load.model_copy(update=self.fitted.slices.left_open(load))

    def plan_for(self, run: RunPlan) -> LoadPlan:
        """The load of one run: its profiler's own or the study's, with the target's own request."""
        use = self.study.use(run.profiler)
        plan = use.load or self.study.load
        size = self.fitted.sizes.get((run.variant, run.profiler))
        update: dict[str, object] = {} if size is None else size.left_open(plan)
        if use.requests is not None:
            update["requests"] = use.requests
        return fit(plan, self.targets[run.variant], self.generator, update)
