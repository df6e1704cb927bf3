"""The requests of a load as profpipe.toml has them: one, or several with names and weights."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
StatusCode = Annotated[int, Field(ge=100, le=599)]
StatusClass = Literal["1xx", "2xx", "3xx", "4xx", "5xx"]
Statuses = StatusCode | StatusClass | Annotated[tuple[StatusCode | StatusClass, ...], Field(min_length=1)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, defer_build=True)


def _codes(status: int | str) -> range:
    """The numbers that a status or a class of statuses stands for."""
    if isinstance(status, int):
        return range(status, status + 1)
    first = int(status[0]) * 100
    return range(first, first + 100)


class Sent(Part):
    """What every request has, whether it is a part of the load or sent before it."""

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = Field("GET", description="HTTP method")
    path: str = Field(
        "/",
        pattern=r"^/[^\s]*$",
        description="path and query; `{seq}`, `{random:1-1000}` and `{csv:COLUMN}` differ in each",
    )
    headers: dict[str, str] = Field(
        default_factory=dict, description="extra request headers, with `{seq}` and the like as in `path`"
    )
    body: str = Field("", description="request body, with `{seq}` and the like as in `path`")

    @property
    def words(self) -> str:
        """`GET /item`."""
        return f"{self.method} {self.path}"


class ExpectedBody(Part):
    """What the body of an answer must have: one of contains, pattern and pointer."""

    contains: str | None = Field(None, description="text that is in the body")
    pattern: str | None = Field(None, description="regular expression that matches somewhere in the body")
    pointer: str | None = Field(None, description="JSON pointer (RFC 6901) at which something is")
    equals: str | bool | int | float | None = Field(None, description="what is at `pointer`")


class Asked(Sent):
    """What every request of a load has."""

    expect_body: ExpectedBody | None = Field(
        None,
        description="an answer with another body does not count as served: contains, pattern, or pointer and equals",
    )
    keep_alive: bool = Field(True, description="false = every request has a connection of its own")


class WithStatuses(Part):
    """A request that may have several good statuses, and a body from a file."""

    body_file: str | None = Field(
        None, description="a file with the request body, relative to profpipe.toml, in place of `body`"
    )
    status: Statuses = Field(
        200, description='what counts as served: a status, a class such as "2xx", or a list of them'
    )

    @property
    def accepted(self) -> tuple[int, ...]:
        """Every status that counts as served, rising."""
        each = self.status if isinstance(self.status, tuple) else (self.status,)
        return tuple(sorted({code for one in each for code in _codes(one)}))

    @property
    def status_words(self) -> str:
        """`200`, `2xx`, `200 or 404`."""
        each = self.status if isinstance(self.status, tuple) else (self.status,)
        return " or ".join(map(str, each))


class Request(Asked):
    """The request every load generator sends."""

    status: StatusCode = Field(200, description="the status that counts as served")


class Https(Part):
    """How a target is reached by https, and which certificates are accepted."""

    ca: str = Field(
        "", description="PEM file of the certificates that the server's own must lead to, relative to profpipe.toml"
    )
    verify: bool = Field(True, description="false = any certificate is accepted, which the report says")
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,253}$")] = Field(
        "localhost", description="the name that the server is told (SNI), which its certificate must be for"
    )


class Route(WithStatuses, Asked):
    """One of several requests of a load: they are sent in a seeded order, each as often as its weight says."""

    name: Name = Field(description="its name in the report")
    weight: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] = Field(
        1.0, description="how often it is sent, relative to the other requests of the load"
    )

    @property
    def alone(self) -> Request:
        """The request for what sends only one: whether the server is ready."""
        kept = {key: getattr(self, key) for key in Asked.model_fields}
        return Request(**kept, status=self.accepted[0])


# What reports call all requests of a load together.
MIX = "mix"
# What the union of `load.request` is called in pydantic's places of mistakes. No key of a file looks like these.
ONE, SEVERAL = "<one request>", "<several requests>"


def _how_many(value: Any) -> str:
    return SEVERAL if isinstance(value, (tuple, list)) else ONE


OneOrSeveral = Annotated[
    Annotated[Request, Tag(ONE)] | Annotated[tuple[Route, ...], Field(min_length=1), Tag(SEVERAL)],
    Discriminator(_how_many),
]
