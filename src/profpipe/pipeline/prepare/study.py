"""Before the first run: which targets and instruments are there, who sees what, how much work each run does."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from profpipe.capture import Placement, built_without, missing_requirements, place, profiler
from profpipe.errors import UsageError
from profpipe.model.report import CommitInfo
from profpipe.pipeline.prepare.instruments import Limits, check_options, fit, instruments, without_absent_loads
from profpipe.pipeline.prepare.schedule import RunPlan, schedule
from profpipe.study import LoadPlan, Requires, Study, Target
from profpipe.study.find import FILE_NAME, PYPROJECT
from profpipe.study.read import LoadedFile
from profpipe.units import Instrument

FOUND = (FILE_NAME, PYPROJECT)
# The executor that a study has unless `--on` names another: this machine.
LOCAL = "local"


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line overrides. None = as the study says."""

    targets: tuple[str, ...] = ()
    profilers: tuple[str, ...] = ()
    rounds: int | None = None
    requests: int | None = None
    generator: str | None = None
    on: str = LOCAL

    def command(self, study: str, file: str = FILE_NAME) -> str:
        """The command that makes the report again, as it is typed beside the study file: no path of this machine."""
        words = ["profpipe", "run", study, *(["--config", file] if file not in FOUND else [])]
        words += [word for target in self.targets for word in ("-t", target)]
        return shlex.join([*words, *self.words()])

    def words(self) -> list[str]:
        """The options of the command line that any measuring command has."""
        on = None if self.on == LOCAL else self.on
        figures = (("-r", self.rounds), ("-n", self.requests), ("--generator", self.generator), ("--on", on))
        return [
            *(word for name in self.profilers for word in ("-p", name)),
            *(str(word) for flag, value in figures if value is not None for word in (flag, value)),
        ]


@dataclass(frozen=True, slots=True)
class Variants:
    """What is measured beside each other: targets of one study file, or one target at several commits.

    `roots` = the folder each one's paths are relative to; `commits` is empty where the variants are targets, and
    `checkout` the user's folder of their repository.
    """

    targets: Mapping[str, Target]
    roots: Mapping[str, Path]
    baseline: str
    left_out: tuple[tuple[str, str], ...] = ()
    commits: Mapping[str, CommitInfo] = field(default_factory=dict)
    checkout: Path | None = None


@dataclass(frozen=True, slots=True)
class PreparedStudy:
    """A study that is ready to run. `left_out` and `limits` go into the report as they are.

    `executor` = what carries out its runs: a name, or name:address.
    """

    id: str
    study: Study
    variants: Variants
    runs: tuple[RunPlan, ...]
    placements: Mapping[str, Placement]
    limits: tuple[tuple[str, str, tuple[str, ...]], ...]
    kinds: Mapping[str, Instrument]
    rounds: Mapping[str, int]
    refused: frozenset[tuple[str, str]]
    generator: str | None
    executor: str

    @property
    def targets(self) -> Mapping[str, Target]:
        return self.variants.targets

    @property
    def baseline(self) -> str:
        return self.variants.baseline

    @property
    def left_out(self) -> tuple[tuple[str, str], ...]:
        return self.variants.left_out

    def root_of(self, variant: str) -> Path:
        """The folder that a variant's paths are relative to."""
        return self.variants.roots[variant]

    def schedule(self, until: Mapping[str, int], after: Mapping[str, int], order: int) -> tuple[RunPlan, ...]:
        """The runs of the rounds `after[profiler]` + 1 to `until[profiler]`, numbered from `order` + 1."""
        control = [name for name in until if self.study.control and self.kinds[name] in {"clean", "counted"}]
        return schedule(
            tuple(self.targets), until, self.baseline, control=control, refused=self.refused, after=after, order=order
        )

    def placement_for(self, run: RunPlan) -> Placement:
        """Where server and load of one run are put."""
        return self.placements.get(run.profiler) or self.placements[""]

    def plan_for(self, run: RunPlan) -> LoadPlan:
        """The load of one run: its profiler's own or the study's, with the target's own request."""
        use = self.study.use(run.profiler)
        update: dict[str, object] = {} if use.requests is None else {"requests": use.requests}
        return fit(use.load or self.study.load, self.targets[run.variant], self.generator, update)


def prepare(loaded: LoadedFile, study_id: str, options: RunOptions) -> PreparedStudy:
    """Check what is there and lay out the runs. Raises UsageError when nothing is left to measure."""
    study = find_study(loaded, study_id, options)
    chosen = {name: loaded.file.target[name] for name in study.targets}
    missing = {name: missing_requirements(target, loaded.root) for name, target in chosen.items()}
    # Left out is what says itself that it may be missing; any other command that is not there fails in its own run.
    left_out = {n: reason for n, reason in missing.items() if reason is not None and chosen[n].requires != Requires()}
    targets = {name: target for name, target in chosen.items() if name not in left_out}
    baseline = study.baseline or study.targets[0]
    if missing.get(baseline) is not None or baseline not in targets:
        reason = missing.get(baseline) or "not among the chosen targets"
        raise UsageError(
            f"study {study_id}: the baseline {baseline} cannot run: {reason}; install it or set another baseline"
        )
    roots = dict.fromkeys(targets, loaded.root)
    return lay_out(study_id, study, Variants(targets, roots, baseline, tuple(left_out.items())), options)


def lay_out(study_id: str, study: Study, variants: Variants, options: RunOptions) -> PreparedStudy:
    """Which instruments see which variants, and their runs. Raises UsageError when nothing is left to measure."""
    targets, roots = variants.targets, variants.roots
    check_options(study, study_id)
    study, absent = without_absent_loads(study, study_id, targets, options.generator)
    found = instruments(study, study_id, targets, roots, options.generator)
    kinds = {name: profiler(study.tool(name)).kind for name in found.usable}
    placements = {"": place(study.placement)} | {n: place(w) for n in kinds if (w := study.use(n).placement)}
    shared = _shared_processor(study, placements.get("clean", placements[""]), kinds)
    prepared = PreparedStudy(
        id=study_id,
        study=study,
        variants=variants,
        runs=(),
        placements=placements,
        limits=(*found.limits, *shared, *absent, *_not_built(targets, roots)),
        kinds=kinds,
        rounds={name: _rounds(study, name, options) for name in found.usable},
        refused=frozenset(found.refused),
        generator=options.generator,
        executor=options.on,
    )
    runs = prepared.schedule(prepared.rounds, {}, 0)
    if not runs:
        raise UsageError(
            f"study {study_id}: none of its instruments works here: "
            + "; ".join(f"{name}: {text}" for name, text, _ in found.limits)
        )
    return replace(prepared, runs=runs)


def _shared_processor(study: Study, placement: Placement, kinds: Mapping[str, Instrument]) -> Limits:
    """Requests a second on one processor are what server and load generator reach together."""
    if "clean" not in kinds or study.throughput is None or placement.server_cpu is None:
        return ()
    if placement.server_cpu not in placement.load_cpus:
        return ()
    part = "" if len(placement.load_cpus) == 1 else "half of the "
    text = (
        f"server and {part}load generator share one processor: requests/s is what both reach together, less than the "
        "server alone could; CPU time per request is the server's own"
    )
    return (("clean", text, ()),)


def _not_built(targets: Mapping[str, Target], roots: Mapping[str, Path]) -> Limits:
    """Targets whose program is there and whose build tool is not: what was built before is measured."""
    missing = {name: built_without(target, roots[name]) for name, target in targets.items()}
    return tuple(
        ("build", f"not built again, {', '.join(tools)} not found: the program that is there was measured", (name,))
        for name, tools in missing.items()
        if tools
    )


def only_study(loaded: LoadedFile, command: str) -> str:
    """The study that is meant when none is named. Raises UsageError, with what to type, where there are several."""
    names = list(loaded.file.study)
    if len(names) == 1:
        return names[0]
    raise UsageError(f"{loaded.path} holds {len(names)} studies, name one: {command} {'|'.join(names) or 'STUDY'}")


def find_study(loaded: LoadedFile, study_id: str, options: RunOptions) -> Study:
    """The study with the command line's choices in it. Raises UsageError naming what there is."""
    study = loaded.file.study.get(study_id)
    if study is None:
        have = ", ".join(loaded.file.study) or "none"
        raise UsageError(f"{loaded.path}: no study {study_id!r}; it has: {have}")
    if unknown := [t for t in options.targets if t not in loaded.file.target]:
        have = ", ".join(loaded.file.target)
        raise UsageError(f"{loaded.path}: no target {', '.join(unknown)}; it has: {have}")
    update: dict[str, object] = {}
    if options.targets:
        update["targets"] = options.targets
        if (study.baseline or study.targets[0]) not in options.targets:
            update["baseline"] = options.targets[0]
    if options.profilers:
        update["profilers"] = options.profilers
    if options.requests is not None:
        update["load"] = _of_size(study.load, options.requests)
        update["profiler"] = {
            name: use.model_copy(update={"requests": None, "load": use.load and _of_size(use.load, options.requests)})
            for name, use in study.profiler.items()
        }
    return study.model_copy(update=update)


def about_one_target(study: Study, target: str, question: str) -> Study:
    """The study with this target alone under several names: its instruments, without what compares its targets."""
    seen = tuple(n for n in study.profilers if not study.use(n).targets or target in study.use(n).targets)
    uses = {name: use.model_copy(update={"targets": ()}) for name, use in study.profiler.items()}
    update = {"profilers": seen, "profiler": uses, "question": question, "reference": "", "hypothesis": ()}
    return study.model_copy(update=update)


def _of_size(plan: LoadPlan, requests: int) -> LoadPlan:
    """A load of so many requests; one that goes on for a time stays as it is."""
    return plan.model_copy(update={"requests": requests}) if plan.mode == "count" else plan


def _rounds(study: Study, name: str, options: RunOptions) -> int:
    return options.rounds or study.use(name).rounds or study.rounds
