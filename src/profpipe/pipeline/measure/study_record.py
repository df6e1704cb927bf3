"""What study.json holds: the question, the plan, the machine and the versions, worded as the report shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from profpipe import __version__, capture, load
from profpipe.commits.state import commit_state
from profpipe.model.report import Hypothesis
from profpipe.model.study import StudyRecord, VariantFacts
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.pipeline.prepare.schedule import RunPlan
from profpipe.study import LoadPlan
from profpipe.study.read import LoadedFile
from profpipe.study.schema import asks_for

REQUEST = "request"


def study_record(
    prepared: PreparedStudy, loaded: LoadedFile, command: str, created: datetime, machine: Mapping[str, str]
) -> StudyRecord:
    """Build the record of a prepared study. `machine` = facts of the machine that carries out the runs."""
    study, written = prepared.study, prepared.variants.as_written
    return StudyRecord(
        study=prepared.id,
        question=study.question,
        baseline=prepared.baseline,
        variants=tuple(
            VariantFacts(name, target.label or name, target.language, written(name).command, target.cwd)
            for name, target in prepared.targets.items()
        ),
        rounds=study.rounds,
        load=loads_in_words(prepared),
        request=_request_in_words(prepared),
        unit=study.load.unit or REQUEST,
        placement=_places_in_words(prepared),
        command=command,
        created=created.isoformat(timespec="seconds"),
        profpipe=__version__,
        kinds=prepared.kinds,
        environment=_environment(prepared, machine),
        left_out=prepared.left_out,
        limits=prepared.limits,
        categories=tuple(rule.model_dump() for rule in loaded.file.category),
        planned_runs=len(prepared.runs),
        tools={name: study.tool(name) for name in prepared.kinds},
        hypotheses=tuple(Hypothesis(text=h.text, categories=h.categories) for h in study.hypothesis),
        reference=study.reference,
        name_style=study.name_style,
        commits=prepared.variants.commits,
        checkout=str(prepared.variants.checkout or ""),
        gate=prepared.gate,
        accepted=prepared.accepted,
        import_names=_import_names(prepared),
    )


def _environment(prepared: PreparedStudy, machine: Mapping[str, str]) -> dict[str, str]:
    """The machine's facts, the checkout's commit, and the locked crates of each Rust target."""
    environment = dict(machine)
    if not prepared.variants.commits and (commit := commit_state(prepared.root_of(prepared.baseline))) is not None:
        environment["commit"] = commit.text
    if pythons := _pythons(prepared):
        environment["Python"] = pythons
    for name, target in prepared.targets.items():
        root = prepared.root_of(name)
        if locked := capture.crates(Path(target.command[0]).name, root / target.cwd, root):
            environment[f"crates of {name}"] = locked
    return environment


def _pythons(prepared: PreparedStudy) -> str:
    """The Python version of the servers, with their names where versions differ; "" without Python servers."""
    found: dict[str, list[str]] = {}
    for name, target in prepared.targets.items():
        if (python := capture.python_of(target, prepared.root_of(name))) is not None:
            found.setdefault(python, []).append(name)
    return "; ".join(f"{python} ({', '.join(names)})" if len(found) > 1 else python for python, names in found.items())


def _import_names(prepared: PreparedStudy) -> dict[str, str]:
    """Of all Python servers together; what two of them have of different packages is left out."""
    found: dict[str, set[str]] = {}
    for name, target in prepared.targets.items():
        if target.language != "python":
            continue
        made = prepared.variants.environments.get(name)
        packages = capture.packages_of(target, prepared.root_of(name)) if made is None else made.packages()
        for imported, package in capture.import_names(packages).items():
            found.setdefault(imported, set()).add(package)
    return {imported: packages.pop() for imported, packages in found.items() if len(packages) == 1}


def loads_in_words(prepared: PreparedStudy) -> str:
    """The study's load, then the load of each instrument that has its own; fitted loads are listed by instrument."""
    return "; ".join([_loads_in_words(prepared), *_reached_in_words(prepared)])


def _reached_in_words(prepared: PreparedStudy) -> list[str]:
    """How the variants are reached, where that is not by HTTP over IPv4 for all of them."""
    reached: dict[str, list[str]] = {}
    for name, target in prepared.targets.items():
        reached.setdefault(capture.reached_in_words(target), []).append(name)
    if len(reached) == 1:
        return [words for words in reached if words != "HTTP"]
    return [f"{', '.join(names)} by {words}" for words, names in reached.items()]


def _loads_in_words(prepared: PreparedStudy) -> str:
    study, generator = prepared.study, prepared.generator
    if prepared.fitted.sizes:
        each = [f"under {name} {_fitted_in_words(prepared, name)}" for name in prepared.kinds]
        return f"{'; '.join(each)}; {study.load.request_words}"
    own = {name: study.use(name).load for name in prepared.kinds}
    apart = [f"under {name} {_how_much(plan, generator)}" for name, plan in own.items() if plan is not None]
    return "; ".join([load_in_words(study.load, generator), *apart])


def _fitted_in_words(prepared: PreparedStudy, name: str) -> str:
    """The load under one instrument, as a range where it differs between variants."""
    runs = [
        RunPlan(0, variant, name, 1, False) for variant in prepared.targets if (variant, name) not in prepared.refused
    ]
    plans = sorted((prepared.plan_for(run) for run in runs), key=lambda plan: plan.requests)
    least, most = _how_much(plans[0], None), _how_much(plans[-1], None)
    return least if least == most else f"{least} to {most}"


def _request_in_words(prepared: PreparedStudy) -> str:
    if prepared.study.load.command is not None:
        return f"one {prepared.study.load.unit}"
    own = prepared.targets[prepared.baseline].request
    return own.words if own is not None else prepared.study.load.request_words


def _places_in_words(prepared: PreparedStudy) -> str:
    """Where server and load generator run; instruments that share another placement are named together."""
    study, apart = prepared.placements[""].text, dict[str, list[str]]()
    for name, place in prepared.placements.items():
        if name and place.text != study:
            apart.setdefault(place.text, []).append(name)
    return "; ".join([study, *(f"under {', '.join(names)} {text}" for text, names in apart.items())])


def load_in_words(plan: LoadPlan, generator: str | None = None) -> str:
    """The load plan as a phrase, with the generator that will be used."""
    if plan.command is not None:
        return _how_much(plan, generator)
    return f"{_how_much(plan, generator)}, after {plan.warmup:,} requests of warm-up; {plan.request_words}"


def _how_much(plan: LoadPlan, generator: str | None) -> str:
    plan = plan if generator is None else plan.model_copy(update={"generator": generator})
    amount = {
        "count": f"{plan.requests:,} requests a run",
        "rate": f"{plan.rate:,.0f} requests a second for {plan.duration:g} s" if plan.rate else "a fixed rate",
        "closed": f"as fast as it goes for {plan.duration:g} s",
    }[plan.mode]
    if plan.command is not None:
        asked = f"{plan.requests:,} x {plan.unit} a run" if asks_for(plan, "requests") else "as much as it does"
        return f"{asked} by {Path(plan.command[0]).name}; a request is one {plan.unit} here"
    # Whether a connection is kept open is up to the server: the report's checks of the load say what happened.
    more = "" if plan.request.keep_alive else " at a time, one for each request,"
    connections = f"{plan.connections} connection{'' if plan.connections == 1 else 's'}{more}"
    return f"{amount} over {connections} by {load.choose(plan)}"
