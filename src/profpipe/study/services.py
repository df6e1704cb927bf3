"""Services of a study file: the mistakes in them and in their uses, and each study with those that it uses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from profpipe.study.load_checks import PLACEHOLDER
from profpipe.study.mistakes import Mistake, did_you_mean
from profpipe.study.positions import KeyPath
from profpipe.study.schema import Study, StudyFile, Target
from profpipe.study.service import OF_SERVICE, Service

# `{service.db.port}`; a name may have points, what it is of the service has none.
REFERENCE = re.compile(r"\{service\.([A-Za-z0-9][A-Za-z0-9._-]*)\.([A-Za-z_]+)\}")
COMMAND = ("port", "data", "socket", "python")


def services_of(study: Study, target: Target) -> tuple[str, ...]:
    """The services that a target uses in a study."""
    return tuple(dict.fromkeys((*study.services, *target.services)))


def with_services(file: StudyFile, root: Path) -> StudyFile:
    """The file with the services of each study in it, their folders as whole paths. Only for one without mistakes."""
    whole = {
        name: service.model_copy(update={"cwd": str((root / service.cwd).resolve())})
        for name, service in file.service.items()
    }
    return file.model_copy(update={"study": {name: _beside(study, file, whole) for name, study in file.study.items()}})


def _beside(study: Study, file: StudyFile, services: Mapping[str, Service]) -> Study:
    used = dict.fromkeys(name for target in study.targets for name in services_of(study, file.target[target]))
    return study.beside({name: services[name] for name in used})


def check_services(file: StudyFile, root: Path) -> Iterator[Mistake]:
    """Mistakes in services, and in what targets and studies say of them."""
    for name, service in file.service.items():
        yield from _service(("service", name), service, root)
    for name, target in file.target.items():
        yield from _names(("target", name, "services"), target.services, file)
        of_studies = (study.services for study in file.study.values() if name in study.targets)
        used = {*target.services, *(each for services in of_studies for each in services)}
        yield from _references(("target", name), target, used, file)
    for name, study in file.study.items():
        yield from _names(("study", name, "services"), study.services, file)


def _names(path: KeyPath, names: Iterable[str], file: StudyFile) -> Iterator[Mistake]:
    for number, name in enumerate(names):
        if name not in file.service:
            yield Mistake((*path, number), f"no [service.{name}] in this file{did_you_mean(name, file.service)}")


def _references(path: KeyPath, target: Target, used: set[str], file: StudyFile) -> Iterator[Mistake]:
    """`{service.NAME.WHAT}` of a service that the target does not use would stay as it is."""
    texts: list[tuple[KeyPath, str]] = [((*path, "command", i), text) for i, text in enumerate(target.command)]
    texts += [((*path, "env", key), text) for key, text in target.env.items()]
    for place, text in texts:
        for name, what in REFERENCE.findall(text):
            if name not in file.service:
                hint = did_you_mean(name, file.service)
                yield Mistake(place, f"{{service.{name}.{what}}}: no [service.{name}] in this file{hint}")
            elif name not in used:
                yield Mistake(
                    place, f'{{service.{name}.{what}}}: the target does not use it: set services = ["{name}"]'
                )
            elif what not in OF_SERVICE:
                yield Mistake(place, f"a service has no {{{what}}}{did_you_mean(what, OF_SERVICE)}")


def _service(path: KeyPath, service: Service, root: Path) -> Iterator[Mistake]:
    lines: dict[KeyPath, tuple[str, ...]] = {(*path, "command"): service.command}
    lines |= {(*path, "prepare", number): line for number, line in enumerate(service.prepare)}
    lines |= {(*path, "fixture", number): line for number, line in enumerate(service.fixture)}
    for place, line in lines.items():
        allowed = (*COMMAND, "host") if "fixture" in place else COMMAND
        for number, text in enumerate(line):
            yield from _placeholders((*place, number), text, allowed)
    for key, text in service.env.items():
        yield from _placeholders((*path, "env", key), text, COMMAND)
    for key, text in service.provides.items():
        yield from _placeholders((*path, "provides", key), text, OF_SERVICE)
        if not key or "=" in key:
            yield Mistake((*path, "provides", key), "the name of an environment variable has no `=`")
    texts = (*service.command, *service.env.values())
    addressed = any(f"{{{name}}}" in text for text in texts for name in ("port", "socket"))
    if not addressed and service.port is None and "(?P<port>" not in (service.ready.line or ""):
        yield Mistake(
            (*path, "command"),
            "the service's port is unknown: put {port} or {socket} into the command or env, set port = NUMBER, "
            "or let ready.line find it with a group (?P<port>...)",
        )
    if not (root / service.cwd).is_dir():
        yield Mistake((*path, "cwd"), f"no such folder: {service.cwd} (relative to this file)")


def _placeholders(place: KeyPath, text: str, allowed: Iterable[str]) -> Iterator[Mistake]:
    if "\0" in text:
        yield Mistake(place, "a NUL character cannot be passed to a program")
    for word in PLACEHOLDER.findall(text):
        if word not in allowed:
            yield Mistake(place, f"unknown placeholder {{{word}}}{did_you_mean(word, allowed)}")
