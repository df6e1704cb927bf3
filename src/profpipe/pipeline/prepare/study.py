"""Laying out a study: its targets, the instruments that work on them, and every run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from profpipe.capture import Placement, built_without, missing_requirements, place, profiler
from profpipe.capture.services.needs import missing_for
from profpipe.errors import UsageError
from profpipe.model.report import LeftOut, Limit
from profpipe.pipeline.prepare.instruments import check_options, instruments
from profpipe.pipeline.prepare.load_plans import of_size, without_absent_loads
from profpipe.pipeline.prepare.options import RunOptions
from profpipe.pipeline.prepare.own_generator import ready_by_connection, with_own_generator
from profpipe.pipeline.prepare.places import placed
from profpipe.pipeline.prepare.prepared import PreparedStudy, Variants
from profpipe.study import Requires, Study, Target
from profpipe.study.read import LoadedFile
from profpipe.units import Instrument


def prepare(loaded: LoadedFile, study_id: str, options: RunOptions) -> PreparedStudy:
    """Leave out targets that cannot run here, lay out the runs. Raises UsageError when nothing is left to measure."""
    study = find_study(loaded, study_id, options)
    chosen = {name: placed(loaded.file.target[name], loaded.root, None) for name in study.targets}
    missing = {name: missing_requirements(target, loaded.root) for name, target in chosen.items()}
    # Only a target with `requires` is left out; the missing command of any other one fails in its own run.
    left_out = {n: reason for n, reason in missing.items() if reason is not None and chosen[n].requires != Requires()}
    targets = {name: target for name, target in chosen.items() if name not in left_out}
    baseline = study.baseline or study.targets[0]
    if missing.get(baseline) is not None or baseline not in targets:
        reason = missing.get(baseline) or "not among the chosen targets"
        raise UsageError(
            f"study {study_id}: the baseline {baseline} cannot run: {reason}; install it or set another baseline"
        )
    roots = dict.fromkeys(targets, loaded.root)
    named = tuple(LeftOut(target=name, reason=reason) for name, reason in left_out.items())
    variants = Variants(
        targets=targets,
        roots=roots,
        baseline=baseline,
        left_out=named,
        written={n: loaded.file.target[n] for n in targets},
    )
    return lay_out(study_id, study, variants, options)


def lay_out(study_id: str, study: Study, variants: Variants, options: RunOptions) -> PreparedStudy:
    """The instruments of each variant, and all runs. Raises UsageError when nothing is left to measure."""
    if study.load.command is not None:
        study, variants = with_own_generator(study, variants)
    if study.load.setup or study.load.feeder:  # its requests need what a probe of readiness does not have
        variants = ready_by_connection(variants)
    targets, roots = variants.targets, variants.roots
    _check_services(study, study_id)
    check_options(study, study_id)
    _check_reference(study, study_id)
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
        rounds={name: study.use(name).rounds or study.rounds for name in found.usable},
        refused=frozenset(found.refused),
        generator=options.generator,
        executor=options.on,
    )
    runs = prepared.schedule(prepared.rounds, {}, 0)
    if not runs:
        raise UsageError(
            f"study {study_id}: none of its instruments works here: "
            + "; ".join(f"{limit.profiler}: {limit.text}" for limit in found.limits)
        )
    return replace(prepared, runs=runs)


def _check_services(study: Study, study_id: str) -> None:
    """Raises UsageError for a service that cannot run here: no variant that uses it could."""
    for name, service in study.used_services.items():
        if (why := missing_for(service)) is not None:
            raise UsageError(f"study {study_id}: the service {name} cannot run: {why}")


def _check_reference(study: Study, study_id: str) -> None:
    """Raises UsageError for a published study or name style of another package that cannot be used."""
    from profpipe.reference.registry import NAME_STYLES, STUDIES

    try:
        if study.reference:
            STUDIES.get(study.reference)
        if study.name_style:
            NAME_STYLES.get(study.name_style)
    except UsageError as error:
        raise UsageError(f"study {study_id}: {error}") from error


def _shared_processor(study: Study, placement: Placement, kinds: Mapping[str, Instrument]) -> tuple[Limit, ...]:
    """A limit where server and load generator share a processor: then requests/s is what both reach together."""
    if "clean" not in kinds or study.throughput is None or placement.server_cpu is None:
        return ()
    if placement.server_cpu not in placement.load_cpus:
        return ()
    part = "" if len(placement.load_cpus) == 1 else "half of the "
    text = (
        f"server and {part}load generator share one processor: requests/s is what both reach together, less than the "
        "server could without the load generator; CPU time per request is the server's own"
    )
    return (Limit(profiler="clean", text=text),)


def _not_built(targets: Mapping[str, Target], roots: Mapping[str, Path]) -> tuple[Limit, ...]:
    """A limit for each target whose program exists and whose build tool does not."""
    missing = {name: built_without(target, roots[name]) for name, target in targets.items()}
    return tuple(
        Limit(
            profiler="build",
            text=f"{', '.join(tools)} not found; measured the existing binary without rebuilding",
            variants=(name,),
        )
        for name, tools in missing.items()
        if tools
    )


def only_study(loaded: LoadedFile, command: str) -> str:
    """The file's only study. Raises UsageError, with what to type, where there are several."""
    names = list(loaded.file.study)
    if len(names) == 1:
        return names[0]
    if not names:
        raise UsageError(
            f"{loaded.path} holds no study: add [study.NAME] with its targets; docs/config.md has every key"
        )
    raise UsageError(f"{loaded.path} holds {len(names)} studies, name one: {command} {'|'.join(names)}")


def find_study(loaded: LoadedFile, study_id: str, options: RunOptions) -> Study:
    """The study with the options of the command line. Raises UsageError naming the studies or targets that exist."""
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
    slices = {"resolution": options.resolution, "budget": options.budget, "seed": options.seed}
    update.update({key: value for key, value in slices.items() if value is not None})
    uses = dict(study.profiler)
    if options.rounds is not None:
        update["rounds"] = options.rounds
        uses = {name: use.model_copy(update={"rounds": None}) for name, use in uses.items()}
    if options.requests is not None:
        many = options.requests
        update["load"] = of_size(study.load, many)
        uses = {
            name: use.model_copy(update={"requests": None, "load": use.load and of_size(use.load, many)})
            for name, use in uses.items()
        }
    update["profiler"] = uses
    return study.model_copy(update=update)


def about_one_target(study: Study, target: str, question: str) -> Study:
    """The study for one target under several names: only that target's instruments, no hypotheses, no reference."""
    seen = tuple(n for n in study.profilers if not study.use(n).targets or target in study.use(n).targets)
    uses = {name: use.model_copy(update={"targets": ()}) for name, use in study.profiler.items()}
    update = {"profilers": seen, "profiler": uses, "question": question, "reference": "", "hypothesis": ()}
    return study.model_copy(update=update)
