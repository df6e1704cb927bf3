"""Starting a command under a keeper (keeper.py), draining its output, signalling it, ending its process tree."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from profpipe.capture.server.daemons import foreground
from profpipe.capture.server.log import Log
from profpipe.capture.server.orphans import kill_session
from profpipe.errors import CaptureError

KEEPER = Path(__file__).with_name("keeper.py")
KEEP = b"k"  # as in keeper.py
START_SECONDS = 20.0
# Variables a server may inherit. Everything else stays out, so that two machines start the same server.
INHERITED = (
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "LC_*", "TZ", "TMPDIR", "TERM",
    "VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME", "PYENV_VERSION", "PYENV_ROOT", "LD_LIBRARY_PATH",
    "GOPATH", "GOCACHE", "GOROOT", "CARGO_HOME", "RUSTUP_HOME", "JAVA_HOME", "NODE_PATH",
    "XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip


def inherited_environment(source: Mapping[str, str] | None = None) -> dict[str, str]:
    """The part of our environment that a server inherits: the names in INHERITED, with `*` as the wildcard."""
    source = os.environ if source is None else source
    exact = {name for name in INHERITED if not name.endswith("*")}
    prefixes = tuple(name[:-1] for name in INHERITED if name.endswith("*"))
    return {name: value for name, value in source.items() if name in exact or name.startswith(prefixes)}


class User(NamedTuple):
    """A user of this machine."""

    name: str
    number: int
    group: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """How a process ended: `status` (negative = signal), whether SIGKILL was needed, how many others it left behind."""

    status: int | None
    killed: bool
    left_behind: int


def exit_words(status: int | None) -> str:
    """-11 -> "killed by SIGSEGV"; 3 -> "exit status 3"."""
    if status is None:
        return "still running"
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"


class Supervised:
    """A command and everything it forks. Use as a context manager: leaving it leaves no process.

    `pid` is the command's own process, `keeper` the process that outlives and reaps its tree.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        cpus: frozenset[int] | None = None,
        on_line: Callable[[str], None] | None = None,
        scratch: Path | None = None,
        data: Path | None = None,
        stack_bytes: int | None = None,
        user: User | None = None,
        keeps_data: bool = False,
    ) -> None:
        """Start it. Raises CaptureError(start) when the command cannot be executed. `on_line`: see Log.

        `scratch`, a flat folder, and `data`, of any depth, are removed with the tree, also when we are gone by then;
        with `keeps_data`, `data` only when we are gone. `user` = who it runs as, where we are root.
        `stack_bytes` places its memory (keeper.place_memory) where the system allows it; None = anywhere.
        """
        self._keeper, status_r, log_r = _start_keeper()
        self.argv, self.keeper, self.pid = tuple(argv), self._keeper.pid, 0
        self.log = Log(log_r, on_line)
        self._status_fd, self._unread = status_r, b""
        self._status: int | None = None
        self._keeper_ended = False
        self._keeps_data = keeps_data
        spec: dict[str, object] = {"argv": list(argv), "env": dict(env), "cwd": str(cwd), "cpus": sorted(cpus or ())}
        self.data = data
        spec["scratch"], spec["data"] = str(scratch or ""), str(data or "")
        spec["stack_bytes"], spec["user"] = stack_bytes or 0, list(user or ())
        try:
            self._begin(json.dumps(spec).encode() + b"\n")
        except BaseException:
            self.kill()
            raise

    def _begin(self, spec: bytes) -> None:
        assert self._keeper.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._keeper.stdin.write(spec)
            self._keeper.stdin.flush()
        limit = time.monotonic() + START_SECONDS
        while not self.pid:
            line = self._status_line(limit - time.monotonic())
            if line is None:
                raise CaptureError("start", f"{self.argv[0]} could not be launched", log_tail=self.log.tail())
            word, _, rest = line.partition(" ")
            if word == "started":
                self.pid = int(rest)
            elif word == "failed":
                raise CaptureError("start", f"the command cannot be run: {rest}")

    def _status_line(self, timeout: float) -> str | None:
        """The next line of the keeper, or None after `timeout` seconds or at its end."""
        limit = time.monotonic() + timeout
        while b"\n" not in self._unread:
            left = limit - time.monotonic()
            if self._status_fd < 0 or not select.select([self._status_fd], [], [], max(left, 0))[0]:
                return None
            data = os.read(self._status_fd, 4096)
            if not data:
                self._keeper_ended = True
                return None
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode()

    def wait(self, timeout: float = 0.0) -> int | None:
        """Exit status of the command (negative = signal), None while it runs."""
        if self._status is None:
            line = self._status_line(timeout)
            while line is not None:
                word, _, rest = line.partition(" ")
                if word == "exited":
                    self._status = int(rest)
                    break
                line = self._status_line(0.0)
            # Its pipe ends a moment before it can be reaped.
            if self._status is None and (self._keeper_ended or self._keeper.poll() is not None):
                self._status = -signal.SIGKILL
        return self._status

    def tree(self) -> list[int]:
        """The pids below the keeper: the command, its children, and daemons that left it."""
        import psutil

        try:
            found = psutil.Process(self.keeper).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        return [process.pid for process in found if _alive(process)]

    def signal(self, number: int, pid: int | None = None) -> None:
        try:
            os.kill(self.pid if pid is None else pid, number)
        except ProcessLookupError:
            return

    def stop(self, number: int, timeout: float) -> Stopped:
        """Ask the command to end, then whoever it left behind, each within what is left of `timeout`; then SIGKILL.

        A server that forks workers usually ends them itself; those of one that does not get the same signal, since
        under callgrind a worker that is killed has lost its profile.
        """
        limit = time.monotonic() + timeout
        status = self.wait()
        if status is None:
            self.signal(number)
            status = self.wait(max(limit - time.monotonic(), 0.05))
        left = self.tree() if status is not None else []
        if left and not _gone(self.tree, 0.2):
            left = self.tree()
            for pid in left:
                self.signal(number, pid)
            _gone(self.tree, max(limit - time.monotonic(), 0.05))
        killed = status is None or bool(self.tree())
        self.kill()
        return Stopped(status, killed, len(left))

    def kill(self) -> None:
        """End the whole tree now and let go of everything. May be called any number of times."""
        stdin = self._keeper.stdin
        if stdin is not None and not stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                stdin.write(KEEP if self._keeps_data else b"")
                stdin.close()
        try:
            self._keeper.wait(30)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait()
        if self._keeper.returncode != 0 and self.pid:
            kill_session(self.pid)  # the keeper was killed, and could not
        if self._status is None:
            self.wait(0.0)
        self.log.finish(5.0)
        if self._status_fd >= 0:
            os.close(self._status_fd)
            self._status_fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def _start_keeper() -> tuple[subprocess.Popen[bytes], int, int]:
    """A keeper that waits for its command, and what is read from it: its status lines, the command's output."""
    status_r, status_w = os.pipe()
    log_r, log_w = os.pipe()
    try:
        keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", str(KEEPER), str(status_w)],
            stdin=subprocess.PIPE, stdout=log_w, stderr=log_w, pass_fds=(status_w,),
            start_new_session=True, close_fds=True,
        )  # fmt: skip
    except OSError:
        os.close(log_r)
        os.close(status_r)
        raise
    finally:
        os.close(status_w)
        os.close(log_w)
    return keeper, status_r, log_r


def died(server: Supervised, phase: str, moment: str) -> CaptureError | None:
    """The error to raise when the server has ended though it should be running."""
    status = server.wait()
    if status is None:
        return None
    server.log.finish(1.0)
    why = f"the server ended {moment}: {exit_words(status)}"
    if status == 0 and server.tree():
        why += f", but processes of it run on in the background, where it is not followed: {foreground(server.argv)}"
    return CaptureError(phase, why, log_tail=server.log.tail())


def _alive(process: object) -> bool:
    import psutil

    assert isinstance(process, psutil.Process)
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _gone(tree: Callable[[], list[int]], timeout: float) -> bool:
    """Wait until nothing of the tree is left."""
    limit = time.monotonic() + timeout
    while tree():
        if time.monotonic() >= limit:
            return False
        time.sleep(0.01)
    return True
