"""Which study file holds for several commits, and which words of a command line are commits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from profpipe.commits.resolve import Asked, how_to_get, is_commit, repository
from profpipe.errors import ConfigError, UsageError
from profpipe.pipeline.events import Listener, Note
from profpipe.pipeline.setup import read_file
from profpipe.study.find import find_study_file
from profpipe.study.read import LoadedFile


def config_here(here: Path, given: Path | None) -> Path | None:
    """The study file of the checkout; None when it has none, because a commit may still have one."""
    try:
        return find_study_file(here, given)
    except ConfigError:
        if given is not None:
            raise
        return None


def split_words(
    repo: Path, words: Sequence[str], config: Path | None, listen: Listener
) -> tuple[tuple[str, ...], str | None]:
    """Split the words into commits and the study, which the last word may name. A study precedes a branch."""
    if not words:
        return (), None
    *front, last = words
    studies = read_file(config).file.study if config is not None else {}
    commit = is_commit(repo, last)
    if last in studies:
        if commit:
            listen(Note(f"{last} is taken as the study; write {last}^0 for the commit of that name"))
        return tuple(front), last
    if commit:
        return tuple(words), None
    if front and ".." not in last and not _is_revision(last):
        return tuple(front), last
    if studies:
        raise UsageError(
            f"{last} is neither a commit of {repo} nor a study; the studies are: {', '.join(studies)}"
            f"{how_to_get(repo, last)}"
        )
    return tuple(words), None


def _is_revision(word: str) -> bool:
    """Whether a word that names nothing here was meant as a commit: a hash, or HEAD with a step."""
    return re.fullmatch(r"[0-9a-f]{7,40}|HEAD|.*[~^@].*", word) is not None


def study_file_of(
    repo: Path,
    asked: Asked,
    folders: Mapping[str, Path],
    config: Path | None,
    *,
    given: bool,
    listen: Listener,
) -> LoadedFile:
    """The newest commit's study file, used for all commits; the checkout's when that commit has none."""
    newest = asked.commits[-1]
    if given and config is not None:
        return read_file(config)
    place = config.relative_to(repo.resolve()) if config is not None else Path("profpipe.toml")
    found = folders[newest.id] / place
    if found.is_file():
        loaded = read_file(found)
        older = [c.id for c in asked.commits[:-1] if _text(folders[c.id] / place) != _text(found)]
        if older:
            listen(
                Note(f"using {place} of {newest.id} for all commits; it differs or is missing in {', '.join(older)}")
            )
        return loaded
    if config is None:
        raise ConfigError(
            f"neither {newest.id} nor the checkout has {place}; `profpipe init` writes one, and --config FILE names "
            "one that is elsewhere in the checkout"
        )
    listen(Note(f"{newest.id} has no {place}; using the checkout's for all commits"))
    return read_file(config)


def _text(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def folder_in_repository(loaded: LoadedFile, folders: Mapping[str, Path]) -> Path:
    """The study file's folder, relative to the top of the repository."""
    for folder in folders.values():
        if loaded.root.is_relative_to(folder):
            return loaded.root.relative_to(folder)
    top = repository(loaded.root).resolve()
    return loaded.root.resolve().relative_to(top)
