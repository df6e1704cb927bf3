"""Two or more commits of one repository as the variants of a study: found, checked out, built."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from profpipe import store
from profpipe.commits.changes import changes
from profpipe.commits.resolve import Asked, Commit, how_to_get, is_commit, repository, resolve
from profpipe.commits.worktrees import checked_out, remove, snapshot
from profpipe.errors import CaptureError, ConfigError, UsageError
from profpipe.model.report import CommitInfo
from profpipe.pipeline.commits.gated import with_gate
from profpipe.pipeline.commits.one_metric import only_for
from profpipe.pipeline.events import Listener, Note
from profpipe.pipeline.measure.running_study import RunningStudy, running_study
from profpipe.pipeline.prepare.options import RunOptions
from profpipe.pipeline.prepare.prepared import PreparedStudy, Variants
from profpipe.pipeline.prepare.study import about_one_target, find_study, lay_out, only_study
from profpipe.pipeline.setup import read_file
from profpipe.study import Study, Target
from profpipe.study.find import find_study_file
from profpipe.study.read import LoadedFile

CHANGES = "changes"


@dataclass(frozen=True, slots=True)
class DiffOptions:
    """What the command line asks for. `words` are commits; the last one may be the study when `study` is None.

    `metric` = the only question, so that neither other instruments nor the gate of the study take part.
    """

    words: tuple[str, ...] = ()
    study: str | None = None
    target: str | None = None
    worktree: bool = False
    every: bool = False
    config: Path | None = None
    fail_on: tuple[str, ...] = ()
    metric: str | None = None
    run: RunOptions = field(default_factory=RunOptions)

    def command(self, asked: Asked, study: str, target: str) -> str:
        """The command that measures the same commits again, wherever the branches point by then."""
        commits = asked.commits[:-1] if self.worktree else asked.commits
        words = ["profpipe", "diff", *(commit.commit[:12] for commit in commits), study, "-t", target]
        rules = [word for rule in self.fail_on for word in ("--fail-on", rule)]
        return shlex.join(
            [*words, *(["--worktree"] if self.worktree else []), *rules, *self.config_words(), *self.run.words()]
        )

    def config_words(self) -> list[str]:
        """`--config FILE` as it was given; a path of this machine only by its name."""
        if self.config is None:
            return []
        return ["--config", self.config.name if self.config.is_absolute() else str(self.config)]


@dataclass(frozen=True, slots=True)
class CheckedOut:
    """Commits that are checked out and laid out as variants. `folders` = commit id -> its worktree."""

    repo: Path
    asked: Asked
    loaded: LoadedFile
    prepared: PreparedStudy
    study: str
    target: str
    command: str
    folders: Mapping[str, Path]


@contextmanager
def check_out(options: DiffOptions, here: Path, listen: Listener) -> Iterator[CheckedOut]:
    """The commits in worktrees and the study prepared; the worktrees are locked until the block ends.

    Raises UsageError for commits, studies and targets that do not exist, CommitError when git fails.
    """
    config = _config_here(here, options.config)
    repo = repository(config.parent if config is not None else here)
    words, study_id = options.words, options.study
    if study_id is None:
        words, study_id = _words(repo, words, config, listen)
    asked = resolve(repo, words, every=options.every, worktree=_uncommitted(repo, options.worktree))
    for text in asked.notes:
        listen(Note(text))
    with checked_out(repo, asked.commits) as folders:
        loaded = _study_file(repo, asked, folders, config, given=options.config is not None, listen=listen)
        study_id = study_id or only_study(loaded, "profpipe diff [COMMITS]")
        study = find_study(loaded, study_id, options.run)
        if options.metric is not None and not options.run.profilers:
            study = only_for(study, options.metric)
        target_id = _target(options.target, study, loaded, listen)
        variants = _variants(repo, asked, folders, loaded, loaded.file.target[target_id])
        prepared = lay_out(
            f"diff-{study_id}", about_one_target(study, target_id, _question(target_id, asked)), variants, options.run
        )
        if options.metric is None:
            prepared = with_gate(prepared, loaded, study_id, options.fail_on)
        command = options.command(asked, study_id, target_id)
        yield CheckedOut(
            repo=repo,
            asked=asked,
            loaded=loaded,
            prepared=prepared,
            study=study_id,
            target=target_id,
            command=command,
            folders=folders,
        )


def _target(given: str | None, study: Study, loaded: LoadedFile, listen: Listener) -> str:
    """The target whose commits are compared: the given one, the study's baseline, or its first one."""
    found = given or study.baseline or study.targets[0]
    if found not in loaded.file.target:
        raise UsageError(f"{loaded.path}: no target {found}; it has: {', '.join(loaded.file.target)}")
    if given is None and len(study.targets) > 1:
        others = ", ".join(t for t in study.targets if t != found)
        listen(Note(f"comparing commits of target {found}; choose another one with -t: {others}"))
    return found


@contextmanager
def build_commits(at: CheckedOut, reports: Path, listen: Listener) -> Iterator[RunningStudy]:
    """A run folder with every commit built in its own worktree.

    A commit that does not build is a variant without valid runs, and its worktree is removed. Raises CaptureError with
    the last lines of the build when nothing is left to compare.
    """
    with running_study(at.prepared, at.loaded, reports, at.command, listen) as running:
        running.build()
        for name in running.broken:
            remove(at.repo, at.folders[name])
        _enough_left(at, running.broken)
        _write_changes(at, running.folder)
        yield running


def _enough_left(at: CheckedOut, broken: Mapping[str, CaptureError]) -> None:
    alive = [name for name in at.prepared.targets if name not in broken]
    if at.prepared.baseline in alive and len(alive) > 1:
        return
    name, error = next(iter(broken.items()))
    lines = "".join(f"\n    {line}" for line in error.log_tail[-10:])
    words = next(c.words for c in at.asked.commits if c.id == name)
    raise CaptureError("build", f"{words} does not build, so nothing is left to compare: {error.text}{lines}")


def _write_changes(at: CheckedOut, folder: Path) -> None:
    """Store the patches with the captures, so that a report can be made again without the repository."""
    base, *others = at.asked.commits
    (folder / CHANGES).mkdir()
    for other in others:
        text = changes(at.repo, base.commit, other.commit)
        store.write_whole(folder / CHANGES / f"{other.id}.patch", text.encode("utf-8", "surrogateescape"))


def _config_here(here: Path, given: Path | None) -> Path | None:
    """The study file of the checkout; None when it has none, because a commit may still have one."""
    try:
        return find_study_file(here, given)
    except ConfigError:
        if given is not None:
            raise
        return None


def _words(
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


def _uncommitted(repo: Path, wanted: bool) -> Commit | None:
    if not wanted:
        return None
    found = snapshot(repo)
    if found is None:
        raise UsageError(f"--worktree: {repo} has no uncommitted changes, so it is the same as HEAD")
    return found


def _study_file(
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


def _question(target: str, asked: Asked) -> str:
    base, *others = asked.commits
    what = f"{others[0].words} change" if len(others) == 1 else f"each of {len(others)} commits change"
    return f"What does {what} in {target}, against {base.words}?"


def _variants(repo: Path, asked: Asked, folders: Mapping[str, Path], loaded: LoadedFile, target: Target) -> Variants:
    """One variant per commit: the same target, in the study file's folder of that commit's worktree."""
    inside = _inside(loaded, folders)
    return Variants(
        targets={c.id: target.model_copy(update={"label": ""}) for c in asked.commits},
        roots={c.id: folders[c.id] / inside for c in asked.commits},
        baseline=asked.commits[0].id,
        commits={c.id: _info(c) for c in asked.commits},
        checkout=repo.resolve(),
    )


def _inside(loaded: LoadedFile, folders: Mapping[str, Path]) -> Path:
    """The study file's folder, relative to the top of the repository."""
    for folder in folders.values():
        if loaded.root.is_relative_to(folder):
            return loaded.root.relative_to(folder)
    top = repository(loaded.root).resolve()
    return loaded.root.resolve().relative_to(top)


def _info(commit: Commit) -> CommitInfo:
    return CommitInfo(
        commit=commit.parent or commit.commit,
        ref=commit.ref,
        subject="" if commit.worktree else commit.subject,
        time=commit.time,
        dirty=commit.worktree,
    )
