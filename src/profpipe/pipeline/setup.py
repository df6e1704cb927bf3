"""Reads the study file, lists what can run here, and writes a first study file for the user's own server."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from profpipe import store
from profpipe.errors import UsageError, first_fault
from profpipe.study.read import LoadedFile
from profpipe.units import Language

if TYPE_CHECKING:
    from profpipe.pipeline.project.find import Server
    from profpipe.study import Request, Service


def load_study_file(config: Path | None) -> LoadedFile:
    """Find and read the study file. Raises ConfigError with every mistake at once."""
    from profpipe.study.find import find_study_file

    return read_file(find_study_file(Path.cwd(), config))


def read_file(path: Path) -> LoadedFile:
    """Read a study file and check its names against the parts that exist. Raises ConfigError.

    The name of a plug-in that cannot be used passes here: preparing the study then says why it cannot.
    """
    from profpipe.capture import PROFILERS
    from profpipe.load import GENERATORS
    from profpipe.reference.registry import NAME_STYLES, STUDIES
    from profpipe.study.read import read_study_file

    return read_study_file(
        path,
        profilers=PROFILERS.known_names(),
        generators=GENERATORS.known_names(),
        references=STUDIES.known_names(),
        name_styles=NAME_STYLES.known_names(),
    )


def listing(loaded: LoadedFile) -> dict[str, Any]:
    """Studies, targets and services of the file; `missing` = why one cannot run here, None when it can."""
    from profpipe.capture import missing_requirements

    return {
        "studies": [
            {
                "id": name,
                "question": study.question,
                "targets": list(study.targets),
                "baseline": study.baseline or study.targets[0],
                "profilers": list(study.profilers),
                "rounds": study.rounds,
            }
            for name, study in loaded.file.study.items()
        ],
        "targets": [
            {"id": name, "label": target.label or name, "missing": missing_requirements(target, loaded.root)}
            for name, target in loaded.file.target.items()
        ],
        "services": [
            {"id": name, "label": shlex.join(service.command), "missing": why}
            for name, (service, why) in missing_services(loaded).items()
        ],
    }


def missing_services(loaded: LoadedFile) -> dict[str, tuple[Service, str | None]]:
    """Every service of the file, and why it cannot run here; None when it can."""
    from profpipe.capture.services.needs import missing_for

    whole = {
        name: service.model_copy(update={"cwd": str(loaded.root / service.cwd)})
        for name, service in loaded.file.service.items()
    }
    return {name: (service, missing_for(service)) for name, service in whole.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What `profpipe init` was told. None = find it in the project; `headers` as `Name: value`."""

    name: str = "server"
    command: str | None = None
    contender: str | None = None
    language: Language | None = None
    method: str = "GET"
    path: str = "/"
    headers: tuple[str, ...] = ()
    body_file: Path | None = None
    status: int = 200


def find_server(asked: Asked, root: Path) -> Server | None:
    """The server that was asked for, or else the one that the project's files name; None where they name none.

    Raises UsageError for a command with an open quote.
    """
    from profpipe.pipeline.project.find import Server, find_server, language_of

    if asked.command is None:
        return find_server(root)
    argv = _split(asked.command)
    return Server(argv, language_of(argv, root), "--command")


def write_starter_file(path: Path, asked: Asked, server: Server) -> None:
    """Write a commented study file. Raises UsageError for an open quote, a header or a body that cannot be sent."""
    from profpipe.capture import default_profilers
    from profpipe.study.starter import starter_file

    language = asked.language or server.language
    text = starter_file(
        default_profilers(language),
        name=asked.name,
        command=server.argv,
        language=language,
        contender=None if asked.contender is None else _split(asked.contender),
        request=_request(asked),
        env=server.env,
    )
    store.write_whole(path.absolute(), text)


def _split(command: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(command))
    except ValueError as error:
        raise UsageError(f"the command cannot be split into words: {error}; check its quotes") from error


def _request(asked: Asked) -> Request:
    from pydantic import ValidationError

    from profpipe.study import Request

    headers = {}
    for header in asked.headers:
        name, sign, value = header.partition(":")
        if not sign or not name.strip():
            raise UsageError(f"--header {header}: expected Name: value")
        headers[name.strip()] = value.strip()
    body = ""
    if asked.body_file is not None:
        try:
            body = asked.body_file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"--body-file {asked.body_file}: cannot be read as UTF-8 text: {error}") from error
    given = {"method": asked.method, "path": asked.path, "headers": headers, "body": body, "status": asked.status}
    try:
        return Request.model_validate(given)
    except ValidationError as error:
        raise UsageError(f"the request cannot be sent: {first_fault(error)}") from error
