"""study.json of a run folder: what was asked and where it ran.

Apart from `run`, which the load client imports and which must stay light: this needs pydantic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BeforeValidator

from profpipe.model.accepted import Accepted
from profpipe.model.report import CommitInfo, Dependency, Hypothesis, LeftOut, Limit, Sequential, SlicesRecord
from profpipe.model.trial import TrialRecord
from profpipe.units import Instrument


def _with_names(*names: str) -> BeforeValidator:
    """Reads rows that were stored as plain lists, [profiler, text, variants], as well as rows with names."""

    def read(rows: Any) -> Any:
        if not isinstance(rows, list | tuple):
            return rows
        return [dict(zip(names, row, strict=False)) if isinstance(row, list | tuple) else row for row in rows]

    return BeforeValidator(read)


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

    `kinds` = name of an instrument -> its kind, in the order of the report; `categories` = the user's own category
    rules as written in profpipe.toml; `tools` = the profiler behind each name of `kinds`, where that is another;
    `commits` = variant -> the commit it was built from, empty where the variants are targets; `sequential` = how rounds
    were added, once that has ended; `checkout` = the user's own folder of that repository, which no profile of a commit
    may come from. It stays in study.json. `slices` = how the starts were planned, None where clean runs are rounds.
    `request` = its method and path, empty in folders of earlier versions; `unit` = what a load counts, which costs are
    per. `gate` = the rules that decide whether this
    change fails, as `--fail-on` has them, and `accepted` = the regressions that were accepted for it. `dependencies` =
    the packages whose version differs from the baseline's. `import_names` = import name -> the Python package that has
    it in the servers' environments, where that is called otherwise.
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
    left_out: Annotated[tuple[LeftOut, ...], _with_names("target", "reason")] = ()
    limits: Annotated[tuple[Limit, ...], _with_names("profiler", "text", "variants")] = ()
    categories: tuple[Mapping[str, object], ...] = ()
    planned_runs: int = 0
    tools: Mapping[str, str] = field(default_factory=dict)
    hypotheses: Annotated[tuple[Hypothesis, ...], _with_names("text", "categories")] = ()
    reference: str = ""
    name_style: str = ""
    commits: Mapping[str, CommitInfo] = field(default_factory=dict)
    sequential: Sequential | None = None
    slices: SlicesRecord | None = None
    checkout: str = ""
    request: str = ""
    unit: str = "request"
    gate: tuple[str, ...] = ()
    accepted: tuple[Accepted, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    trial: TrialRecord | None = None
    import_names: Mapping[str, str] = field(default_factory=dict)
