"""The packages of a server, as profpipe.toml asks for them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from profpipe.study.requests import Part


class EnvironmentTable(Part):
    """The packages a server needs, made by profpipe from the checkout's own lock file, once for each content of it."""

    lock: str = Field(
        "",
        description="the lock file, relative to cwd: uv.lock, requirements.txt, package-lock.json, go.mod or "
        "Cargo.lock; the first that is there when empty",
    )
    python: str = Field(
        "",
        description="the interpreter: a version such as 3.12, a name or a path; that of your own .venv when empty",
    )
    project: bool | Literal["auto"] = Field(
        "auto", description="install the checkout into it too; auto = where uv would do so, or the lock file names it"
    )
    extra: tuple[str, ...] = Field((), description="further packages, such as the profiler `yappi`")
