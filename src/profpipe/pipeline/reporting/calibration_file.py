"""Calibrations that were kept: one a study, of the machine they were made on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from profpipe.errors import StoreError
from profpipe.model.machine import machine_key, machine_text
from profpipe.model.report import Calibration, Report
from profpipe.units import percent

FOLDER = "calibration"
COMMITS = "diff-"


def path_of(reports: Path, study_id: str) -> Path:
    """Where a study's calibration is kept; its folder is made."""
    folder = reports / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{study_id}.json"


def summary(reports: Sequence[Report], study_id: str) -> Calibration:
    """What A/A reports of one machine say together."""
    from profpipe.analyse.statistics.calibration import calibrate as together

    machine = machine_key(machine_text(reports[0].environment))
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return together(reports, machine=machine, study=study_id, created=created)


def calibration_of(reports: Path, study_id: str, environment: Mapping[str, str]) -> Calibration | None:
    """The calibration of this study, for runs and for commits alike, if it was made on this machine.

    Raises StoreError where the file is there and is none.
    """
    path = reports / FOLDER / f"{study_id.removeprefix(COMMITS)}.json"
    try:
        found = Calibration.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValidationError as error:
        first = error.errors()[0]["msg"]
        raise StoreError(f"{path}: no calibration that can be read: {first}; remove it or calibrate again") from error
    return found if found.machine == machine_key(machine_text(environment)) else None


def summary_lines(found: Calibration) -> tuple[str, ...]:
    """What `profpipe calibrate` prints, a line each: the verdict on the machine first."""
    rate = percent(found.false_verdicts / found.comparisons)
    many = f"{found.comparisons} comparison{'' if found.comparisons == 1 else 's'} of a target with itself"
    return (
        f"{found.false_verdicts} of {many} held a false better or worse: {rate} "
        f"(95 % interval {percent(found.low)} to {percent(found.high)})",
        "noise of one round against another (standard deviation of the ratio):",
        *(f"  {key:<28} {percent(sd, 2)}" for key, sd in sorted(found.sd.items())),
        f"kept for later verdicts of study {found.study} on this machine ({found.machine})",
    )
