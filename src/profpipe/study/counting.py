"""How the operations of a load generator of the user's own are counted."""

from __future__ import annotations

from pydantic import Field

from profpipe.study.requests import Part


class Counting(Part):
    """How the operations of a `load.command` are counted: by one of result, pattern, pointer and exit."""

    result: str = Field(
        "",
        description="the tool whose result the command prints: wrk, h2load, k6, locust, vegeta, oha, hey, ab, fortio, "
        "autocannon, bombardier or redis-benchmark; auto = recognised",
    )
    pattern: str | None = Field(
        None, description="regular expression with one group, the count; several matches are added up"
    )
    pointer: str | None = Field(None, description="JSON pointer to the count in what it prints, such as `/totals/ok`")
    exit: bool = Field(False, description="exit code 0 means that it carried out all of `{requests}`")
    failed: str = Field("", description="pattern or pointer, as above, of the operations that failed")
