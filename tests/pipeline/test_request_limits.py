"""Servers that replace a worker after so many requests are not profiled for more, and the reason is said before."""

from __future__ import annotations

import pytest

from profpipe.pipeline.prepare.request_limits import beyond_limit, requests_asked
from profpipe.study import Study, Target
from profpipe.units import Instrument

GUNICORN = ("gunicorn", "app:app", "--bind", "127.0.0.1:{port}")


def target(*options: str) -> Target:
    return Target(command=(*GUNICORN, *options), language="python")


@pytest.mark.parametrize(
    ("options", "requests", "refused"),
    [
        ((), 10_000, False),
        (("--max-requests", "40"), 39, False),
        (("--max-requests", "40"), 40, True),
        (("--max-requests=40",), 110, True),
        (("--max-requests", "0"), 110, False),
        (("--max-requests", "40", "--max-requests-jitter", "100"), 110, False),
        (("--max-requests", "40", "--workers", "4"), 110, False),
        (("--max-requests", "40", "-w", "2"), 110, True),
        (("--limit-max-requests", "100"), 110, True),
        (("--max-requests", "$LIMIT"), 110, False),
    ],
)
def test_a_run_that_outlives_a_worker_is_refused(options: tuple[str, ...], requests: int, refused: bool) -> None:
    assert (beyond_limit(target(*options), "counted", requests) is not None) == refused


def test_the_reason_names_the_option_and_both_numbers() -> None:
    assert beyond_limit(target("--max-requests=1000"), "traced", 1300) == (
        "its command has --max-requests 1,000, so that a worker ends within a run of 1,300 requests, and a profile of "
        "a worker that is replaced is not whole: leave the option out for the measurement"
    )


@pytest.mark.parametrize("kind", ["clean", "sampled"])
def test_cpu_time_and_samples_go_on_in_the_new_worker(kind: Instrument) -> None:
    assert beyond_limit(target("--max-requests", "40"), kind, 10_000) is None


def test_the_requests_of_a_run_are_known_before_where_the_study_sets_them() -> None:
    load = {"requests": 200, "warmup": 20}
    study = Study.model_validate({"targets": ["a"], "load": load, "profiler": {"callgrind": {"requests": 30}}})
    assert requests_asked(study, "callgrind") == 50
    assert requests_asked(study, "clean") == 220
    assert requests_asked(Study.model_validate({"targets": ["a"]}), "callgrind") is None
