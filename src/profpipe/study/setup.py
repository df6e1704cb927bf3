"""Requests that are sent once per start before the load: a log-in, and what is taken from its answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import quote

from pydantic import Field

from profpipe.study.requests import Part, Sent, Statuses, WithStatuses


class Take(Part):
    """Where a value is taken from in an answer: one of pointer, pattern, header and cookie."""

    pointer: str | None = Field(None, description="JSON pointer (RFC 6901) into the body, such as `/access_token`")
    pattern: str | None = Field(None, description="regular expression with one group, searched in the body")
    header: str | None = Field(None, description="name of a response header")
    cookie: str | None = Field(None, description="name of a cookie that the answer must have set")

    @property
    def words(self) -> str:
        """`the header X-Token`, for a complaint."""
        if self.pointer is not None:
            return f"the JSON pointer {self.pointer or 'to the whole body'}"
        if self.pattern is not None:
            return f"the pattern {self.pattern!r}"
        return f"the header {self.header}" if self.header is not None else f"the cookie {self.cookie}"


class SetUpRequest(WithStatuses, Sent):
    """A request that is sent once per start, before the load, in the order of the file."""

    keep_alive: ClassVar[bool] = False
    status: Statuses = Field("2xx", description="what counts as success, as in `request`; redirects are not followed")
    take: dict[str, Take] = Field(
        default_factory=dict,
        description="name of a value -> where it is taken from; later requests have it by `{name}` in path, headers "
        "and body",
    )


def fill(text: str, values: Mapping[str, str], *, in_path: bool = False) -> str:
    """The text with `{name}` replaced for every name of `values`; in a path percent-encoded (RFC 6570, level 1)."""
    if not values or "{" not in text:
        return text
    places = re.compile("{(" + "|".join(map(re.escape, values)) + ")}")
    return places.sub(lambda found: quote(values[found[1]], safe="") if in_path else values[found[1]], text)


def texts_of(asked: Sent) -> tuple[str, ...]:
    """Where a request may have `{name}`."""
    return (asked.path, *asked.headers.values(), asked.body)
