"""Reads the runs of a run folder with their profiles, and refuses captures that are not what the run wrote."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from profpipe import store
from profpipe.errors import ProfpipeError, ReportError
from profpipe.model.profile import Profile
from profpipe.model.run import CaptureFile, RunRecord
from profpipe.model.start import Start
from profpipe.model.study import StudyRecord


def stored_starts(folder: Path, study: StudyRecord) -> tuple[Start, ...]:
    """The starts of a study that was measured by slices. Raises StoreError, and ReportError for one of another plan."""
    if study.slices is None:
        return ()
    starts = store.read_starts(folder)
    for start in starts:
        plan, planned = start.plan, study.slices
        if (plan.requests, plan.lead, plan.passes) != (planned.requests, planned.lead, planned.passes):
            raise ReportError(
                f"{folder}: start {start.ticket.number} has slices of {plan.requests} requests, study.json says "
                f"{planned.requests}: it is of another study; remove its file from {folder / store.STARTS}"
            )
    return starts


def load_runs(
    folder: Path, checkout: str = "", *, needed: bool = True
) -> tuple[tuple[RunRecord, tuple[Profile, ...]], ...]:
    """Every run of a folder that has ended, with its profiles. Raises ReportError when there is none and one is needed.

    `checkout` = a folder that no code of these runs may come from: a run with code from there is invalid.
    """
    runs = tuple(_profiles(stored, checkout) for stored in store.read_runs(folder))
    if not runs and needed:
        raise ReportError(f"{folder}: no run has ended yet, so there is nothing to report")
    return runs


def _profiles(stored: store.StoredRun, checkout: str = "") -> tuple[RunRecord, tuple[Profile, ...]]:
    """A run with its profiles; the run is invalid, with phase parse, when its captures are not what it wrote."""
    from profpipe.parse import parse_files

    record = stored.record
    if not record.valid:
        return record, ()
    by_format: dict[str, list[Path]] = {}
    try:
        for file in record.captures:
            path = _unchanged(stored, file)
            by_format.setdefault(file.format, []).append(path)
        profiles = tuple(parse_files(paths, name) for name, paths in by_format.items())
    except (ProfpipeError, OSError) as error:
        text = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        text = text.replace(f"{stored.folder}/", "")
        return replace(record, reason=f"its capture cannot be read: {text}", phase="parse"), ()
    for profile in profiles:
        if profile.meta.partial:
            return replace(record, reason=f"its capture is incomplete: {profile.meta.partial}", phase="parse"), ()
        if strange := _code_of(checkout, profile):
            return replace(record, reason=strange, phase="parse"), ()
    return record, profiles


def _code_of(checkout: str, profile: Profile) -> str | None:
    """Why a profile is not of its commit: an editable install runs the code of the checkout instead."""
    from profpipe.analyse.names.source_paths import in_packages

    inside = f"{checkout}/"
    found = next((f for f in profile.functions.file if checkout and f.startswith(inside) and not in_packages(f)), None)
    if found is None:
        return None
    return (
        f"it ran {found.removeprefix(inside)} of the checkout, not of the commit (an editable install?): "
        "make the target's command or env find the code next to profpipe.toml first"
    )


def _unchanged(stored: store.StoredRun, file: CaptureFile) -> Path:
    """The path of a capture, compared with the digest of its run: a stack file that was cut at a line end still parses.

    Raises ReportError when it is missing or differs, StoreError when its path leads outside or is not a file.
    """
    try:
        path = stored.capture(file)
        with path.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
            size = opened.tell()
    except FileNotFoundError as error:
        raise ReportError(f"{file.path} no longer exists") from error
    if digest != file.sha256:
        was = f"it has {size:,} bytes instead of {file.size:,}" if size != file.size else "its SHA-256 differs"
        raise ReportError(f"{file.path} was changed after the run: {was}")
    return path
