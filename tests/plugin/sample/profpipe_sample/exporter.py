"""A Markdown table of the functions with the most of the first metric."""

from __future__ import annotations

from profpipe.model.derive import function_table
from profpipe.model.profile import Fact, Profile

SUFFIX = ".md"
NEEDS: frozenset[Fact] = frozenset({"self"})
ROWS = 20


def export(profile: Profile) -> bytes:
    """At most ROWS functions, the largest first. Characters that Markdown would take for its own are escaped."""
    metric = profile.metrics[0]
    table = function_table(profile, metric.key).sort_values("self", ascending=False).head(ROWS)
    lines = [f"| function | {metric.label} |", "|---|---:|"]
    lines += [f"| {escaped(profile.functions.name[i])} | {row['self']:,} |" for i, row in table.iterrows()]
    return ("\n".join(lines) + "\n").encode(errors="backslashreplace")


def escaped(name: str) -> str:
    """Names come out of captures and are hostile text."""
    plain = "".join(sign if sign.isprintable() else " " for sign in name)
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]<>|#!~" else sign for sign in plain)
