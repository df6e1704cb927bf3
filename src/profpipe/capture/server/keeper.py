"""The keeper: a small process between profpipe and a server, so that no process of a run outlives it.

Run as `python -I -S keeper.py STATUS_FD`; stdin brings one JSON line {argv, env, cwd, cpus, scratch, data, stack_bytes,
user} and then stays open. The keeper is a child subreaper, so daemons that double-fork and call setsid come back to
it. When stdin ends (profpipe let go of it, or is gone, however it died) every descendant is killed and reaped, and the
folders `scratch` (flat) and `data` (of any depth) are removed, `data` only where no KEEP came before the end. STATUS_FD
carries lines: "started PID" or "failed TEXT", then "exited STATUS" (negative = signal).

Should the keeper itself be killed, the server dies with it.

Stdlib only; imports nothing of ours, since it runs with -I -S to start in some 15 ms.
"""
# pathlib would be a third of what this imports
# ruff: noqa: PTH123, PTH208

from __future__ import annotations

import ctypes
import json
import os
import resource
import select
import signal
import sys
import time
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
ADDR_NO_RANDOMIZE = 0x0040000  # personality(2)
PERSONALITY_NOW = 0xFFFFFFFF
LIBC = ctypes.CDLL(None, use_errno=True)
IGNORED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
KILL_SECONDS = 20.0
KEEP = b"k"  # on stdin: the folder `data` stays, for another command needs it


def descendants() -> list[int]:
    """Every process below this one, found by parent pid. Zombies count: they are reaped by the caller."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", "rb") as stat:
                    parents[int(entry)] = int(stat.read().rpartition(b")")[2].split()[1])
            except (OSError, IndexError):
                continue
    found: list[int] = []
    frontier = {os.getpid()}
    while frontier:
        frontier = {pid for pid, parent in parents.items() if parent in frontier}
        found += frontier
    return found


def kill_all() -> None:
    """SIGKILL until nothing is left. A process may fork while we look, so one pass is not enough."""
    limit = time.monotonic() + KILL_SECONDS
    while time.monotonic() < limit:
        for pid in descendants():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.002)


def remove(folder: str) -> None:
    """A flat folder of small files (FIFOs, answers of an agent); what is no such thing stays."""
    try:
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))  # noqa: PTH108, PTH118
        os.rmdir(folder)  # noqa: PTH106
    except OSError:
        return


def place_memory(stack_bytes: int) -> None:
    """Memory of the command will lie where the soft limit of its stack puts it, in place of anywhere.

    Without randomization the kernel maps files and memory below the largest stack it allows, so `stack_bytes` draws
    the place. Where one of both is refused (seccomp, a hard limit), nothing is changed: one fixed place would be the
    same luck for every start. /proc/PID/personality tells which it was.
    """
    before, hard = resource.getrlimit(resource.RLIMIT_STACK)
    try:
        resource.setrlimit(resource.RLIMIT_STACK, (stack_bytes, hard))
    except (OSError, ValueError):
        return
    persona = LIBC.personality(PERSONALITY_NOW)
    if persona == -1 or LIBC.personality(persona | ADDR_NO_RANDOMIZE) == -1:
        resource.setrlimit(resource.RLIMIT_STACK, (before, hard))


def become_user(name: str, number: int, group: int) -> None:
    """Give up being root. The kernel forgets at a change of user who is to die with us, so that it is told again."""
    os.initgroups(name, group)
    os.setgid(group)
    os.setuid(number)
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def become(spec: dict[str, Any], failed: int) -> None:
    """The child: a session of its own, all signals as a shell would give them, pinned, then the command.

    `failed` closes by itself when the command has taken over; before that it carries what went wrong.
    """
    try:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        os.setsid()
        for number in signal.valid_signals():
            # A server started with SIGINT ignored (any background job of a shell) could never be stopped by it.
            if number not in (signal.SIGKILL, signal.SIGSTOP):
                signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        # SIGQUIT and SIGABRT would leave a core file in the user's folder.
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        if spec["stack_bytes"]:
            place_memory(spec["stack_bytes"])
        if spec["cpus"]:
            os.sched_setaffinity(0, spec["cpus"])
        os.chdir(spec["cwd"])
        if spec["user"]:
            become_user(*spec["user"])
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.execvpe(spec["argv"][0], spec["argv"], spec["env"])
    except OSError as error:
        os.write(failed, f"{spec['argv'][0]}: {error.strerror or error}".encode())
    finally:
        os._exit(127)


def reap(server: int, status: int) -> None:
    """Collect whoever ended; the server's own end is reported, orphans of its tree are only collected."""
    try:
        while True:
            pid, code = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            if pid == server:
                os.write(status, f"exited {os.waitstatus_to_exitcode(code)}\n".encode())
    except ChildProcessError:
        return


def keep(server: int, status: int, wake: int) -> bool:
    """Until profpipe lets go of stdin. True = the folder of data stays."""
    poll = select.poll()
    poll.register(0, select.POLLIN | select.POLLHUP)
    poll.register(wake, select.POLLIN)
    while True:
        for fd, _ in poll.poll():
            if fd == wake:
                os.read(wake, 512)
                reap(server, status)
            else:
                return os.read(0, 1) == KEEP


def read_spec() -> dict[str, Any]:
    """One line of JSON. Nothing follows it but the end."""
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(0, 65536)
        if not part:
            sys.exit(0)
        line += part
    spec: dict[str, Any] = json.loads(line)
    return spec


def main() -> None:
    status = int(sys.argv[1])
    os.set_inheritable(status, False)
    for name in IGNORED:
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    wake, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    spec = read_spec()
    failed, failing = os.pipe()
    server = os.fork()
    if server == 0:
        become(spec, failing)
    os.close(failing)
    # The server's output must end when the server does, so the keeper lets go of its own copy.
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    stays = False
    try:
        error = os.read(failed, 4096)
        os.write(status, b"failed " + error + b"\n" if error else b"started %d\n" % server)
        stays = keep(server, status, wake)
    except OSError:
        pass
    finally:
        kill_all()
        if spec["scratch"]:
            remove(spec["scratch"])
        if spec["data"] and not stays:
            import shutil  # only here: no other run needs it, and it takes a third of the keeper's start

            shutil.rmtree(spec["data"], ignore_errors=True)


if __name__ == "__main__":
    main()
