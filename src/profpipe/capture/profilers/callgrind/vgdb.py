"""Commands to processes that already run under valgrind, given by its program vgdb."""

from __future__ import annotations

import pwd
import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from profpipe.capture.complaints import explained, in_one_line
from profpipe.capture.server.process import Supervised, inherited_environment
from profpipe.errors import CaptureError

COMMAND_SECONDS = 60.0
LOOK_AGAIN_S = 0.05
ENDED_S = 1.0  # how often a process that takes no command is looked for
STAY_ROOT = "Let workers stay root for this study (nginx: `user root;`), or measure with perf"


def tell(server: Supervised, prefix: Path, phase: str, command: str, *, wait_s: float = 0.0) -> set[int]:
    """Give a monitor command to every process of the server that runs under valgrind.

    Returns those that took it, after waiting up to `wait_s` for the first; a process that ends meanwhile is none of
    them. `prefix` is that of `--vgdb-prefix`. Raises CaptureError in `phase` when one of them does not take it.
    """
    limit = time.monotonic() + wait_s
    while not (pipes := _pipes(server, prefix)) and time.monotonic() < limit:
        time.sleep(LOOK_AGAIN_S)
    for pid in pipes:
        if (name := other_user(pid, prefix)) is not None:
            text = f"process {pid} gave up root and runs as {name}: valgrind takes no commands there. {STAY_ROOT}"
            raise CaptureError(phase, text, log_tail=server.log.tail())
    took = set()
    for pid, pipe in pipes.items():
        argv = ["vgdb", f"--pid={pid}", f"--vgdb-prefix={prefix}", *command.split()]
        why = _failure(server, pid, argv, environment(pipe))
        if why is None:
            took.add(pid)
        elif pid in server.tree():
            raise CaptureError(phase, f"`vgdb {command}` failed: {why}", log_tail=server.log.tail())
    return took


def _failure(server: Supervised, pid: int, argv: list[str], env: Mapping[str, str]) -> str | None:
    """Why vgdb could not give a command; None where it could.

    Of a process that has ended, as a worker does that is replaced, vgdb opens a pipe that nobody reads and waits for
    ever: it is given up when the process is gone.
    """
    limit = time.monotonic() + COMMAND_SECONDS
    with subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=env
    ) as vgdb:
        while True:
            try:
                said = vgdb.communicate(timeout=ENDED_S)[1]
                break
            except subprocess.TimeoutExpired:
                if pid not in server.tree() or time.monotonic() >= limit:
                    vgdb.kill()
                    return f"valgrind did not take it within {COMMAND_SECONDS:g} s: is ptrace allowed here?"
    if vgdb.returncode == 0:
        return None
    known = explained(said)
    return f"{known[0]}: {known[1]}" if known else in_one_line(said) or f"status {vgdb.returncode}"


def other_user(pid: int, prefix: Path) -> str | None:
    """The user that a process has become since valgrind made its pipes; None when it is the same, or gone.

    valgrind 3.19 does not answer there, also where the pipes are given to that user: vgdb waits for ever. The process's
    own files in /proc then belong to root, so the user is read from `status`.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        made_by = {pipe.stat().st_uid for pipe in prefix.parent.glob(f"{prefix.name}-*-{pid}-by-*")}
    except OSError:
        return None
    found = re.search(r"^Uid:\s+\d+\s+(\d+)", status, re.MULTILINE)
    if found is None or int(found[1]) in made_by:
        return None
    try:
        return pwd.getpwuid(int(found[1])).pw_name
    except KeyError:
        return f"user {found[1]}"


def _pipes(server: Supervised, prefix: Path) -> dict[int, str]:
    """Process -> the name of the pipe through which valgrind listens."""
    folder, name = prefix.parent, prefix.name
    return {pid: pipe.name for pid in server.tree() for pipe in folder.glob(f"{name}-from-vgdb-to-{pid}-*")}


def environment(pipe: str) -> dict[str, str]:
    """The environment in which vgdb finds `pipe`, a file name of valgrind's: vgdb-from-vgdb-to-PID-by-USER-on-HOST.

    valgrind takes user and host from the environment of the server, which a target's `env` or its start script may
    change, and vgdb takes them from its own. With another HOSTNAME (containers export it) vgdb finds no server.
    """
    user, _, host = pipe.partition("-by-")[2].partition("-on-")
    return inherited_environment() | {"LOGNAME": user, "USER": user, "HOST": host, "HOSTNAME": host}
