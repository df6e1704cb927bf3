"""One row per function: name, file, object, line, runtime, self and total of every metric, calls.

Unknown is an empty cell, never 0. A text that starts with = + - @, a tab or a carriage return gets a leading ', since
spreadsheets run such cells as formulas (`=HYPERLINK(...)` as a function name); readers that want the raw name strip it.
"""

from __future__ import annotations

import csv
import io
from typing import Any

from profpipe.model.profile import RUNTIMES, Fact, Profile

SUFFIX = ".csv"
NEEDS: frozenset[Fact] = frozenset({"self"})
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def export(profile: Profile) -> bytes:
    """UTF-8, CRLF lines as RFC 4180 has them; rows by self of the first metric, then name."""
    tables = {metric.key: _columns(profile, metric.key) for metric in profile.metrics}
    first = tables[profile.metrics[0].key]
    functions = profile.functions
    order = sorted(range(len(functions.name)), key=lambda i: (-(first["self"][i] or 0), functions.name[i], i))
    out = io.StringIO()
    writer = csv.writer(out)
    header = ["name", "file", "object", "line", "runtime"]
    writer.writerow([*header, *(f"{what}_{key}" for key in tables for what in ("self", "total")), "calls"])
    for i in order:
        texts = [neutral(column[i]) for column in (functions.name, functions.file, functions.object)]
        values = [table[what][i] for table in tables.values() for what in ("self", "total")]
        line = int(functions.line[i]) or None
        writer.writerow([*texts, line, RUNTIMES[int(functions.runtime[i])], *values, first["calls"][i]])
    return out.getvalue().encode(errors="backslashreplace")


def _columns(profile: Profile, key: str) -> dict[str, list[int | None]]:
    """self, total and calls by function id; None = unknown. pandas is loaded here and not before."""
    from profpipe.model.derive import function_table

    table = function_table(profile, key).sort_index()
    return {name: [_plain(value) for value in table[name]] for name in ("self", "total", "calls")}


def _plain(value: Any) -> int | None:
    return None if str(value) == "<NA>" else int(value)  # pandas' NA has no truth value to compare with


def neutral(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
