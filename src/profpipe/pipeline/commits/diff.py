"""Two or more commits of one repository as the variants of a study: found, checked out, built."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from profpipe import store
from profpipe.capture import Requirement
from profpipe.commits import lfs
from profpipe.commits.changes import changed_files, changes
from profpipe.commits.resolve import Asked, Commit, repository, resolve
from profpipe.commits.worktrees import checked_out, remove, snapshot
from profpipe.errors import CaptureError, UsageError
from profpipe.model.report import CommitInfo, Dependency
from profpipe.pipeline.commits.bump import Bump, check_installed, requirements, twice
from profpipe.pipeline.commits.dependencies import dependencies, packages_by_variant
from profpipe.pipeline.commits.environments import lacking, with_environments
from profpipe.pipeline.commits.gated import with_gate
from profpipe.pipeline.commits.one_metric import only_for, only_for_gate
from profpipe.pipeline.commits.own_code import check_own_code
from profpipe.pipeline.commits.study_of_commits import (
    config_here,
    folder_in_repository,
    split_words,
    study_file_of,
)
from profpipe.pipeline.events import Listener, Note
from profpipe.pipeline.measure.running_study import RunningStudy, running_study
from profpipe.pipeline.prepare.options import RunOptions, as_given
from profpipe.pipeline.prepare.prepared import PreparedStudy, Variants
from profpipe.pipeline.prepare.study import about_one_target, find_study, lay_out, only_study
from profpipe.study import Study, Target
from profpipe.study.read import LoadedFile

CHANGES = "changes"


@dataclass(frozen=True, slots=True)
class DiffOptions:
    """What the command line asks for. `words` are commits; the last one may be the study when `study` is None.

    `bump` = the packages whose versions are compared at one commit, in place of commits. `metric` = the only question,
    so that neither other instruments nor the gate of the study take part. `max_rounds` = where it is not the default.
    """

    words: tuple[str, ...] = ()
    study: str | None = None
    target: str | None = None
    worktree: bool = False
    every: bool = False
    bump: tuple[Bump, ...] = ()
    config: Path | None = None
    fail_on: tuple[str, ...] = ()
    metric: str | None = None
    max_rounds: int | None = None
    run: RunOptions = field(default_factory=RunOptions)

    def command(self, asked: Asked, study: str, target: str) -> str:
        """The command that measures the same commits again, wherever the branches point by then."""
        commits = asked.commits[:-1] if self.worktree else asked.commits
        named = [commit.commit[:12] for commit in commits]
        if self.bump:
            named = [] if self.worktree else [commits[0].parent[:12]]
            named += [w for each in self.bump for w in ("--bump", each.text)]
        words = ["profpipe", "diff", *named, study, "-t", target]
        rules = [word for rule in self.fail_on for word in ("--fail-on", rule)]
        words += ["--worktree"] if self.worktree else []
        return shlex.join([*words, *rules, *as_given(self.config, self.max_rounds, self.run)])


@dataclass(frozen=True, slots=True)
class CheckedOut:
    """Commits that are checked out and laid out as variants. `folders` = commit id -> its worktree.

    `bumped` = commit id -> packages that must be there in another version than the commit's lock file has.
    """

    repo: Path
    asked: Asked
    loaded: LoadedFile
    prepared: PreparedStudy
    study: str
    target: str
    command: str
    folders: Mapping[str, Path]
    bumped: Mapping[str, tuple[Requirement, ...]]


@contextmanager
def check_out(options: DiffOptions, here: Path, listen: Listener) -> Iterator[CheckedOut]:
    """The commits in worktrees and the study prepared; the worktrees are locked until the block ends.

    Raises UsageError for commits, studies and targets that do not exist, CommitError when git fails.
    """
    config = config_here(here, options.config)
    repo = repository(config.parent if config is not None else here)
    words, study_id = (
        (options.words, options.study) if options.study else split_words(repo, options.words, config, listen)
    )
    asked = _asked(repo, words, options, listen)
    with _worktrees(repo, asked, listen) as folders:
        loaded = study_file_of(repo, asked, folders, config, given=options.config is not None, listen=listen)
        study_id = study_id or only_study(loaded, "profpipe diff [COMMITS]")
        study = _study(loaded, study_id, options, listen)
        target_id = _target(options.target, study, loaded, listen)
        bumped = requirements(asked, options.bump)
        variants = with_environments(
            _variants(repo, asked, folders, loaded, loaded.file.target[target_id]),
            home=repo / folder_in_repository(loaded, folders),
            bumped=bumped,
            between=options.bump[0].between if options.bump else None,
            listen=listen,
        )
        prepared = lay_out(
            f"diff-{study_id}", about_one_target(study, target_id, _question(target_id, asked)), variants, options.run
        )
        if options.metric is None:
            prepared = with_gate(prepared, loaded, study_id, options.fail_on)
        yield CheckedOut(
            repo=repo,
            asked=asked,
            loaded=loaded,
            prepared=prepared,
            study=study_id,
            target=target_id,
            command=options.command(asked, study_id, target_id),
            folders=folders,
            bumped=bumped,
        )


def _study(loaded: LoadedFile, study_id: str, options: DiffOptions, listen: Listener) -> Study:
    """The study with what the command line says of it: a question about one metric needs no other instrument."""
    study = find_study(loaded, study_id, options.run)
    if options.run.profilers:
        return study
    if options.metric is not None:
        return only_for(study, options.metric)
    if not options.fail_on:
        return study
    asked = only_for_gate(study, options.fail_on)
    if asked.profilers != study.profilers:
        names = ", ".join(asked.profilers)
        listen(Note(f"the gate asks about nothing but {names}, so no other instrument is used; -p names others"))
    return asked


def _asked(repo: Path, words: tuple[str, ...], options: DiffOptions, listen: Listener) -> Asked:
    """The commits to compare; notes of what was chosen for the user are shown."""
    uncommitted = _uncommitted(repo, options.worktree)
    if options.bump:
        asked = twice(repo, words, uncommitted, options.bump)
    else:
        asked = resolve(repo, words, every=options.every, worktree=uncommitted)
    for text in asked.notes:
        listen(Note(text))
    return asked


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
def _worktrees(repo: Path, asked: Asked, listen: Listener) -> Iterator[Mapping[str, Path]]:
    """Commit id -> its worktree. Files of Git LFS that are pointers there are named."""
    with checked_out(repo, asked.commits) as folders:
        for commit in asked.commits:
            if found := lfs.pointers(folders[commit.id]):
                listen(Note(f"{commit.id}: {lfs.words(found, commit.parent or commit.commit)}"))
        yield folders


@contextmanager
def build_commits(at: CheckedOut, reports: Path, listen: Listener) -> Iterator[RunningStudy]:
    """A run folder with every commit built in its own worktree.

    A commit that does not build is a variant without valid runs, and its worktree is removed. Raises CaptureError with
    the last lines of the build when nothing is left to compare.
    """
    with running_study(at.prepared, at.loaded, reports, at.command, listen) as running:
        running.build()
        running.broken = {**_lacking(at, running.broken), **running.broken}
        for name, wanted in at.bumped.items():
            check_installed(name, wanted, at.prepared.variants.environments[name].packages())
        for name in running.broken:
            remove(at.repo, at.folders[name])
        _enough_left(at, running.broken)
        doubts = check_own_code(at.prepared, running.session, running.folder, at.folders, running.broken)
        running.study = replace(running.study, limits=(*running.study.limits, *doubts))
        _write_changes(at, running)
        yield running


def _lacking(at: CheckedOut, broken: Mapping[str, CaptureError]) -> dict[str, CaptureError]:
    """Variant -> why it cannot start, of those that were built."""
    prepared = at.prepared
    found = {
        name: lacking(name, target, prepared.root_of(name))
        for name, target in prepared.targets.items()
        if name not in broken
    }
    return {name: error for name, error in found.items() if error is not None}


def _enough_left(at: CheckedOut, broken: Mapping[str, CaptureError]) -> None:
    alive = [name for name in at.prepared.targets if name not in broken]
    if at.prepared.baseline in alive and len(alive) > 1:
        return
    name, error = next(iter(broken.items()))
    lines = "".join(f"\n    {line}" for line in error.log_tail[-10:])
    words = next(c.words for c in at.asked.commits if c.id == name)
    raise CaptureError("build", f"{words} does not build, so nothing is left to compare: {error.text}{lines}")


def _write_changes(at: CheckedOut, running: RunningStudy) -> None:
    """Store patches and changed packages with the captures: a report can be made again without the repository."""
    base, *others = at.asked.commits
    packages, found = packages_by_variant(at.prepared), list[Dependency]()
    (running.folder / CHANGES).mkdir()
    for other in others:
        text = changes(at.repo, base.commit, other.commit)
        store.write_whole(running.folder / CHANGES / f"{other.id}.patch", text.encode("utf-8", "surrogateescape"))
        files = changed_files(at.repo, base.commit, other.commit)
        found += dependencies(other.id, packages[base.id], packages[other.id], files)
    running.study = replace(running.study, dependencies=tuple(found))
    store.write_study(running.folder, running.study)


def _uncommitted(repo: Path, wanted: bool) -> Commit | None:
    if not wanted:
        return None
    found = snapshot(repo)
    if found is None:
        raise UsageError(f"--worktree: {repo} has no uncommitted changes, so it is the same as HEAD")
    return found


def _question(target: str, asked: Asked) -> str:
    base, *others = asked.commits
    what = f"{others[0].words} change" if len(others) == 1 else f"each of {len(others)} commits change"
    return f"What does {what} in {target}, against {base.words}?"


def _variants(repo: Path, asked: Asked, folders: Mapping[str, Path], loaded: LoadedFile, target: Target) -> Variants:
    """One variant per commit: the same target, in the study file's folder of that commit's worktree."""
    inside = folder_in_repository(loaded, folders)
    return Variants(
        targets={c.id: target.model_copy(update={"label": c.label}) for c in asked.commits},
        roots={c.id: folders[c.id] / inside for c in asked.commits},
        baseline=asked.commits[0].id,
        commits={c.id: _info(c) for c in asked.commits},
        checkout=repo.resolve(),
    )


def _info(commit: Commit) -> CommitInfo:
    return CommitInfo(
        commit=commit.parent or commit.commit,
        ref=commit.ref,
        subject="" if commit.worktree else commit.subject,
        time=commit.time,
        dirty=commit.worktree,
    )
