"""`profpipe calibrate`: compares a target with itself to find this machine's noise and its rate of false verdicts."""

from __future__ import annotations

from pathlib import Path

from profpipe import store
from profpipe.errors import UsageError
from profpipe.model.report import Calibration, Report
from profpipe.pipeline.events import Listener, Note
from profpipe.pipeline.measure.rounds import Bounds
from profpipe.pipeline.measure.running_study import running_study
from profpipe.pipeline.prepare.options import RunOptions
from profpipe.pipeline.prepare.places import placed
from profpipe.pipeline.prepare.prepared import PreparedStudy, Variants
from profpipe.pipeline.prepare.study import about_one_target, find_study, lay_out
from profpipe.pipeline.reporting.calibration_file import path_of, summary
from profpipe.pipeline.reporting.report import build_report, write_report
from profpipe.pipeline.whole_study import measure_until_decided
from profpipe.study.read import LoadedFile

FIRST, AGAIN = "first", "again"


def prepare_calibration(loaded: LoadedFile, study_id: str, target_id: str | None, options: RunOptions) -> PreparedStudy:
    """The target under two names in one folder, like two commits that do not differ."""
    study = find_study(loaded, study_id, options)
    name = target_id or study.baseline or study.targets[0]
    if name not in loaded.file.target:
        raise UsageError(f"{loaded.path}: no target {name}; it has: {', '.join(loaded.file.target)}")
    target = placed(loaded.file.target[name], loaded.root, None).model_copy(update={"label": ""})
    variants = Variants({FIRST: target, AGAIN: target}, dict.fromkeys((FIRST, AGAIN), loaded.root), FIRST)
    return lay_out(
        f"calibrate-{study_id}",
        about_one_target(study, name, f"Does {name} differ from itself here?"),
        variants,
        options,
    )


def calibrate(
    prepared: PreparedStudy,
    loaded: LoadedFile,
    study_id: str,
    reports: Path,
    times: int,
    bounds: Bounds,
    command: str,
    listen: Listener,
) -> Calibration:
    """Compare the target with itself `times` times, as `profpipe diff` compares commits, and store the result.

    `bounds` are those of each comparison, `command` the one that repeats all of them.

    The file is written after every comparison, so that a stopped calibration is one of fewer comparisons.
    """
    found: list[Report] = []
    for number in range(1, times + 1):
        listen(Note(f"comparison {number} of {times}"))
        with running_study(prepared, loaded, reports, command, listen) as running:
            running.build()
            measure_until_decided(running, bounds, lambda folder: build_report(folder)[0])
        found.append(write_report(running.folder).report)
        calibration = summary(found, study_id)
        store.write_whole(path_of(reports, study_id), calibration.model_dump_json(indent=1) + "\n")
    return calibration
