"""What several readers need: JSON that may be cut short, fields by their path, lines by their pattern."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from profpipe.errors import LoadError

Result = TypeVar("Result")
MS, S = 1e3, 1e6  # in microseconds


def json_object(text: str) -> dict[str, Any] | None:
    """The JSON object that the text is, after what a tool may print above it; None where it is none."""
    start = text.find("{")
    if start < 0 or text[:start].strip().startswith("["):
        return None
    try:
        found = json.loads(text[start:])
    except (json.JSONDecodeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def reading(tool: str, read: Callable[[], Result]) -> Result:
    """Call `read`. A key that is missing or a value of another kind becomes a LoadError that names the tool."""
    try:
        return read()
    except KeyError as error:
        raise LoadError(f"this is not what {tool} writes: the key {error} is missing; give its whole result") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise LoadError(f"this is not what {tool} writes: {error}; give its whole result") from error


def need(pattern: re.Pattern[str], text: str, tool: str, line: str) -> re.Match[str]:
    """The line of a tool's text. LoadError, naming the line, where it is missing."""
    found = pattern.search(text)
    if found is None:
        raise LoadError(f"this is not what {tool} prints: no readable line `{line}`; give its whole output")
    return found


def statuses(counts: Mapping[str, Any]) -> tuple[int, dict[str, int]]:
    """Answers by status -> those with a status under 400, and the others as errors. Status 0 = no answer came."""
    good, errors = 0, dict[str, int]()
    for status, many in counts.items():
        if 100 <= int(status) < 400:
            good += int(many)
        elif int(many):
            errors[f"status {status}" if int(status) else "no answer"] = int(many)
    return good, errors


def percentiles(pairs: Iterable[tuple[Any, Any]], unit_us: float) -> tuple[tuple[float, float], ...]:
    """(per cent, value) in the tool's unit -> (per cent, microseconds), without values that the tool does not have."""
    return tuple((float(q), float(value) * unit_us) for q, value in pairs if value is not None)
