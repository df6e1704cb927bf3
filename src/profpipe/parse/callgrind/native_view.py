"""A profile whose functions are split by their callers -> the same with every function once."""

from __future__ import annotations

from dataclasses import replace

from profpipe.model.build import Builder
from profpipe.model.profile import Profile
from profpipe.parse.callgrind.names import with_callers


def by_native_function(profile: Profile, warning: str = "") -> Profile:
    """Undo valgrind's --separate-callers: costs and calls of a function's parts are added up. Linear in the rows."""
    assert profile.costs is not None
    f, frames = profile.functions, profile.frames
    builder = Builder(profile.kind, profile.metrics)
    ids = []
    for i, level in zip(frames.function.tolist(), frames.level.tolist(), strict=True):
        name, _, inner = with_callers(f.name[i])
        function = builder.function(name, f.file[i], f.object[i], int(f.line[i]), int(f.runtime[i]))
        ids.append(builder.frame(function, level=max(level, inner)))
    keys = [metric.key for metric in profile.metrics]
    costs, calls = profile.costs, profile.calls
    for frame, *values in zip(costs.frame.tolist(), *(costs.values[k].tolist() for k in keys), strict=True):
        builder.cost(ids[frame], values)
    if calls is not None:
        ends = (calls.caller.tolist(), calls.callee.tolist(), calls.calls.tolist())
        for caller, callee, many, *values in zip(*ends, *(calls.values[k].tolist() for k in keys), strict=True):
            builder.call(ids[caller], ids[callee], many, values)
    warnings = (*profile.meta.warnings, *([warning] if warning else []))
    return builder.freeze(replace(profile.meta, warnings=warnings), dict(profile.declared))
