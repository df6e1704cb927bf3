"""Profiles without a study: the hotspot list of a file, files side by side, files in another tool's format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from profpipe.errors import UsageError
from profpipe.model.profile import Profile
from profpipe.model.report import Report

PARSE_SCHEMA = "profpipe.parse/1"


@dataclass(frozen=True, slots=True)
class Compared:
    """One side of `profpipe compare`: a name, the profile, and the requests it is divided by, if known."""

    label: str
    profile: Profile
    requests: int | None


def read_profile(paths: Sequence[Path], format: str | None = None) -> Profile:
    """One profile from one file, or from the parts of one capture."""
    from profpipe.parse import parse_file, parse_files

    return parse_file(paths[0], format) if len(paths) == 1 else parse_files(paths, format)


def hotspots_json(profile: Profile, limit: int | None = None) -> dict[str, Any]:
    """The machine contract of `profpipe parse FILE --json`; its schema is profpipe/model/parse.schema.json."""
    from profpipe.analyse import hotspot_list

    rows = hotspot_list(profile)
    return {
        "schema": PARSE_SCHEMA,
        "format": profile.meta.format,
        "partial": profile.meta.partial,
        "warnings": list(profile.meta.warnings),
        "metrics": [
            {
                "key": m.key,
                "unit": m.unit,
                "total": profile.self_sum(m.key),
                "declared": profile.declared.get(m.key),
            }
            for m in profile.metrics
        ],
        "functions": [
            {
                "name": row.function.name,
                "file": row.function.file,
                "object": row.function.object,
                "runtime": row.function.runtime,
                "category": row.category,
                "self": dict(row.self),
                "total": dict(row.total),
                "calls": row.calls,
            }
            for row in (rows if limit is None else rows[:limit])
        ],
    }


def compare(sides: Sequence[Compared]) -> Report:
    """The report of profiles side by side; the first one is the baseline. Raises UsageError for fewer than two."""
    from profpipe.analyse import compare_profiles

    if len(sides) < 2:
        raise UsageError("compare needs at least two profiles: profpipe compare BASELINE CONTENDER [...]")
    names = [side.label for side in sides]
    if len(set(names)) != len(names):
        raise UsageError(f"two profiles are called {names}; name them apart with --label")
    return compare_profiles([(side.label, side.profile, side.requests) for side in sides])


def export(profile: Profile, format: str) -> bytes:
    """The profile in another tool's format. Raises Refused when it does not hold what that format needs."""
    from profpipe.export import export as write

    return write(profile, format)
