"""How a program is started and known to be ready: what targets and services have in common."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from profpipe.study.requests import Part, StatusCode

Seconds = Annotated[float, Field(gt=0, le=3600)]
Command = Annotated[tuple[str, ...], Field(min_length=1)]
PortNumber = Annotated[int, Field(ge=1, le=65535)]
StopSignal = Literal["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP"]


class Ready(Part):
    """How to know that the server is ready: one of http, tcp and line; without any, http on the request's path."""

    http: str | None = Field(None, description="path that must answer with `status`")
    status: StatusCode | None = Field(
        None, description="the status that `http` must answer with; that of the request when absent"
    )
    tcp: bool = Field(False, description="a connection is accepted")
    line: str | None = Field(
        None, description="regular expression for a line of output; a group named `port` gives the port"
    )
    timeout: Seconds = Field(30.0, description="seconds; ten times as long under callgrind")


class Requires(Part):
    """What the target needs to run; a target with a missing requirement is named and left out."""

    modules: tuple[str, ...] = Field((), description="Python modules, searched with the target's own interpreter")
    programs: tuple[str, ...] = Field((), description="programs on the PATH, or files relative to cwd")
    install: str = Field("", description="the line that installs them, printed when they are missing")
