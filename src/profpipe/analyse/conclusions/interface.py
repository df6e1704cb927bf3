"""What a rule is: a function from the figures of a report to sentences, each with the rows it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from profpipe.analyse.conclusions.facts import Facts
from profpipe.model.report import Conclusion


class Rule(Protocol):
    """One rule. The functions of the registry are rules; other packages name theirs in `profpipe.rules`.

    A rule reads nothing but the report, so that conclusions can be computed again from report.json. It concludes
    nothing from a figure that is unknown or from a comparison whose verdict is "cannot tell".
    """

    def __call__(self, facts: Facts) -> Iterator[Conclusion]:
        """The conclusions of this rule, made by `facts.conclusion`; none when it has nothing to say.

        Their `weight` places them among the others: `registry.WEIGHTS` has those of the built-in rules.
        """
