"""Reads the study file, lists what can run here, and writes a first study file for the user's own server."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from profpipe import store
from profpipe.errors import UsageError
from profpipe.study.read import LoadedFile
from profpipe.units import Language


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
    """Studies and targets of the file; `missing` = why a target cannot run here, None when it can."""
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
    }


def write_starter_file(
    path: Path, *, name: str, command: str, language: Language, contender: str | None, request_path: str
) -> None:
    """Write a commented study file. Raises UsageError for an open quote, ConfigError for other mistakes."""
    from profpipe.capture import default_profilers
    from profpipe.study.starter import starter_file

    try:
        argv, other = tuple(shlex.split(command)), tuple(shlex.split(contender)) if contender else None
    except ValueError as error:
        raise UsageError(f"the command cannot be split into words: {error}; check its quotes") from error
    text = starter_file(
        default_profilers(language),
        name=name,
        command=argv,
        language=language,
        contender=other,
        request_path=request_path,
    )
    store.write_whole(path.absolute(), text)
