"""A service beside the servers as profpipe.toml has it: a database, a cache, a queue."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from profpipe.study.requests import Part
from profpipe.study.starting import Command, PortNumber, Ready, Seconds, StopSignal

UserName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,31}$")]
# What a service has in the texts of others: `{service.db.port}` in a target, `{port}` in its own `provides`.
OF_SERVICE = ("host", "port", "socket", "data")


class Service(Part):
    """A program beside the servers, such as a database. profpipe starts it with data of its own and ends it."""

    command: Command = Field(
        description="the arguments; `{port}` is a free port, `{data}` a new empty folder that is removed at the end, "
        "`{socket}` the path of a unix socket in it, `{python}` the interpreter that runs profpipe"
    )
    cwd: str = Field(".", description="folder that all its commands run in, relative to profpipe.toml")
    env: dict[str, str] = Field(default_factory=dict, description="environment variables of all its commands")
    path: tuple[str, ...] = Field(
        (),
        description="folders that its programs are searched in before the PATH, such as `/usr/lib/postgresql/*/bin`: "
        "where several match, the highest version",
    )
    user: UserName | None = Field(
        None,
        description="who `prepare` and `command` run as when profpipe runs as root. PostgreSQL refuses to run as root",
    )
    prepare: tuple[Command, ...] = Field(
        (), description="commands before it is started, such as `initdb`; placeholders as in `command`"
    )
    fixture: tuple[Command, ...] = Field(
        (), description="commands once it is ready, such as `createdb` and what loads data; placeholders and `{host}`"
    )
    provides: dict[str, str] = Field(
        default_factory=dict,
        description="environment variables of the targets that use it, such as the address of the database, with "
        "`{host}`, `{port}`, `{socket}` and `{data}` of the service; a target's own `env` comes first",
    )
    per: Literal["study", "start"] = Field(
        "study", description="study: one for all runs and variants; start: a new one for each start and each run"
    )
    queries: Literal["postgresql", "redis"] | None = Field(
        None,
        description="count its queries by its own statistics: `postgresql` (its command needs "
        "`-c shared_preload_libraries=pg_stat_statements`) or `redis`",
    )
    queries_at: str = Field(
        "",
        description="where PostgreSQL's statistics are asked for, with `{host}` and `{port}`, as a superuser; "
        "`postgresql://postgres@{host}:{port}/postgres` when empty",
    )
    requires: tuple[str, ...] = Field((), description="programs that must be there besides those of its commands")
    install: str = Field("", description="the line that installs its programs, printed when they are missing")
    ready: Ready = Field(Ready(), description="how to know that it is ready; without any key, a connection is accepted")
    host: Literal["127.0.0.1", "::1"] = Field("127.0.0.1", description="the address at which it is reached")
    port: PortNumber | None = Field(None, description="a fixed port of the service; a free one is chosen when absent")
    stop: StopSignal = Field("SIGTERM", description="signal that ends it; for PostgreSQL SIGINT, which ends sessions")
    stop_timeout: Seconds = Field(10.0, description="seconds until SIGKILL")
