"""How a target is launched: the command, environment and folders that a profiler then wraps."""

from __future__ import annotations

from pathlib import Path

from profpipe.capture.interface import Launch, Options
from profpipe.capture.server.command import environment, fill
from profpipe.errors import CaptureError
from profpipe.study.schema import Target


def prepare(
    target: Target,
    port: int,
    *,
    root: Path,
    raw: Path,
    data: Path | None,
    options: Options,
    cpus: frozenset[int] | None,
) -> Launch:
    """Everything a profiler needs to wrap the command. Raises CaptureError(start) when the target's cwd is missing.

    Captures go to `raw`; `data` is what {data} stands for.
    """
    return Launch(
        target=target,
        argv=fill(target.command, port, data),
        env=environment(target, port, data),
        cwd=working_folder(target, root),
        raw=raw,
        options=options,
        cpus=cpus,
        data=data,
    )


def working_folder(target: Target, root: Path) -> Path:
    """Where the command runs. Raises CaptureError(start) when it is missing."""
    cwd = (root / target.cwd).resolve()
    if not cwd.is_dir():
        raise CaptureError("start", f"cwd {target.cwd!r} is not a folder under {root}")
    return cwd
