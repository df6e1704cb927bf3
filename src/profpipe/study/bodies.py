"""Request bodies and feeders, which are files: read with the study file, so that a run never looks for one."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from profpipe.study.requests import Route
from profpipe.study.schema import LoadPlan, Study, StudyFile
from profpipe.study.setup import SetUpRequest

SIZE_LIMIT = 16 << 20
WithBody = TypeVar("WithBody", Route, SetUpRequest)


def body_bytes(body: str) -> bytes:
    """The bytes of a request body; those of a file come back as they were, UTF-8 or not."""
    return body.encode("utf-8", "surrogateescape")


def why_no_body(root: Path, name: str) -> str | None:
    """Why this file cannot be a body, in words; None when it can."""
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()):
        return f"{name} is outside the folder of this file; a body stays inside it"
    if not path.is_file():
        return f"no such file: {name} (relative to this file)"
    size = path.stat().st_size
    if size > SIZE_LIMIT:
        return f"{name} has {size:,} bytes; a request body has {SIZE_LIMIT:,} at most"
    return None


def with_bodies(file: StudyFile, root: Path) -> StudyFile:
    """The file with the content of every `body_file` in place of its `body`. Only for a file without mistakes."""
    return file.model_copy(
        update={
            "load": {name: _plan(plan, root) for name, plan in file.load.items()},
            "study": {name: _study(study, root) for name, study in file.study.items()},
        }
    )


def _study(study: Study, root: Path) -> Study:
    plans = {key: getattr(study, key) for key in ("load", "throughput", "latency")}
    found: dict[str, object] = {key: _plan(plan, root) for key, plan in plans.items() if plan is not None}
    uses = {
        name: use if use.load is None else use.model_copy(update={"load": _plan(use.load, root)})
        for name, use in study.profiler.items()
    }
    return study.model_copy(update={**found, "profiler": uses})


def _plan(plan: LoadPlan, root: Path) -> LoadPlan:
    if plan.feeder is not None:
        plan = plan.model_copy(update={"feeder": plan.feeder.filled(root)})
    if any(step.body_file for step in plan.setup):
        plan = plan.model_copy(update={"setup": tuple(_with_body(step, root) for step in plan.setup)})
    if not any(route.body_file for route in plan.routes):
        return plan
    return plan.asking(tuple(_with_body(route, root) for route in plan.routes))


def _with_body(asked: WithBody, root: Path) -> WithBody:
    if asked.body_file is None:
        return asked
    content = (root / asked.body_file).read_bytes()
    return asked.model_copy(update={"body": content.decode("utf-8", "surrogateescape")})
