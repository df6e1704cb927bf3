"""Stored calibrations: one per study, valid on the machine that made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from profpipe import store
from profpipe.errors import StoreError
from profpipe.model.consistency import calibration_contradiction
from profpipe.model.machine import machine_key, machine_text
from profpipe.model.report import Calibration, Report
from profpipe.units import percent

FOLDER = "calibration"
COMMITS = "diff-"


def path_of(reports: Path, study_id: str) -> Path:
    """The file of a study's calibration; creates its folder."""
    folder = reports / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{study_id}.json"


def summary(reports: Sequence[Report], study_id: str) -> Calibration:
    """The calibration from A/A reports of one machine."""
    from profpipe.analyse.statistics.calibration import calibrate as together

    machine = machine_key(machine_text(reports[0].environment))
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return together(reports, machine=machine, study=study_id, created=created)


def calibration_of(reports: Path, study_id: str, environment: Mapping[str, str]) -> Calibration | None:
    """The calibration of this study, shared by `run` and `diff`, if it was made on this machine.

    Raises StoreError when the file exists and is not a calibration.
    """
    name = f"{study_id.removeprefix(COMMITS)}.json"
    path = reports / FOLDER / name
    try:
        found = Calibration.model_validate_json(store.inside(reports / FOLDER, name).read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValidationError as error:
        first = error.errors()[0]["msg"]
        raise StoreError(f"{path}: not a readable calibration: {first}; remove the file or calibrate again") from error
    if (why := calibration_contradiction(found)) is not None:
        raise StoreError(f"{path}: contradicts itself: {why}; remove the file or calibrate again")
    return found if found.machine == machine_key(machine_text(environment)) else None


def summary_lines(found: Calibration) -> tuple[str, ...]:
    """What `profpipe calibrate` prints, line by line, starting with the rate of false verdicts."""
    rate = percent(found.false_verdicts / found.comparisons)
    many = f"{found.comparisons} A/A comparison{'' if found.comparisons == 1 else 's'}"
    return (
        f"{found.false_verdicts} of {many} gave a false verdict: {rate} "
        f"(95 % interval {percent(found.low)} to {percent(found.high)})",
        "noise between two rounds, or two variants of one start (standard deviation of their ratio):",
        *(f"  {key:<28} {percent(sd, 2)}" for key, sd in sorted(found.sd.items())),
        f"stored for later verdicts of study {found.study} on this machine ({found.machine})",
    )
