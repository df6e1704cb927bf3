"""Is the code that runs the commit's own? Asked of one start of each variant, before anything is measured."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from profpipe.analyse.names.source_paths import in_packages
from profpipe.capture.loaded_files import Loaded, loaded_files
from profpipe.errors import CaptureError
from profpipe.model.report import Limit
from profpipe.pipeline.events import Listener
from profpipe.pipeline.execute.interface import Session
from profpipe.pipeline.prepare.prepared import PreparedStudy


@dataclass(frozen=True, slots=True)
class LoadedUnit:
    """One start of one variant, which leaves no files."""

    variant: str
    folder: Path

    def carry_out(self, study: PreparedStudy, folder: Path, listen: Listener) -> Loaded | None:  # noqa: ARG002
        target = study.targets[self.variant]
        return loaded_files(target, study.root_of(self.variant), target.request or study.study.load.request)


def check_own_code(
    prepared: PreparedStudy, session: Session, folder: Path, tops: Mapping[str, Path], broken: Collection[str]
) -> tuple[Limit, ...]:
    """Raises CaptureError when a variant runs other code than its commit's; what is only doubtful is a limit.

    `tops` = variant -> its worktree.
    """
    names = [name for name in prepared.targets if name not in broken]
    loaded: dict[str, Loaded] = {}
    for name in names:
        for _, found in session.carry_out([LoadedUnit(name, folder)]):
            if found is not None:
                loaded[name] = found
    for name, found in loaded.items():
        if why := foreign(found, tops[name].resolve(), prepared.variants.checkout, _own_environment(prepared, name)):
            raise CaptureError("start", f"{name} would not be measured: {why}")
    return tuple(_same_program(prepared, loaded, tops))


def foreign(loaded: Loaded, worktree: Path, checkout: Path | None, environment: Path | None) -> str | None:
    """Why a server does not run the code of its commit, and what to change; None where nothing speaks against it.

    `checkout` = the user's own folder of the repository, `environment` = one that belongs to this commit alone.
    """
    own = [path for path in (worktree, environment) if path is not None]
    files = sorted(file for file in {*loaded.files, loaded.program} if not _in(file, own))
    theirs = [f for f in files if checkout is not None and _in(f, [checkout.resolve()]) and not in_packages(f)]
    if theirs and checkout is not None:
        inside = os.path.relpath(theirs[0], checkout.resolve())
        more = f" and {len(theirs) - 1} more files" if len(theirs) > 1 else ""
        return f"it loads {inside}{more} of your checkout, not of its commit. {_mend(theirs[0], inside)}"
    if len(files) == len({*loaded.files, loaded.program}):
        return (
            f"it runs {loaded.program}, and no file of its worktree: every commit would be measured with the same "
            "program. Let the target's `build` make it in the worktree, and name it in `command` by its path there, "
            "such as ./server"
        )
    return None


def _mend(file: str, inside: str) -> str:
    if not file.endswith(".py"):
        return f"Name it in `command` by its path in the checkout: {{checkout}}/{Path(inside).name}"
    package = Path(file).parent
    while (package / "__init__.py").is_file():
        package = package.parent
    place = os.path.relpath(package, Path(file[: -len(inside)]))
    path = "{checkout}" if place == "." else f"{{checkout}}/{place}"
    return (
        "An editable install, or PYTHONPATH, names your checkout. Add to the target: "
        f'env = {{ PYTHONPATH = "{path}" }}, or `environment = {{}}` for an environment of its own'
    )


def _own_environment(prepared: PreparedStudy, name: str) -> Path | None:
    """The folder of an environment that no other variant shares."""
    made = prepared.variants.environments
    folders = [each.folder.resolve() for each in made.values()]
    own = made[name].folder.resolve() if name in made else None
    return own if own is not None and folders.count(own) == 1 else None


def _same_program(prepared: PreparedStudy, loaded: Mapping[str, Loaded], tops: Mapping[str, Path]) -> Iterator[Limit]:
    """A limit for each commit whose program in its worktree is, byte for byte, that of the baseline."""
    digests = {
        name: hashlib.sha256(Path(found.program).read_bytes()).digest()
        for name, found in loaded.items()
        if _in(found.program, [tops[name].resolve()]) and Path(found.program).is_file()
    }
    before = digests.get(prepared.baseline)
    for name, digest in digests.items():
        if name != prepared.baseline and digest == before:
            yield Limit(
                profiler="build",
                text="its program is that of the baseline, byte for byte: no change of this commit is in it. Where one "
                "should be, the target's `build` made nothing new",
                variants=(name,),
            )


def _in(file: str, folders: Collection[Path]) -> bool:
    return any(Path(file).is_relative_to(folder) for folder in folders)
