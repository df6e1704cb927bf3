"""Servers that replace a worker, or end, after so many requests: what is counted in a longer run is not whole."""

from __future__ import annotations

import re
from collections.abc import Sequence

from profpipe.study import LoadPlan, Study, Target
from profpipe.units import Instrument

# Options of gunicorn, uvicorn, hypercorn, granian and uWSGI.
_LIMITS = ("--max-requests", "--limit-max-requests")
_MORE = ("--max-requests-jitter", "--limit-max-requests-jitter")
_WORKERS = ("--workers", "-w", "--processes")


def beyond_limit(target: Target, kind: Instrument, requests: int) -> str | None:
    """Why a run of so many requests, warm-up included, cannot be profiled; None where it can, or no limit is known.

    Only what the command says counts, and only a limit that is reached for certain, however the requests are spread
    over the workers. CPU time and samples go on in the new worker.
    """
    limit = _number(target.command, _LIMITS)
    if kind not in ("counted", "traced") or not limit:
        return None
    each = limit + (_number(target.command, _MORE) or 0)
    if requests < each * (_number(target.command, _WORKERS) or 1):
        return None
    option = next(word.partition("=")[0] for word in target.command if word.partition("=")[0] in _LIMITS)
    return (
        f"its command has {option} {limit:,}, so that a worker ends within a run of {requests:,} requests, and a "
        "profile of a worker that is replaced is not whole: leave the option out for the measurement"
    )


def requests_asked(study: Study, name: str) -> int | None:
    """The requests of each run of an instrument, warm-up included, where the study file sets them."""
    use = study.use(name)
    load: LoadPlan = use.load or study.load
    if use.requests is None and (load.mode != "count" or "requests" not in load.model_fields_set):
        return None
    return (use.requests or load.requests) + (load.warmup if "warmup" in load.model_fields_set else 0)


def _number(command: Sequence[str], options: Sequence[str]) -> int | None:
    """The number after one of these options, as `--option 5` or `--option=5`."""
    for word, following in zip(command, (*command[1:], ""), strict=True):
        option, equals, value = word.partition("=")
        if option in options and re.fullmatch(r"\d+", text := value if equals else following):
            return int(text)
    return None
