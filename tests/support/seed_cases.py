"""The study `seed` from two stored captures of the real servers, 5,000 requests each, taken for two rounds."""

from __future__ import annotations

import gzip
from functools import cache
from typing import Any

from profpipe.analyse import RunData, StudyData, build_report
from profpipe.model.profile import Profile
from profpipe.model.report import Hypothesis, Report
from profpipe.reference.post2018.names import cargo_profiler_name
from profpipe.reference.registry import set_beside
from tests.support.analyse_cases import load, record
from tests.support.paths import DATA
from tests.support.study_facts import study_data

CAPTURES = DATA / "callgrind"
REQUESTS = 5000
FUTURE, MAY = "hyper011-future", "hyper010-may"
LABELS = {FUTURE: "hyper 0.11.12 on futures", MAY: "hyper 0.10 on may coroutines"}
HYPOTHESES = (
    Hypothesis(text="the cost of switching coroutines", categories=("context-switch",)),
    Hypothesis(text="a less optimised way to write the response", categories=("format", "buffered-write", "date-time")),
)


@cache
def capture(name: str) -> Profile:
    from profpipe.parse.callgrind import parse

    with gzip.open(CAPTURES / f"{name}.out.gz") as raw:
        return parse(raw, f"{name}.out")  # type: ignore[arg-type]


def run(variant: str, profiler: str = "callgrind", number: int = 1, profile: str = "", **more: Any) -> RunData:
    facts = {
        "study": "seed",
        "command": (f"target/release/{variant}", "--port", "{port}"),
        "load": load(REQUESTS, 10.0),
        **more,
    }
    return RunData(record(variant, profiler, number, **facts), (capture(profile or f"{variant}-5000"),))


def seed_study(*runs: RunData, **more: Any) -> StudyData:
    facts: dict[str, Any] = {
        "study": "seed",
        "question": "Why?",
        "kinds": {"callgrind": "counted"},
        "rounds": 2,
        "labels": LABELS,
        "languages": {FUTURE: "native", MAY: "native"},
        "command": "profpipe run seed",
        "environment": {"CPU": "a test", "valgrind": "3.19.0", "wrk": "absent", f"crates of {MAY}": "hyper 0.10.16"},
        "created": "2026-11-23T12:00:00Z",
        "profpipe": "0.1.0",
        "hypotheses": HYPOTHESES,
        "classic_name": cargo_profiler_name,
    }
    variants = more.pop("variants", (FUTURE, MAY))
    rounds = [run(variant, number=number) for number in (1, 2) for variant in (FUTURE, MAY)]
    return study_data(runs or rounds, variants, **(facts | more))


def beside_post(study: StudyData) -> Report:
    return set_beside(build_report(study), "post-2018")


@cache
def seed_report() -> Report:
    return beside_post(seed_study())
