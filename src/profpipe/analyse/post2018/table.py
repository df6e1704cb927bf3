"""post.toml + a report -> the table: what the post said, what we measured, and whether it holds."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from profpipe.analyse.conclusions.facts import Facts
from profpipe.analyse.post2018 import fairness, method, results
from profpipe.analyse.post2018.answer import Given, Row, Rule
from profpipe.analyse.statistics.medians import rounded
from profpipe.model.report import Report, SeedRow
from profpipe.model.run import LoadResult

# The study that measures the post's P.S.; its newest report stands in the table beside the tables of the post.
OTHER_STUDY = "seed-fairness"

RULES: Mapping[str, Rule] = {
    "question": results.question,
    "tools": method.tools,
    "saved": method.saved,
    "ready": method.ready,
    "symbols": method.symbols,
    "command": method.command,
    "load": method.load,
    "lists": method.lists,
    "function": results.function,
    "largest": results.largest,
    "copies": results.copies,
    "shares": results.shares,
    "switches": results.switches,
    "per_request": results.per_request,
    "fairness": fairness.fairness,
    "pasted": fairness.pasted,
    "ratios": fairness.ratios,
    "arithmetic": fairness.arithmetic,
    "environment": method.environment,
    "crates": method.crates,
}


def seed_table(report: Report, loads: Mapping[str, LoadResult], other: Report | None = None) -> tuple[SeedRow, ...]:
    """One row per statement of the post. `loads` = its wrk tables as read, by name; `other` = a report of OTHER_STUDY.

    Whatever the report does not hold is "not measured" with the reason.
    """
    facts, given = Facts(report), Given(loads, other)
    return tuple(_answered(row, facts, given) for row in _post()["row"])


def pasted_texts() -> dict[str, str]:
    """The wrk output that the post shows, by the name of its table."""
    return {table["name"]: table["text"] for table in _post()["table"]}


def _answered(row: Row, facts: Facts, given: Given) -> SeedRow:
    answer = RULES[row["rule"]](row, facts, given)
    return SeedRow(
        number=row["number"],
        what=row["what"],
        post=row["post"],
        ours=answer.ours,
        value=None if answer.value is None else rounded(answer.value, 6),
        verdict=answer.verdict,
        why=answer.why,
    )


@lru_cache(maxsize=1)
def _post() -> dict[str, Any]:
    return tomllib.loads(files("profpipe.analyse.post2018").joinpath("post.toml").read_text(encoding="utf-8"))
