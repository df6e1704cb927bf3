"""What the schema cannot express: names that must exist, keys that go together, patterns that must compile."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from profpipe.study.expected_checks import check_expected
from profpipe.study.globs import glob
from profpipe.study.https import TLS_FILES, check_https
from profpipe.study.load_checks import PLACEHOLDER, check_load, check_request
from profpipe.study.mistakes import Mistake, did_you_mean
from profpipe.study.positions import KeyPath
from profpipe.study.schema import CategoryRule, LoadPlan, ProfilerUse, Study, StudyFile, Target
from profpipe.study.services import check_services
from profpipe.study.starting import Ready

CLEAN = "clean"


@dataclass(frozen=True, slots=True)
class Known:
    """Names that exist outside the file. An empty collection is not checked."""

    profilers: Collection[str] = ()
    generators: Collection[str] = ()
    categories: Collection[str] = ()
    references: Collection[str] = ()
    name_styles: Collection[str] = ()
    targets: Collection[str] = ()


def check_file(file: StudyFile, root: Path, known: Known) -> Iterator[Mistake]:
    """Every mistake in a file that fits the schema."""
    for name, target in file.target.items():
        yield from check_target(("target", name), target, root)
    for name, study in file.study.items():
        yield from check_study(("study", name), study, file, known, root)
    for name, plan in file.load.items():
        yield from check_load(("load", name), plan, root, known.generators)
        if plan.plan is not None:
            yield Mistake(("load", name, "plan"), "a named plan cannot refer to another plan: write its keys here")
    yield from check_services(file, root)
    for name, service in file.service.items():
        yield from _ready(("service", name), service.ready)
    for number, rule in enumerate(file.category):
        yield from check_category(("category", number), rule, known)


def check_target(path: KeyPath, target: Target, root: Path) -> Iterator[Mistake]:
    yield from _command(path, target)
    yield from _ready(path, target.ready)
    yield from _cwd(path, target, root)
    for name, value in target.env.items():
        if not name or "=" in name or "\0" in name + value:
            yield Mistake(
                (*path, "env", name),
                "the name of an environment variable has no `=`, and neither name nor value has a NUL",
            )
    yield from check_https(path, target, root)
    if target.request:
        yield from check_request((*path, "request"), target.request)
        yield from check_expected((*path, "request", "expect_body"), target.request)


def _command(path: KeyPath, target: Target) -> Iterator[Mistake]:
    lines = {(*path, "command"): target.command}
    for number, line in enumerate(target.build):
        lines[(*path, "build", number)] = line
    for place, line in lines.items():
        allowed = {"python", "checkout", "env"} | (
            set() if "build" in place[2:] else {"port", "data", "socket", *TLS_FILES}
        )
        for number, argument in enumerate(line):
            if "\0" in argument:
                yield Mistake((*place, number), "a NUL character cannot be passed to a program")
            for word in PLACEHOLDER.findall(argument):
                if word not in allowed:
                    yield Mistake((*place, number), f"unknown placeholder {{{word}}}{did_you_mean(word, allowed)}")
    texts = (*target.command, *target.env.values())
    takes_port, takes_socket = (any(f"{{{name}}}" in text for text in texts) for name in ("port", "socket"))
    if takes_socket and (takes_port or target.port is not None):
        yield Mistake((*path, "command"), "it has a port and {socket}: a load goes to one of them, keep that")
    if not takes_port and not takes_socket and target.port is None and "(?P<port>" not in (target.ready.line or ""):
        yield Mistake(
            (*path, "command"),
            "the server's port is unknown: put {port} or {socket} into the command or env, set port = NUMBER, "
            "or let ready.line find it with a group (?P<port>...)",
        )


def _ready(path: KeyPath, ready: Ready) -> Iterator[Mistake]:
    place = (*path, "ready")
    given = [key for key, there in (("http", ready.http), ("tcp", ready.tcp), ("line", ready.line)) if there]
    if len(given) > 1:
        yield Mistake(place, f"{' and '.join(given)} are both set: keep one")
    if ready.http is not None and not ready.http.startswith("/"):
        yield Mistake((*place, "http"), "a path must start with `/`")
    if ready.status is not None and ready.http is None:
        yield Mistake((*place, "status"), 'has no effect without http = "/PATH"')
    if ready.line is not None:
        try:
            re.compile(ready.line)
        except re.error as error:
            yield Mistake((*place, "line"), f"not a regular expression: {error}")


def _cwd(path: KeyPath, target: Target, root: Path) -> Iterator[Mistake]:
    folder = (root / target.cwd).resolve()
    if not folder.is_relative_to(root.resolve()):
        yield Mistake((*path, "cwd"), f"{target.cwd} is outside the folder of this file; a target stays inside it")
    elif not folder.is_dir():
        yield Mistake((*path, "cwd"), f"no such folder: {target.cwd} (relative to this file)")


def check_study(path: KeyPath, study: Study, file: StudyFile, known: Known, root: Path) -> Iterator[Mistake]:
    targets = known.targets or file.target
    for number, name in enumerate(study.targets):
        if name not in targets:
            yield Mistake((*path, "targets", number), f"no [target.{name}] in this file{did_you_mean(name, targets)}")
    yield from _repeated((*path, "targets"), study.targets)
    yield from _same_label(path, study, file)
    if study.baseline is not None and study.baseline not in study.targets:
        hint = did_you_mean(study.baseline, study.targets)
        yield Mistake((*path, "baseline"), f'"{study.baseline}" is not one of the study\'s targets{hint}')
    for key, name, names in (
        ("reference", study.reference, known.references),
        ("name_style", study.name_style, known.name_styles),
    ):
        if names and name and name not in names:
            yield Mistake((*path, key), f'unknown {key} "{name}"{did_you_mean(name, names)}')
    yield from _profilers(path, study, known)
    yield from _loads(path, study, file, known, root)
    if study.throughput is not None and study.throughput.mode != "closed":
        yield Mistake((*path, "throughput"), 'throughput is measured with a closed loop: set mode = "closed"')
    if study.latency is not None and study.latency.mode != "rate":
        yield Mistake((*path, "latency"), 'latency is compared at a fixed rate: set mode = "rate" and rate = NUMBER')


def _profilers(path: KeyPath, study: Study, known: Known) -> Iterator[Mistake]:
    if not study.profilers:
        yield Mistake((*path, "profilers"), "must not be empty")
    for number, name in enumerate(study.profilers):
        if known.profilers and study.tool(name) == name and name not in known.profilers:
            hint = did_you_mean(name, known.profilers)
            yield Mistake((*path, "profilers", number), f'unknown profiler "{name}"{hint}')
    yield from _repeated((*path, "profilers"), study.profilers)
    for name, use in study.profiler.items():
        place = (*path, "profiler", name)
        if name not in study.profilers:
            hint = did_you_mean(name, study.profilers)
            yield Mistake(place, f"not among this study's profilers{hint}")
        yield from _use(place, name, use, study, known)


def _use(place: KeyPath, name: str, use: ProfilerUse, study: Study, known: Known) -> Iterator[Mistake]:
    if use.tool is not None and known.profilers:
        if name in known.profilers and use.tool != name:
            yield Mistake((*place, "tool"), f'"{name}" is a profiler itself: choose another name for this use')
        elif use.tool not in known.profilers:
            hint = did_you_mean(use.tool, known.profilers)
            yield Mistake((*place, "tool"), f'unknown profiler "{use.tool}"{hint}')
    if use.tool == CLEAN and name != CLEAN:
        yield Mistake((*place, "tool"), "a study has one series of clean runs, which is always named clean")
    if use.load is not None and use.requests is not None:
        yield Mistake((*place, "requests"), "has no effect next to a load of its own: set load.requests")
    for number, target in enumerate(use.targets):
        if target not in study.targets:
            hint = did_you_mean(target, study.targets)
            yield Mistake((*place, "targets", number), f'"{target}" is not one of the study\'s targets{hint}')


def _loads(path: KeyPath, study: Study, file: StudyFile, known: Known, root: Path) -> Iterator[Mistake]:
    plans: dict[KeyPath, LoadPlan | None] = {
        (*path, "load"): study.load,
        (*path, "throughput"): study.throughput,
        (*path, "latency"): study.latency,
    }
    plans |= {(*path, "profiler", name, "load"): use.load for name, use in study.profiler.items()}
    base = (*path, "load")
    # What is wrong in the study's load is told once, not again of each load that takes it over.
    of_base = {(found.path[len(base) :], found.text) for found in check_load(base, study.load, root, known.generators)}
    for place, plan in plans.items():
        if plan is None:
            continue
        if plan.plan is not None and plan.plan not in file.load:
            hint = did_you_mean(plan.plan, file.load)
            yield Mistake((*place, "plan"), f"no [load.{plan.plan}] in this file{hint}")
        for found in check_load(place, plan, root, known.generators):
            if place == base or (found.path[len(place) :], found.text) not in of_base:
                yield found
    yield from _spread(path, study)
    yield from _own_requests(path, study, file, plans)


def _own_requests(
    path: KeyPath, study: Study, file: StudyFile, plans: Mapping[KeyPath, LoadPlan | None]
) -> Iterator[Mistake]:
    """A target's own request would take the place of all requests of a load."""
    several = next((place for place, plan in plans.items() if plan is not None and plan.routes), None)
    for number, name in enumerate(study.targets):
        if several is not None and name in file.target and file.target[name].request is not None:
            where = ".".join(map(str, several))
            words = f"has a request of its own, and {where} has several, which every target gets: leave one out"
            yield Mistake((*path, "targets", number), f'"{name}" {words}')


def _spread(path: KeyPath, study: Study) -> Iterator[Mistake]:
    """A load of one thread runs on one processor, whatever the placement."""
    for name in dict.fromkeys(study.profilers):
        use = study.use(name)
        if (use.placement or study.placement) != "spread" or (use.load or study.load).threads > 1:
            continue
        place = (*path, "load") if use.load is None else (*path, "profiler", name, "load")
        yield Mistake((*place, "threads"), f'placement "spread" of {name} needs a load of two threads: threads = 2')


def check_category(path: KeyPath, rule: CategoryRule, known: Known) -> Iterator[Mistake]:
    if known.categories and rule.category not in known.categories and not rule.label:
        hint = did_you_mean(rule.category, known.categories)
        yield Mistake((*path, "category"), f'no category "{rule.category}"; a new one needs a label{hint}')
    for number, example in enumerate(rule.examples):
        if not any(glob(pattern).match(example) for pattern in rule.match):
            yield Mistake((*path, "examples", number), f'"{example}" matches none of the rule\'s patterns')


def _same_label(path: KeyPath, study: Study, file: StudyFile) -> Iterator[Mistake]:
    labels = Counter(file.target[name].label or name for name in set(study.targets) if name in file.target)
    for label in sorted(label for label, times in labels.items() if times > 1):
        yield Mistake((*path, "targets"), f'two targets are labelled "{label}": the report could not distinguish them')


def _repeated(path: KeyPath, names: Iterable[str]) -> Iterator[Mistake]:
    seen: set[str] = set()
    for number, name in enumerate(names):
        if name in seen:
            yield Mistake((*path, number), f'"{name}" is listed twice')
        seen.add(name)
