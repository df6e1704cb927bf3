"""profpipe.toml, read once: a frozen StudyFile, or every mistake in it at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from profpipe.errors import ConfigError
from profpipe.study.bodies import with_bodies
from profpipe.study.checks import Known, check_file
from profpipe.study.find import PYPROJECT
from profpipe.study.https import with_authorities
from profpipe.study.mistakes import Mistake, dotted, place_in, shape_mistakes
from profpipe.study.plans import with_plans
from profpipe.study.positions import KeyPath, Position, nearest_position, positions
from profpipe.study.requests import ONE, SEVERAL
from profpipe.study.schema import StudyFile
from profpipe.study.services import with_services

SIZE_LIMIT = 1 << 20
# Values for missing required keys while the rest of the table is checked: every check accepts them.
_STAND_INS: Mapping[str, object] = {
    "command": ("{port}",),
    "targets": ("x",),
    "category": "x",
    "match": ("*",),
    "text": "x",
    "categories": ("x",),
    "name": "x",
}
# A key with a mistake -> the keys of its table that cannot be checked without it.
_JUDGED_BY: Mapping[str, frozenset[str]] = {
    "targets": frozenset({"targets", "baseline"}),
    "profilers": frozenset({"profilers", "profiler"}),
    "mode": frozenset({"mode", "rate", "requests", "duration"}),
    "rate": frozenset({"rate", "mode"}),
    "port": frozenset({"port", "command"}),
    "env": frozenset({"env", "command"}),
    "ready": frozenset({"ready", "command"}),
    "services": frozenset({"services", "command", "env"}),
    "match": frozenset({"match", "examples"}),
}


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """A study file without mistakes. `root` is the folder its paths are relative to."""

    path: Path
    root: Path
    file: StudyFile
    positions: Mapping[KeyPath, Position]

    def where(self, *path: str | int) -> str:
        """`profpipe.toml:8:1`, for later messages about the effect of a key."""
        line, col = nearest_position(self.positions, path)
        return f"{_shown(self.path)}:{line}:{col}"


def read_study_file(
    path: Path,
    *,
    profilers: Collection[str] = (),
    generators: Collection[str] = (),
    categories: Collection[str] = (),
    references: Collection[str] = (),
    name_styles: Collection[str] = (),
) -> LoadedFile:
    """The study file at `path`, or the [tool.profpipe] table of a pyproject.toml.

    The names in the file must be among the names given; an empty collection skips that check. Raises ConfigError with
    one `file:line:col: key: text` line per mistake, all of them, in the file's order.
    """
    path = path.absolute()
    text = _text(path)
    data: Any = _tuples(_toml(path, text))
    places = positions(text)
    prefix: KeyPath = ()
    if path.name == PYPROJECT:
        prefix = ("tool", "profpipe")
        tools = _table(data, "tool")
        if "profpipe" not in tools:
            raise ConfigError(f"{_shown(path)}: no [tool.profpipe] table")
        data = tools["profpipe"]
        places = {key[2:]: place for key, place in places.items() if key[:2] == prefix}
    known = Known(
        profilers=profilers,
        generators=generators,
        categories=categories,
        references=references,
        name_styles=name_styles,
        targets=tuple(_table(data, "target")),
    )
    file, mistakes, broken = _validated(data)
    file = with_plans(file)
    mistakes += [found for found in check_file(file, path.parent, known) if not _follows(found.path, broken)]
    if mistakes:
        raise ConfigError(_lines(path, places, prefix, mistakes))
    return LoadedFile(path, path.parent, _whole(file, path.parent), places)


def _whole(file: StudyFile, root: Path) -> StudyFile:
    """The file with what it names in its place: bodies, authorities, services."""
    return with_services(with_authorities(with_bodies(file, root), root), root)


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{_shown(path)}: cannot be read: {error.strerror}") from error
    if len(raw) > SIZE_LIMIT:
        raise ConfigError(
            f"{_shown(path)}: {len(raw):,} bytes are too many for a study file; the limit is {SIZE_LIMIT:,}"
        )
    try:
        # Universal newlines: a CR in front of every LF must not count as a column.
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{_shown(path)}:{line}:1: not UTF-8 (byte 0x{raw[error.start]:02x})") from error


def _toml(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ConfigError(f"{_shown(path)}: nested too deep") from error
    except ValueError as error:
        message = str(error)
        place = re.search(r" \(at line (\d+), column (\d+)\)$", message)
        if place:
            line, col = int(place[1]), int(place[2])
        else:  # "at end of document", or a number too long for Python
            line, col = text.count("\n") + 1, len(text) - text.rfind("\n")
        what = re.sub(r" \(at .*\)$", "", message)
        raise ConfigError(f"{_shown(path)}:{line}:{col}: not valid TOML: {what}") from error


def _tuples(value: Any) -> Any:
    """Lists as tuples: types are checked strictly (no "80" for 80, no true for 1), where a list is not a tuple."""
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return value


def _table(data: Any, key: str) -> dict[str, Any]:
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, dict) else {}


def _validated(data: Any) -> tuple[StudyFile, list[Mistake], set[KeyPath]]:
    """The file and no mistakes; or the file without its broken keys, the mistakes, and those keys."""
    try:
        return StudyFile.model_validate(data, strict=True), [], set()
    except ValidationError as error:
        mistakes = list(shape_mistakes(error, data))
        rest = _without(data, error)
        broken: set[KeyPath] = {_without_unions(detail["loc"]) for detail in error.errors(include_url=False)}
    while True:  # ends: every turn removes a key or fills in one of the few required ones
        try:
            return StudyFile.model_validate(rest, strict=True), mistakes, broken
        except ValidationError as error:
            rest = _without(rest, error)


def _follows(path: KeyPath, broken: Iterable[KeyPath]) -> bool:
    """Whether a mistake at `path` only follows from one that is reported already."""
    for place in broken:
        key = [number for number, part in enumerate(place) if isinstance(part, str)][-1]
        table, name = place[:key], str(place[key])
        if len(path) > key and path[:key] == table and path[key] in _JUDGED_BY.get(name, {name}):
            return True
    return False


def _without(data: Any, error: ValidationError) -> Any:
    rest = data
    for detail in error.errors(include_url=False):
        if detail["type"] == "missing":
            key = str(detail["loc"][-1])
            rest = _changed(rest, _without_unions(detail["loc"][:-1]), {key: _STAND_INS[key]})
        else:
            rest = _changed(rest, place_in(data, detail["loc"]), None)
    return rest


def _without_unions(loc: KeyPath) -> KeyPath:
    return tuple(part for part in loc if part not in {ONE, SEVERAL})


def _changed(data: Any, path: KeyPath, more: Mapping[str, object] | None) -> Any:
    """A copy in which the table at `path` has `more`; without more, a copy without the innermost key of `path`."""
    if not path:
        return {**data, **more} if more is not None and isinstance(data, dict) else data
    first, rest = path[0], path[1:]
    if isinstance(data, dict) and first in data:
        inner = data[first]
        if more is None and not any(isinstance(part, str) for part in rest):
            return {key: value for key, value in data.items() if key != first}
        return data | {first: _changed(inner, rest, more)}
    if isinstance(data, tuple) and isinstance(first, int) and first < len(data):
        return (*data[:first], _changed(data[first], rest, more), *data[first + 1 :])
    return data


def _lines(path: Path, places: Mapping[KeyPath, Position], prefix: KeyPath, mistakes: Iterable[Mistake]) -> str:
    placed = [(nearest_position(places, mistake.path), mistake) for mistake in mistakes]
    placed.sort(key=lambda pair: pair[0])
    return "\n".join(
        f"{_shown(path)}:{place.line}:{place.col}: {dotted((*prefix, *mistake.path))}: {mistake.text}"
        for place, mistake in placed
    )


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
