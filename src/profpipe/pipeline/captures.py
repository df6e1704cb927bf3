"""Captures without a study: their hotspots, a comparison, and their export to another tool's format."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from profpipe import __version__
from profpipe.errors import ProfpipeError, UsageError
from profpipe.units import amount

if TYPE_CHECKING:
    from profpipe.model.parsed import ParsedCapture
    from profpipe.model.profile import Profile
    from profpipe.model.report import Report
    from profpipe.model.run import RunRecord


@dataclass(frozen=True, slots=True)
class Compared:
    """One side of `profpipe compare`. `requests` = what totals are divided by; None when unknown."""

    label: str
    profile: Profile
    requests: int | None


def read_profile(
    paths: Sequence[Path], format: str | None = None, limit: int | None = None, *, convert: bool = False
) -> Profile:
    """The profile of one file, or of several files that are parts of one capture, each of at most `limit` bytes.

    `convert` = recordings that only their own tool reads are converted by it, the only command that this runs.
    """
    from profpipe.parse import parse_files
    from profpipe.parse.convert import parse_converted
    from profpipe.parse.reading import MAX_BYTES

    bound = MAX_BYTES if limit is None else limit
    if convert and len(paths) == 1 and (profile := parse_converted(paths[0], bound)):
        return profile
    return parse_files(paths, format, limit=bound)


def unreadable(record: RunRecord, folder: Path) -> str | None:
    """Why the captures of a valid run cannot be read; None when they can."""
    by_format: dict[str, list[Path]] = {}
    for file in record.captures:
        by_format.setdefault(file.format, []).append(folder / file.path)
    for form, paths in by_format.items():
        try:
            profile = read_profile(paths, form)
        except (ProfpipeError, OSError) as error:
            return f"its capture cannot be read: {error}".replace(f"{folder}/", "")
        if profile.meta.partial:
            return f"its capture is incomplete: {profile.meta.partial}"
    return None


def parsed(profile: Profile, limit: int | None = None) -> ParsedCapture:
    """The output of `profpipe parse FILE --json`: all functions, or the first `limit`."""
    from profpipe.analyse import hotspot_list
    from profpipe.model.parsed import ParsedCapture, ParsedFunction, ParsedMetric

    metrics = tuple(
        ParsedMetric(key=m.key, unit=m.unit, total=profile.self_sum(m.key), declared=profile.declared.get(m.key))
        for m in profile.metrics
    )
    functions = tuple(
        ParsedFunction(
            name=row.function.name,
            file=row.function.file,
            object=row.function.object,
            runtime=row.function.runtime,
            category=row.category,
            self=dict(row.self),
            total=dict(row.total),
            calls=row.calls,
        )
        for row in hotspot_list(profile, limit=limit)
    )
    return ParsedCapture(
        format=profile.meta.format,
        partial=profile.meta.partial,
        warnings=profile.meta.warnings,
        metrics=metrics,
        functions=functions,
    )


def hotspots(profile: Profile, limit: int = 30) -> object:
    """The hotspots as something that rich prints, under a title with the format and the totals."""
    from profpipe.analyse import hotspot_list
    from profpipe.render.terminal.hotspots import render_hotspots

    kind, tool = profile.meta.format, profile.meta.tool or ""
    totals = {m.key: profile.self_sum(m.key) for m in profile.metrics}
    sums = ", ".join(f"{amount(totals[m.key], m.unit)} {m.label}" for m in profile.metrics)
    rows, first = hotspot_list(profile, limit=limit), profile.metrics[0].key
    return render_hotspots(
        rows,
        profile.metrics,
        totals,
        hidden=(len(profile.functions.name) - len(rows), totals[first] - sum(row.self[first] for row in rows)),
        title=f"{tool if tool.split(maxsplit=1)[:1] == [kind] else f'{kind} {tool}'.rstrip()}: {sums}",
    )


def classic(profile: Profile, style: str, limit: int = 30) -> str:
    """The list as the tool of that name style printed it: raw counts of the first metric."""
    from profpipe.analyse import hotspot_list
    from profpipe.analyse.tables.classic_list import classic_place
    from profpipe.reference.registry import NAME_STYLES, name_in_style

    key, name = profile.metrics[0].key, name_in_style(style)
    rows = [
        (row.self[key], classic_place(name(row.function.raw or row.function.name), row.function.file))
        for row in hotspot_list(profile, limit=limit)
    ]
    with NAME_STYLES.blaming(style):
        return NAME_STYLES.get(style).listing(rows, profile.self_sum(key))


def compare(sides: Sequence[Compared]) -> Report:
    """The report of profiles side by side; the first one is the baseline. Raises UsageError for fewer than two.

    Its time is that of the newest capture, so that the same captures give the same bytes.
    """
    from profpipe.analyse import compare_profiles

    if len(sides) < 2:
        raise UsageError("compare needs at least two profiles: profpipe compare BASELINE CONTENDER [...]")
    names = [side.label for side in sides]
    if len(set(names)) != len(names):
        raise UsageError(f"two profiles have the same name ({', '.join(names)}); rename them with --label")
    return compare_profiles(
        [(side.label, side.profile, side.requests) for side in sides],
        created=_newest(side.profile.meta.source for side in sides),
        version=__version__,
    )


def _newest(sources: Iterable[str]) -> str:
    """When the newest of the files was written; $SOURCE_DATE_EPOCH where that is set (reproducible-builds.org)."""
    if (fixed := os.environ.get("SOURCE_DATE_EPOCH", "")).isdigit() and len(fixed) < 12:
        seconds = float(fixed)
    else:
        seconds = max((Path(source).stat().st_mtime for source in sources if Path(source).is_file()), default=0.0)
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def export(profile: Profile, format: str) -> bytes:
    """The profile in another tool's format. Raises Refused when it lacks what that format needs."""
    from profpipe.export import export as write

    return write(profile, format)
