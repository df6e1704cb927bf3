"""`profpipe-accepted.toml`, beside profpipe.toml: the regressions that somebody accepted, each with its reason."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

from pydantic import Field, ValidationError

from profpipe import store
from profpipe.errors import ConfigError, first_fault
from profpipe.model.accepted import Accepted
from profpipe.model.figure import Part

FILE_NAME = "profpipe-accepted.toml"
SIZE_LIMIT = 1 << 20
HEAD = (
    "# Regressions that were accepted. `profpipe accept` adds entries. An entry counts in the change that adds it,\n"
    "# or, with `until`, in every change up to that day.\n"
)


class _File(Part):
    accepted: tuple[Accepted, ...] = Field(())


def read_accepted(folder: Path) -> tuple[Accepted, ...]:
    """The entries of the file in a folder, () without one. Raises ConfigError naming the first mistake."""
    path = folder / FILE_NAME
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(raw) > SIZE_LIMIT:
        raise ConfigError(f"{path}: is larger than {SIZE_LIMIT:,} bytes")
    try:
        return _File.model_validate(tomllib.loads(raw.decode())).accepted
    except ValidationError as error:
        raise ConfigError(f"{path}: {first_fault(error)}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error


def accepted_here(before: Path, after: Path, study: str, today: date | None = None) -> tuple[Accepted, ...]:
    """The entries of a study that count between two checkouts of the study file's folder.

    An entry without `until` that `before` has too was accepted for an earlier change. Raises ConfigError for a file
    of `after` that cannot be read; one of `before` is that commit's mistake and has no entries.
    """
    day = today or datetime.now(UTC).date()
    try:
        old = read_accepted(before)
    except ConfigError:
        old = ()
    return tuple(
        entry
        for entry in read_accepted(after)
        if entry.study == study and (entry.until >= day if entry.until is not None else entry not in old)
    )


def add_accepted(folder: Path, entries: tuple[Accepted, ...]) -> Path:
    """Append entries to the file of a folder, and return its path. Raises ConfigError for a file with a mistake."""
    read_accepted(folder)
    path = folder / FILE_NAME
    text = path.read_text(encoding="utf-8").rstrip("\n") + "\n" if path.exists() else HEAD
    store.write_whole(path, text + "".join(map(_entry, entries)))
    return path


def _entry(entry: Accepted) -> str:
    """One table. A JSON string is a basic string of TOML once DEL, which JSON leaves as it is, is escaped too."""

    def quoted(value: str) -> str:
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")

    lines = ["", "[[accepted]]"]
    lines += [f"{key} = {quoted(getattr(entry, key))}" for key in ("study", "metric", "reason", "author")]
    lines.append(f"at_most = {entry.at_most!r}")
    if entry.until is not None:
        lines.append(f"until = {entry.until.isoformat()}")
    return "\n".join(lines) + "\n"
