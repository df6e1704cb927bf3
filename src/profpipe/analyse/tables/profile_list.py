"""The hotspot list of one profile, as `profpipe parse` prints it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profpipe.analyse.names.categories import Categories, categories
from profpipe.analyse.names.demangle import normal_name
from profpipe.analyse.names.levels import levels_of, place
from profpipe.analyse.names.source_paths import base_name
from profpipe.model.derive import columns_of_metrics
from profpipe.model.profile import RUNTIMES, Profile


@dataclass(frozen=True, slots=True)
class ListedFunction:
    """What a function is called; `raw` is the name that the profiler wrote where it is another."""

    name: str
    file: str
    object: str
    runtime: str
    raw: str | None


@dataclass(frozen=True, slots=True)
class HotspotRow:
    """One function of a profile. Values are raw counts; an unknown total is None, with the reason in `why`."""

    function: ListedFunction
    category: str
    self: Mapping[str, int]
    total: Mapping[str, int | None]
    why: Mapping[str, str]
    calls: int | None


def hotspot_list(profile: Profile, metric: str | None = None, limit: int | None = None) -> list[HotspotRow]:
    """All functions or the first `limit`, ordered by self of `metric` (the first one when None), then by name.

    Raises InvalidProfile for a metric the profile does not have. Names are normalised, functions are not merged: the
    sum of self over all functions is the profile's.
    """
    order = profile.metric(metric).key if metric is not None else profile.metrics[0].key
    columns = columns_of_metrics(profile)
    counted = columns[profile.metrics[0].key].calls
    levels = levels_of(profile)
    rules, unknown = categories(), _why(profile)
    rows: list[HotspotRow] = []
    for i in _largest(columns[order].own, limit):
        function, category = _name(profile, i, levels, rules)
        total = {key: int(c.total[i]) if c.known[i] else None for key, c in columns.items()}
        row = HotspotRow(
            function=function,
            category=category,
            self={key: int(c.own[i]) for key, c in columns.items()},
            total=total,
            why={key: unknown for key, value in total.items() if value is None},
            calls=None if counted is None else int(counted[i]),
        )
        rows.append(row)
    return sorted(rows, key=lambda row: (-row.self[order], row.function.name, row.function.file))[:limit]


def _largest(own: NDArray[np.int64], limit: int | None) -> list[int]:
    """The ids of the `limit` largest values and of all that are equal to the smallest of these.

    Names are worked out for these alone: of 28,000 functions 30 are printed.
    """
    if limit is None or limit >= len(own):
        return list(range(len(own)))
    least = np.partition(own, len(own) - limit)[len(own) - limit]
    found: list[int] = np.flatnonzero(own >= least).tolist()
    return found


def _why(profile: Profile) -> str:
    if profile.measured is not None:
        return "the tool measured no total for it"
    if profile.calls is None and profile.stacks is None:
        return "the capture has neither stacks nor calls"
    return "recursion: the capture does not tell its levels apart"


def _name(profile: Profile, function: int, levels: frozenset[str], rules: Categories) -> tuple[ListedFunction, str]:
    """Name and category of a function of a profile with these levels."""
    f = profile.functions
    raw, file, object_, runtime = f.name[function], f.file[function], f.object[function], int(f.runtime[function])
    source, binary, level = place(file, object_, runtime, levels)
    name = normal_name(raw, binary, level)
    shown = ListedFunction(
        name=name,
        file=file,
        object=object_,
        runtime=RUNTIMES[runtime],
        raw=raw if raw != name else None,
    )
    return shown, rules.of(name, base_name(binary), source, level)
