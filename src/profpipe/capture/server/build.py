"""Running a target's build commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from profpipe.capture.server.command import fill
from profpipe.capture.server.process import Supervised, User, exit_words, inherited_environment
from profpipe.errors import CaptureError
from profpipe.study.schema import Target

TELL_SECONDS = 0.2


def build(target: Target, root: Path, on_line: Callable[[str], None]) -> None:
    """Run the target's build commands in its cwd; `on_line` gets every line of their output.

    Raises CaptureError(build) with the last lines when a command cannot be run or fails. Not bounded in time, since a
    first build of a native target downloads and compiles for minutes; the build ends when profpipe does.
    """
    cwd = (root / target.cwd).resolve()
    env = inherited_environment() | {name: fill((value,), 0)[0] for name, value in target.env.items()}
    for command in target.build:
        run_command(fill(command, 0), env, cwd, on_line)


def run_command(
    argv: tuple[str, ...],
    env: Mapping[str, str],
    cwd: Path,
    on_line: Callable[[str], None],
    *,
    user: User | None = None,
    data: Path | None = None,
) -> None:
    """Run one command to its end, as `user`. Raises CaptureError(build) when it cannot be run or fails.

    `data` = a folder that is removed where we are killed before its end.
    """
    lines: SimpleQueue[str] = SimpleQueue()
    try:
        with Supervised(argv, env=env, cwd=cwd, on_line=lines.put, user=user, data=data, keeps_data=True) as process:
            while (status := process.wait(TELL_SECONDS)) is None:
                _pass_on(lines, on_line)
    except CaptureError as error:
        raise CaptureError("build", f"{argv[0]} cannot be run: {str(error).rpartition(': ')[2]}") from error
    _pass_on(lines, on_line)
    if status != 0:
        tail = process.log.tail()
        raise CaptureError("build", f"`{' '.join(argv)}` failed: {exit_words(status)}", log_tail=tail)


def _pass_on(lines: SimpleQueue[str], on_line: Callable[[str], None]) -> None:
    with suppress(Empty):
        while True:
            on_line(lines.get_nowait())
