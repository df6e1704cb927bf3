"""Building the targets of a study on this machine."""

from __future__ import annotations

from functools import partial

from profpipe import capture
from profpipe.errors import CaptureError
from profpipe.pipeline.events import Building, Listener, Note
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.study import Target


def build_targets(study: PreparedStudy, listen: Listener) -> dict[str, CaptureError]:
    """Build every target, once where several have the same build; variant -> error of those that do not build."""
    done: dict[tuple[object, ...], CaptureError | None] = {}
    for name, target in study.targets.items():
        build = _same_build(study, name)
        if build not in done and not capture.built_without(target, study.root_of(name)):
            done[build] = _built(study, name, target, listen)
    found = {name: done.get(_same_build(study, name)) for name in study.targets}
    return {name: error for name, error in found.items() if error is not None}


def _same_build(study: PreparedStudy, name: str) -> tuple[object, ...]:
    target = study.targets[name]
    return study.root_of(name), target.cwd, target.build, tuple(sorted(target.env.items()))


def _built(study: PreparedStudy, name: str, target: Target, listen: Listener) -> CaptureError | None:
    try:
        capture.build(target, study.root_of(name), partial(_report_line, listen, name))
    except CaptureError as error:
        listen(Note(f"{name} does not build: {error.text}"))
        return error
    return None


def _report_line(listen: Listener, target: str, line: str) -> None:
    listen(Building(target, line))
