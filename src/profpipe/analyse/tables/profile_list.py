"""The hotspot list of one profile, as `profpipe parse` prints it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from profpipe.analyse.names.categories import categories
from profpipe.analyse.names.demangle import normal_name
from profpipe.analyse.names.source_paths import base_name, python_place
from profpipe.model.derive import FunctionColumns, function_columns
from profpipe.model.profile import PYTHON, RUNTIMES, Profile
from profpipe.model.report import FunctionName


@dataclass(frozen=True, slots=True)
class HotspotRow:
    """One function of a profile. Values are raw counts of the capture; a total that is unknown is None, with why."""

    function: FunctionName
    category: str
    self: Mapping[str, int]
    total: Mapping[str, int | None]
    why: Mapping[str, str]
    calls: int | None


def hotspot_list(profile: Profile, metric: str | None = None) -> list[HotspotRow]:
    """All functions, ordered by self of `metric` (the first one when None), then by name.

    Raises InvalidProfile for a metric the profile does not have. Names are normalised, functions are not merged: the
    sum of self is the profile's.
    """
    order = profile.metric(metric).key if metric is not None else profile.metrics[0].key
    keys = [m.key for m in profile.metrics]
    columns = {key: function_columns(profile, key) for key in keys}
    own = {key: columns[key].own.tolist() for key in keys}
    total = {key: _totals(columns[key]) for key in keys}
    counted = columns[keys[0]].calls
    calls = [None] * len(profile.functions.name) if counted is None else counted.tolist()
    names = _names(profile)
    rows = [
        HotspotRow(
            function=names[i][0],
            category=names[i][1],
            self={key: own[key][i] for key in keys},
            total={key: total[key][i] for key in keys},
            why={key: _why(profile) for key in keys if total[key][i] is None},
            calls=calls[i],
        )
        for i in range(len(names))
    ]
    return sorted(rows, key=lambda row: (-row.self[order], row.function.name, row.function.file))


def _totals(columns: FunctionColumns) -> list[int | None]:
    return [
        value if known else None for value, known in zip(columns.total.tolist(), columns.known.tolist(), strict=True)
    ]


def _why(profile: Profile) -> str:
    if profile.measured is not None:
        return "the tool measured no total for it"
    if profile.calls is None and profile.stacks is None:
        return "the capture has neither stacks nor calls"
    return "recursion: the capture does not tell its levels apart"


def _names(profile: Profile) -> list[tuple[FunctionName, str]]:
    rules = categories()
    f = profile.functions
    inside = bool((f.runtime == PYTHON).any())
    out = []
    for raw, file, object_, runtime in zip(f.name, f.file, f.object, f.runtime.tolist(), strict=True):
        source, binary, level = python_place(file, object_, runtime, inside)
        level = level or RUNTIMES[runtime]
        name = normal_name(raw, binary, "python" if level == "python" else "")
        function = FunctionName(
            name=name,
            file=file,
            object=object_,
            runtime=RUNTIMES[runtime],
            raw=(raw,) if raw != name else (),
        )
        out.append((function, rules.of(name, base_name(binary), source, level)))
    return out
