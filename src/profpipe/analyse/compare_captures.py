"""Profiles side by side without a study: one capture each; what these cannot tell is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from profpipe.analyse.names.go_packages import is_go
from profpipe.analyse.names.java_names import is_java
from profpipe.analyse.names.js_scripts import is_js
from profpipe.analyse.names.source_paths import base_name
from profpipe.analyse.report import build_report
from profpipe.analyse.study_data import RunData, StudyData
from profpipe.errors import Refused
from profpipe.model.profile import PYTHON, Profile
from profpipe.model.report import Limit, Report
from profpipe.model.run import LoadResult, RunRecord
from profpipe.model.study import StudyRecord, VariantFacts

Labelled = tuple[str, Profile, int | None]


def compare_profiles(sides: Sequence[Labelled], *, created: str = "", version: str = "") -> Report:
    """The report of captures side by side: (label, profile, served requests or None); the first is the baseline.

    One capture each says what it costs and calls no difference, for it has no repeat. Unless every capture has its
    count of requests, costs are per capture and labelled so. Raises Refused when the first metrics differ.
    """
    first = sides[0][1]
    for label, profile, _ in sides:
        _comparable(sides[0][0], first, label, profile)
    per: Literal["request", "capture"] = "request" if all(requests for _, _, requests in sides) else "capture"
    labels = [label for label, _, _ in sides]
    tool = first.meta.format
    program = _program([profile for _, profile, _ in sides])
    limits = [*_limits(first, per), *([_ALIGNED.format(program)] if program else [])]
    return build_report(
        StudyData(
            record=StudyRecord(
                study="compare",
                question="",
                baseline=labels[0],
                variants=tuple(VariantFacts(label, label, _language(profile), ()) for label, profile, _ in sides),
                rounds=1,
                load="" if per == "request" else "not known: costs are per capture, not per request",
                placement="",
                command="profpipe compare " + " ".join(labels),
                created=created,
                profpipe=version,
                kinds={tool: first.kind},
                environment={},
                limits=tuple(Limit(profiler=tool, text=text) for text in limits),
            ),
            runs=tuple(_run(label, profile, requests, tool, i) for i, (label, profile, requests) in enumerate(sides)),
            per=per,
            same_program=bool(program),
        )
    )


_ALIGNED = (
    "All captures are of {}: functions that only one of them has were looked for in the others under other names, as "
    "between two commits."
)


def _program(profiles: Sequence[Profile]) -> str:
    """The program all captures are of: the base name of the object that their command starts; "" when they differ.

    An interpreter is no program: its scripts, the first ones that each command names, must be called the same.
    """
    found = set()
    for profile in profiles:
        names = [base_name(part) for part in profile.meta.command.split() if not part.startswith("-")]
        scripts = [name for name in names if name.endswith(".py")]
        objects = {base_name(object_) for object_ in profile.functions.object}
        found.add(scripts[0] if scripts else names[0] if names and names[0] in objects else "")
    return found.pop() if len(found) == 1 else ""


def _comparable(base: str, first: Profile, label: str, profile: Profile) -> None:
    a, b = first.metrics[0], profile.metrics[0]
    if (a.key, a.unit) != (b.key, b.unit):
        raise Refused(
            f"{label} counts {b.label} ({b.unit}), {base} counts {a.label} ({a.unit}): captures are compared only in "
            "the same metric and unit"
        )


def _language(profile: Profile) -> str:
    if (profile.functions.runtime == PYTHON).any():
        return "python"
    if is_go(profile):
        return "go"
    if is_js(profile):
        return "node"
    if is_java(profile):
        return "jvm"
    return "python" if any("libpython" in o for o in profile.functions.object) else "native"


def _limits(profile: Profile, per: str) -> list[str]:
    out = ["One capture each: the noise between repeats was not measured, so no difference is called better or worse."]
    if per == "capture":
        out.append("No count of requests: costs are per capture, and a longer capture costs more.")
    if profile.kind == "sampled":
        out.append("Sampled once: how often a function was met depends on chance. Repeat the captures in a study.")
    return out


def _run(label: str, profile: Profile, requests: int | None, tool: str, order: int) -> RunData:
    load = None
    if requests:
        load = LoadResult(
            tool="", version="", command=(), loop="closed", correction="none", connections=0, threads=0,
            served=requests, seconds=0.0,
        )  # fmt: skip
    record = RunRecord(
        study="compare",
        variant=label,
        profiler=tool,
        round=1,
        order=order + 1,
        command=tuple(profile.meta.command.split()),
        started="",
        load=load,
    )
    return RunData(record, (profile,))
