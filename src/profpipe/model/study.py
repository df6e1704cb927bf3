"""study.json: what was asked and where it ran, beside the runs.

Apart from `run`, which the load client imports and which must stay light: this needs pydantic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from profpipe.model.report import CommitInfo, Sequential
from profpipe.units import Instrument


@dataclass(frozen=True, slots=True)
class VariantFacts:
    """What the report says of a target besides its figures."""

    id: str
    label: str
    language: str
    command: tuple[str, ...]
    cwd: str = "."


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """What was asked and where it ran: study.json of a run folder. Everything a report needs besides the runs.

    `left_out` = (target, reason); `limits` = (profiler, text, variants it speaks of); `kinds` = profiler -> kind of
    instrument; `categories` = the user's own category rules as written in profpipe.toml; `tools` = the profiler behind
    each name of `kinds`; `hypotheses` = (text, categories); `commits` = variant -> the commit it was built from, empty
    where the variants are targets; `sequential` = how rounds were added, once that has ended; `checkout` = the user's
    own folder of that repository, which no profile of a commit may come from. It stays in study.json.
    """

    study: str
    question: str
    baseline: str
    variants: tuple[VariantFacts, ...]
    rounds: int
    load: str
    placement: str
    command: str
    created: str
    profpipe: str
    kinds: Mapping[str, Instrument]
    environment: Mapping[str, str]
    left_out: tuple[tuple[str, str], ...] = ()
    limits: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    categories: tuple[Mapping[str, object], ...] = ()
    planned_runs: int = 0
    tools: Mapping[str, str] = field(default_factory=dict)
    hypotheses: tuple[tuple[str, tuple[str, ...]], ...] = ()
    reference: str = ""
    name_style: str = ""
    commits: Mapping[str, CommitInfo] = field(default_factory=dict)
    sequential: Sequential | None = None
    checkout: str = ""
