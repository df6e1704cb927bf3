"""A profile as columnar JSON and back, and as the readable text that goldens use."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from profpipe.errors import InvalidProfile
from profpipe.model.profile import (
    RUNTIMES,
    Calls,
    Costs,
    Frames,
    Functions,
    Measured,
    Meta,
    Profile,
    Samples,
    Stacks,
    check_profile,
)
from profpipe.units import Metric

SCHEMA = "profpipe.profile/1"


def dump_json(profile: Profile) -> bytes:
    """The whole profile, one list per column, None for unknown. Same profile, same bytes."""
    body: dict[str, Any] = {
        "schema": SCHEMA,
        "kind": profile.kind,
        "metrics": [asdict(m) for m in profile.metrics],
        "meta": asdict(profile.meta),
        "declared": dict(profile.declared),
        "functions": _columns(profile.functions),
        "frames": _columns(profile.frames),
    }
    for name in ("stacks", "samples", "costs", "calls", "measured"):
        table = getattr(profile, name)
        body[name] = None if table is None else _columns(table)
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def load_json(data: bytes, source: str = "profile.json") -> Profile:
    """Read dump_json's bytes back, checked. Raises InvalidProfile naming what is not as it should be."""
    try:
        body = json.loads(data)
        if body.get("schema") != SCHEMA:
            raise InvalidProfile(f"{source}: schema is {body.get('schema')!r}, this version reads {SCHEMA!r}")
        return check_profile(_profile(body))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise InvalidProfile(f"{source}: not a profile as {SCHEMA!r} describes it: {error}") from error


def dump_text(profile: Profile, *, rows: int = 40) -> str:
    """What the profile says, for people: facts, metrics, the largest self values per function."""
    from profpipe.model.derive import function_table

    lines = [f"{profile.kind} profile, format {profile.meta.format}, says {', '.join(sorted(profile.says))}"]
    lines += [f"partial: {profile.meta.partial}"] if profile.meta.partial else []
    lines += [f"warning: {w}" for w in profile.meta.warnings]
    for metric in profile.metrics:
        declared = profile.declared.get(metric.key)
        lines.append(f"{metric.key} [{metric.unit}] self {profile.self_sum(metric.key):,} declared {declared}")
    table = function_table(profile, profile.metrics[0].key)
    table["name"] = profile.functions.name
    for function, row in table.sort_values(["self", "name"], ascending=[False, True]).head(rows).iterrows():
        f, i = profile.functions, int(str(function))
        where = ":".join(part for part in (f.object[i].rsplit("/", 1)[-1], f.file[i], f.name[i]) if part)
        lines.append(f"{row['self']:>16,} {row['total']!s:>16} {row['calls']!s:>10} {RUNTIMES[f.runtime[i]]} {where}")
    return "\n".join(lines) + "\n"


def _columns(table: Any) -> dict[str, Any]:
    return {name: _plain(getattr(table, name)) for name in table.__dataclass_fields__}


def _plain(column: Any) -> Any:
    if isinstance(column, np.ndarray):
        return column.tolist()
    if isinstance(column, Mapping):
        return {key: _plain(value) for key, value in column.items()}
    return list(column) if isinstance(column, tuple) else column


def _profile(body: dict[str, Any]) -> Profile:
    functions, frames, meta = body["functions"], body["frames"], body["meta"]
    text = {key: tuple(functions[key]) for key in ("name", "file", "object")}
    stacks, samples, costs, calls, measured = (body[k] for k in ("stacks", "samples", "costs", "calls", "measured"))
    return Profile(
        kind=body["kind"],
        metrics=tuple(Metric(**m) for m in body["metrics"]),
        functions=Functions(
            **text, line=_int32(functions["line"]), runtime=np.array(functions["runtime"], dtype=np.int8)
        ),
        frames=Frames(
            function=_int32(frames["function"]),
            level=_int32(frames["level"]),
            file=None if frames["file"] is None else tuple(frames["file"]),
            line=None if frames["line"] is None else _int32(frames["line"]),
        ),
        meta=Meta(**{**meta, "threads": tuple(meta["threads"]), "warnings": tuple(meta["warnings"])}),
        stacks=stacks and Stacks(_int32(stacks["parent"]), _int32(stacks["frame"])),
        samples=samples and _samples(samples),
        costs=costs and Costs(_int32(costs["frame"]), _values(costs)),
        calls=calls and _calls(calls),
        measured=measured and _measured(measured),
        declared=body["declared"],
    )


def _samples(body: dict[str, Any]) -> Samples:
    return Samples(
        stack=_int32(body["stack"]),
        values=_values(body),
        thread=None if body["thread"] is None else _int32(body["thread"]),
        time=None if body["time"] is None else np.array(body["time"], dtype=np.float64),
    )


def _calls(body: dict[str, Any]) -> Calls:
    return Calls(_int32(body["caller"]), _int32(body["callee"]), _int64(body["calls"]), _values(body), _primitive(body))


def _measured(body: dict[str, Any]) -> Measured:
    return Measured(_int32(body["frame"]), _int64(body["calls"]), _values(body), _primitive(body))


def _primitive(body: dict[str, Any]) -> Any:
    return None if body["primitive_calls"] is None else _int64(body["primitive_calls"])


def _values(body: dict[str, Any]) -> dict[str, Any]:
    return {key: _int64(column) for key, column in body["values"].items()}


def _int32(values: list[int]) -> Any:
    return np.array(values, dtype=np.int32)


def _int64(values: list[int]) -> Any:
    return np.array(values, dtype=np.int64)
