"""Before the first run: which targets and instruments are there, who sees what, how much work each run does."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from profpipe import load
from profpipe.capture import Placement, missing_requirements, place, profiler
from profpipe.errors import Refused, ToolMissing, UsageError
from profpipe.pipeline.schedule import RunPlan, schedule
from profpipe.study import LoadPlan, Requires, Study, Target
from profpipe.study.find import FILE_NAME, PYPROJECT
from profpipe.study.read import LoadedFile
from profpipe.units import Instrument

FOUND = (FILE_NAME, PYPROJECT)


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line overrides. None = as the study says."""

    targets: tuple[str, ...] = ()
    profilers: tuple[str, ...] = ()
    rounds: int | None = None
    requests: int | None = None
    generator: str | None = None

    def command(self, study: str, file: str = FILE_NAME) -> str:
        """The command that makes the report again, as it is typed beside the study file: no path of this machine."""
        words = ["profpipe", "run", study, *(["--config", file] if file not in FOUND else [])]
        words += [word for target in self.targets for word in ("-t", target)]
        words += [word for name in self.profilers for word in ("-p", name)]
        figures = (("-r", self.rounds), ("-n", self.requests), ("--generator", self.generator))
        words += [str(word) for flag, value in figures if value is not None for word in (flag, value)]
        return shlex.join(words)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A study that is ready to run. `left_out` and `limits` go into the report as they are."""

    id: str
    study: Study
    root: Path
    targets: Mapping[str, Target]
    baseline: str
    runs: tuple[RunPlan, ...]
    placement: Placement
    left_out: tuple[tuple[str, str], ...]
    limits: tuple[tuple[str, str, tuple[str, ...]], ...]
    kinds: Mapping[str, Instrument]
    generator: str | None

    def plan_for(self, run: RunPlan) -> LoadPlan:
        """The load of one run: its profiler's or the study's, with the profiler's own number and the target's request."""
        use = self.study.use(run.profiler)
        update: dict[str, object] = {} if use.requests is None else {"requests": use.requests}
        return fit(use.load or self.study.load, self.targets[run.variant], self.generator, update)


def fit(plan: LoadPlan, target: Target, generator: str | None, update: Mapping[str, object] | None = None) -> LoadPlan:
    """A load plan for one target: its own request, and the generator that the command line asks for."""
    changes = dict(update or {})
    if target.request is not None:
        changes["request"] = target.request
    if generator is not None:
        changes["generator"] = generator
    return plan.model_copy(update=changes)


def prepare(loaded: LoadedFile, study_id: str, options: RunOptions) -> Prepared:
    """Check what is there and lay out the runs. Raises UsageError when nothing is left to measure."""
    study = _study(loaded, study_id, options)
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
    _check_options(study, study_id)
    _check_loads(study, study_id, targets, options.generator)
    usable, refused, limits = _instruments(study, targets, loaded.root)
    rounds = {name: _rounds(study, name, options) for name in usable}
    control = [n for n in usable if study.control and profiler(study.tool(n)).kind in {"clean", "counted"}]
    runs = schedule(tuple(targets), rounds, baseline, control=control, refused=refused)
    if not runs:
        raise UsageError(
            f"study {study_id}: none of its instruments works here: "
            + "; ".join(f"{name}: {text}" for name, text, _ in limits)
        )
    return Prepared(
        id=study_id,
        study=study,
        root=loaded.root,
        targets=targets,
        baseline=baseline,
        runs=runs,
        placement=place(study.placement),
        left_out=tuple(left_out.items()),
        limits=limits,
        kinds={name: profiler(study.tool(name)).kind for name in usable},
        generator=options.generator,
    )


def _study(loaded: LoadedFile, study_id: str, options: RunOptions) -> Study:
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


def _of_size(plan: LoadPlan, requests: int) -> LoadPlan:
    """A load of so many requests; one that goes on for a time stays as it is."""
    return plan.model_copy(update={"requests": requests}) if plan.mode == "count" else plan


def _check_options(study: Study, study_id: str) -> None:
    """Before the first run: a misspelt option would otherwise be found when the instruments before it have run."""
    for name in study.profilers:
        use, known = study.use(name), profiler(study.tool(name)).options
        if unknown := sorted(use.options.keys() - known.keys()):
            have = ", ".join(known) or "none"
            raise UsageError(f"study {study_id}: {name} has no option {', '.join(unknown)}; it has: {have}")


def _check_loads(study: Study, study_id: str, targets: Mapping[str, Target], generator: str | None) -> None:
    """Before the first run: is there a generator that can do every load of the study."""
    plans = {"load": study.load, "throughput": study.throughput, "latency": study.latency}
    plans |= {f"profiler.{use}.load": study.use(use).load for use in study.profilers}
    for key, plan, name in ((k, p, n) for k, p in plans.items() if p is not None for n in targets):
        try:
            load.choose(fit(plan, targets[name], generator))
        except (Refused, ToolMissing) as error:
            raise UsageError(f"study {study_id}, {key} of {name}: {error}") from error


def _rounds(study: Study, name: str, options: RunOptions) -> int:
    return options.rounds or study.use(name).rounds or study.rounds


def _instruments(
    study: Study, targets: Mapping[str, Target], root: Path
) -> tuple[list[str], frozenset[tuple[str, str]], tuple[tuple[str, str, tuple[str, ...]], ...]]:
    """Instruments that work here, (variant, profiler) pairs they refuse, and what the report must say about it."""
    usable: list[str] = []
    refused: set[tuple[str, str]] = set()
    limits: dict[tuple[str, str], list[str]] = {}
    for name in study.profilers:
        instrument, only = profiler(study.tool(name)), study.use(name).targets or targets
        for variant, target in targets.items():
            if variant not in only:
                refused.add((variant, name))
                continue
            reason = instrument.refuses(target) or instrument.missing(target, root)
            if reason is not None:
                refused.add((variant, name))
                limits.setdefault((name, f"not measured: {reason}"), []).append(variant)
                continue
            for text in instrument.limits(target):
                limits.setdefault((name, text), []).append(variant)
        if any((variant, name) not in refused for variant in targets):
            usable.append(name)
    listed = tuple((name, text, tuple(variants)) for (name, text), variants in limits.items())
    return usable, frozenset(refused), listed
