"""Run folders: reports/<study>/<time>/ with study.json, starts/*.json, and runs/*/ with run.json and its captures."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from profpipe.errors import InvalidProfile, StoreError, first_fault
from profpipe.model.run import CaptureFile, RunRecord
from profpipe.model.start import Start
from profpipe.model.start_codec import dump_start, load_start
from profpipe.model.study import StudyRecord
from profpipe.store.files import write_whole
from profpipe.store.untrusted_paths import inside, read_file

STUDY_FILE, RUN_FILE, RUNS, STARTS = "study.json", "run.json", "runs", "starts"
_STUDY, _RUN = TypeAdapter(StudyRecord), TypeAdapter(RunRecord)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run's record and the folder its capture paths are relative to."""

    record: RunRecord
    folder: Path

    def capture(self, file: CaptureFile) -> Path:
        """The path of one of its captures. Raises StoreError when it leads out of the folder or is not a file."""
        return inside(self.folder, file.path)


def new_study_folder(reports: Path, study: str, stamp: str) -> Path:
    """Create reports/<study>/<stamp>, with a suffix when two runs begin in the same second."""
    try:
        (reports / study).mkdir(parents=True, exist_ok=True)
        for attempt in range(1, 100):
            folder = reports / study / (stamp if attempt == 1 else f"{stamp}-{attempt}")
            with contextlib.suppress(FileExistsError):
                folder.mkdir()
                (folder / RUNS).mkdir()
                return folder
    except OSError as error:
        raise StoreError(f"{reports / study}: cannot create a run folder there: {error.strerror or error}") from error
    raise StoreError(f"{reports / study}: 99 runs have started at {stamp}; wait a second")


def new_run_folder(folder: Path, order: int, variant: str, profiler: str, round: int, control: bool = False) -> Path:
    """runs/<order>-<variant>-<profiler>-r<round>, ordered by time when listed by name."""
    name = f"{order:04d}-{variant}{'-control' if control else ''}-{profiler}-r{round}"
    path = folder / RUNS / name
    try:
        path.mkdir(parents=True)
    except OSError as error:
        raise StoreError(f"{path}: cannot be created: {error.strerror or error}") from error
    return path


def write_study(folder: Path, record: StudyRecord) -> None:
    write_whole(folder / STUDY_FILE, _STUDY.dump_json(record, indent=1))


def write_run(folder: Path, record: RunRecord) -> None:
    """Write run.json without indentation, which would make it five times as long: histograms have a value per line."""
    write_whole(folder / RUN_FILE, _RUN.dump_json(record) + b"\n")


def read_study(folder: Path) -> StudyRecord:
    """Read study.json of a run folder. Raises StoreError naming what is missing or wrong."""
    return _read(folder / STUDY_FILE, _STUDY)


def read_runs(folder: Path) -> Iterator[StoredRun]:
    """Every finished run of the folder, in their order; an interrupted run has no record and is skipped."""
    for path in sorted((folder / RUNS).glob(f"*/{RUN_FILE}")):
        yield StoredRun(_read(path, _RUN), path.parent)


def write_start(folder: Path, start: Start) -> None:
    """Write starts/NUMBER.json, in the order of the study when listed by name."""
    path = folder / STARTS
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise StoreError(f"{path}: cannot be created: {error.strerror or error}") from error
    write_whole(path / f"{start.ticket.number:04d}.json", dump_start(start) + b"\n")


def read_starts(folder: Path) -> tuple[Start, ...]:
    """Every start of the folder, lost ones included, in their order. Raises StoreError naming a file that is none."""
    found = []
    for path in sorted((folder / STARTS).glob("*.json")):
        try:
            found.append(load_start(read_file(path), str(path)))
        except OSError as error:
            raise StoreError(f"{path}: cannot be read: {error.strerror or error}") from error
        except InvalidProfile as error:
            raise StoreError(f"{error}; remove the file to make the report without this start") from error
    return tuple(found)


def remove_unfinished_runs(folder: Path) -> None:
    """Remove every run that has no record: its captures are half written at best."""
    for path in (folder / RUNS).iterdir():
        if not (path / RUN_FILE).is_file():
            shutil.rmtree(path, ignore_errors=True)


def remove_starts(folder: Path) -> None:
    """Remove all starts of a study that is measured in rounds after all."""
    shutil.rmtree(folder / STARTS, ignore_errors=True)


def find_study_folder(reports: Path, name: str) -> Path:
    """A run folder by its path, or the newest one of that study; one without runs only if there is no other.

    Raises StoreError when there is none.
    """
    given = Path(name)
    if (given / STUDY_FILE).is_file():
        return given
    stored = [path.parent for path in (reports / name).glob(f"*/{STUDY_FILE}")]
    if stored:
        return max(stored, key=lambda f: (_has_run(f), (f / STUDY_FILE).stat().st_mtime, f.name))
    raise StoreError(
        f"{name}: neither a run folder (no {given / STUDY_FILE}) nor a study with runs under {reports}; "
        f"run it first: profpipe run {given.name}"
    )


def _has_run(folder: Path) -> bool:
    kept = ((folder / RUNS).glob(f"*/{RUN_FILE}"), (folder / STARTS).glob("*.json"))
    return any(next(files, None) is not None for files in kept)


def _read(path: Path, adapter: TypeAdapter[T]) -> T:
    try:
        return adapter.validate_json(read_file(path))
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValidationError as error:
        raise StoreError(f"{path}: {first_fault(error)}; was it cut short, or written by another version?") from error
