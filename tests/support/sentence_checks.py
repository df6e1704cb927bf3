"""Every claim of a report's conclusions, computed again from its tables: direction, share, "most", "largest".

A rule without an entry in CHECKS is a fault too, so that no new sentence is left unread.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

from profpipe.analyse.conclusions.conclude import resolve
from profpipe.model.report import Report
from tests.support.sentence_causes import CAUSES
from tests.support.sentence_cautions import CAUTIONS
from tests.support.sentence_figures import Told
from tests.support.sentence_routes import ROUTES
from tests.support.sentence_services import SERVICES
from tests.support.sentence_verdicts import VERDICTS

CHECKS: Mapping[str, Callable[[Told], Iterator[str]]] = {**VERDICTS, **CAUSES, **CAUTIONS, **ROUTES, **SERVICES}


def wrong(report: Report) -> list[str]:
    """What is not as a sentence says, each with the id of its conclusion and the sentence. Empty = all holds."""
    document = json.loads(report.model_dump_json(by_alias=True))
    return [
        f"{conclusion.id}: {fault}\n    {conclusion.text}"
        for conclusion in report.conclusions
        for fault in (
            *(f"{row.path} is not {row.value}" for row in conclusion.rows if resolve(document, row.path) != row.value),
            *_said(Told(report, conclusion)),
        )
    ]


def _said(told: Told) -> Iterator[str]:
    rule = told.conclusion.rule
    if rule not in CHECKS:
        yield f"nothing checks what the rule {rule} says"
        return
    yield from CHECKS[rule](told)
