"""post.toml + a report -> one row per statement of the post: the statement, our figure, and whether it holds."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from profpipe.analyse.conclusions.facts import Facts
from profpipe.analyse.statistics.series import rounded
from profpipe.load.wrk.text import parse_wrk_text
from profpipe.model.report import Report, SeedRow
from profpipe.model.run import LoadResult
from profpipe.reference.post2018 import fairness, method, results
from profpipe.reference.post2018.answer import Given, Row, Rule

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


class Post2018:
    """The post as a PublishedStudy. `related` is our study of the post's P.S."""

    title = "The post of 2018, line by line"
    about = "This study redoes one that was published in 2018."
    related = "seed-fairness"

    def rows(self, report: Report, related: Report | None) -> tuple[SeedRow, ...]:
        """One row per statement of the post."""
        facts, given = Facts(report), Given(pasted_loads(), related)
        return tuple(_answered(row, facts, given) for row in _post()["row"])


@cache
def pasted_loads() -> Mapping[str, LoadResult]:
    """The wrk output that the post shows, read, by the name of its table."""
    return {table["name"]: parse_wrk_text(table["text"]) for table in _post()["table"]}


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


@cache
def _post() -> dict[str, Any]:
    return tomllib.loads(files("profpipe.reference.post2018").joinpath("post.toml").read_text(encoding="utf-8"))
