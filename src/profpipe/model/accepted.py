"""A regression that somebody accepted, with the reason: an entry of the file `profpipe-accepted.toml`."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from profpipe.model.figure import Part

Text = Annotated[str, Field(min_length=1, max_length=500)]


class Accepted(Part):
    """`at_most` is relative: 0.05 covers a regression of up to 5 %.

    Without `until` the entry counts only in the change that adds it to the file; with it, in every change up to that
    day.
    """

    study: Text
    metric: Text
    at_most: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]
    reason: Text
    author: Text
    until: date | None = None
