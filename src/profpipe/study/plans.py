"""The loads of a study as they are meant: what one leaves out is that of the plan it names, or of the study's load.

`load = { plan = "NAME" }` starts from [load.NAME]; the load of a profiler without a plan starts from the study's load,
so that `profiler.callgrind.load.timeout = 300` changes the time-out alone. The requests of every load, and
its set-up and feeder, are the study's where neither the load nor its plan has one.
"""

from __future__ import annotations

from collections.abc import Mapping

from profpipe.study.schema import LoadPlan, Study, StudyFile

# Keys that say nothing in a mode, so that a load of that mode does not take them over from one of another mode.
UNUSED = {"count": {"rate", "duration"}, "rate": {"requests"}, "closed": {"requests", "rate"}}

# What belongs to the requests of a load, and goes with them.
OF_REQUESTS = ("request_", "setup", "feeder")


def with_plans(file: StudyFile) -> StudyFile:
    """The file with every named plan filled in. A name that does not exist is left to the checks."""
    return file.model_copy(update={"study": {name: _study(study, file.load) for name, study in file.study.items()}})


def _study(study: Study, named: Mapping[str, LoadPlan]) -> Study:
    load = _named(study.load, named)
    others = {key: _of_study(getattr(study, key), load, named, whole=False) for key in ("throughput", "latency")}
    uses = {
        name: use.model_copy(update={"load": _of_study(use.load, load, named, whole=True)})
        for name, use in study.profiler.items()
    }
    return study.model_copy(update={"load": load, **others, "profiler": uses})


def _of_study(plan: LoadPlan | None, load: LoadPlan, named: Mapping[str, LoadPlan], *, whole: bool) -> LoadPlan | None:
    """`plan` with what it has of the study's load: all of it (`whole`, and it names no plan), or the request."""
    if plan is None:
        return None
    if plan.plan is None and whole:
        kept = {key: getattr(load, key) for key in load.model_fields_set - UNUSED[_mode(plan, load)] - {"plan"}}
        return _over(LoadPlan().model_copy(update=kept), plan)
    found = _named(plan, named)
    missing = set(OF_REQUESTS) & load.model_fields_set and "request_" not in found.model_fields_set
    return found.model_copy(update={key: getattr(load, key) for key in OF_REQUESTS}) if missing else found


def _mode(plan: LoadPlan, load: LoadPlan) -> str:
    return plan.mode if "mode" in plan.model_fields_set else load.mode


def _named(plan: LoadPlan, named: Mapping[str, LoadPlan]) -> LoadPlan:
    base = named.get(plan.plan) if plan.plan is not None else None
    return plan if base is None else _over(base, plan)


def _over(base: LoadPlan, plan: LoadPlan) -> LoadPlan:
    """`base` with the keys of `plan`, and of its request only those that are set; several requests replace it."""
    own = {key: getattr(plan, key) for key in plan.model_fields_set}
    if "request_" in own and not plan.routes and not base.routes:
        request = {key: getattr(plan.request, key) for key in plan.request.model_fields_set}
        own["request_"] = base.request.model_copy(update=request)
    return base.model_copy(update=own)
