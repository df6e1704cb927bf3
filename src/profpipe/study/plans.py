"""Load plans by name: `load = { plan = "NAME" }` starts from [load.NAME]; the other keys override it."""

from __future__ import annotations

from collections.abc import Mapping

from profpipe.study.schema import LoadPlan, Study, StudyFile


def with_plans(file: StudyFile) -> StudyFile:
    """The file with every named plan filled in. A name that does not exist is left to the checks."""
    return file.model_copy(update={"study": {name: _study(study, file.load) for name, study in file.study.items()}})


def _study(study: Study, named: Mapping[str, LoadPlan]) -> Study:
    plans = {key: _plan(getattr(study, key), named) for key in ("load", "throughput", "latency")}
    uses = {name: use.model_copy(update={"load": _plan(use.load, named)}) for name, use in study.profiler.items()}
    return study.model_copy(update={**plans, "profiler": uses})


def _plan(plan: LoadPlan | None, named: Mapping[str, LoadPlan]) -> LoadPlan | None:
    base = named.get(plan.plan) if plan is not None and plan.plan is not None else None
    if plan is None or base is None:
        return plan
    own = {key: getattr(plan, key) for key in plan.model_fields_set}
    return base.model_copy(update=own)
