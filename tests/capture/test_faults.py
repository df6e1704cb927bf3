"""Every way a server can go wrong ends in time, with a named cause and phase, and leaves no process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from profpipe.capture.server import ports
from profpipe.capture.server.daemons import foreground
from profpipe.capture.server.process import Supervised, inherited_environment
from profpipe.errors import CaptureError
from profpipe.model.run import Phase
from profpipe.study.schema import Ready, Target
from tests.support.capture_driving import FAULTY, faulty, run
from tests.support.processes import processes, wait_until

pytestmark = pytest.mark.real


def marked(kind: str, folder: Path, **fields: object) -> Target:
    """A faulty target with the folder in its environment, by which all its processes are found."""
    return faulty(kind, env={"RUN_FOLDER": str(folder)}, **fields)


def check_gone(folder: Path) -> None:
    assert processes(folder) == []


@pytest.mark.parametrize(
    ("kind", "phase", "cause"),
    [
        ("dies-at-start", "ready", "ended before it was ready: exit status 3"),
        ("dies-at-warm-up", "warm-up", "ended during warm-up: exit status 7"),
        ("dies-under-load", "load", "ended under load: killed by SIGSEGV"),
        ("never-ready", "ready", "not ready after 1 s: nothing listened on port"),
        ("trickles", "ready", "not ready after 1 s: GET / failed: no whole answer within"),
        ("listens-on-ipv6-only", "ready", "it listens on [::1]:"),
        ("serves-500", "ready", "GET / was answered with status 500, expected 200"),
    ],
)
def test_each_fault_has_its_phase_and_cause(tmp_path: Path, kind: str, phase: Phase, cause: str) -> None:
    captured = run(marked(kind, tmp_path, ready=Ready(timeout=1.0 if kind != "dies-at-warm-up" else 10.0)), tmp_path)
    assert captured.phase == phase
    assert captured.reason is not None
    assert cause in captured.reason
    check_gone(tmp_path)


def test_the_last_lines_of_the_server_come_with_the_failure(tmp_path: Path) -> None:
    captured = run(marked("dies-at-start", tmp_path), tmp_path)
    assert captured.log_tail == ("no configuration",)
    assert (tmp_path / "server.log").read_bytes() == b"no configuration\n"


def test_a_server_that_answers_500_under_load_is_measured_with_its_failures(tmp_path: Path) -> None:
    """What is too many failures is judged above; here the load's own account must come through."""
    captured = run(marked("500-under-load", tmp_path), tmp_path, requests=100)
    assert captured.load is not None
    assert captured.load.failed > 0
    check_gone(tmp_path)


def test_a_server_that_ignores_sigterm_is_killed_with_a_warning(tmp_path: Path) -> None:
    captured = run(marked("ignores-sigterm", tmp_path), tmp_path)
    assert captured.reason is None
    assert captured.warnings == ("the server did not exit within 1 s of SIGTERM and was killed",)
    check_gone(tmp_path)


def test_children_a_server_forgets_are_ended(tmp_path: Path) -> None:
    captured = run(marked("forks", tmp_path), tmp_path)
    assert captured.reason is None
    assert captured.usage is not None
    assert captured.usage.processes == 3
    assert captured.warnings == ("the server left 2 processes running when it exited; they were killed",)
    check_gone(tmp_path)


def test_a_double_forked_daemon_in_a_session_of_its_own_is_ended(tmp_path: Path) -> None:
    captured = run(marked("double-forks", tmp_path), tmp_path)
    assert captured.reason is None
    check_gone(tmp_path)


def test_a_server_that_daemonizes_is_measured_and_ended(tmp_path: Path) -> None:
    captured = run(marked("daemonizes", tmp_path), tmp_path)
    assert captured.reason is None
    assert captured.usage is not None
    assert captured.usage.cpu_ns is not None
    assert captured.usage.cpu_ns > 0
    check_gone(tmp_path)


def test_output_without_end_is_drained_and_bounded(tmp_path: Path) -> None:
    captured = run(marked("prints-for-ever", tmp_path), tmp_path)
    assert captured.reason is None
    log = (tmp_path / "server.log").read_bytes()
    assert len(log) < 140_000
    assert b"bytes left out" in log
    check_gone(tmp_path)


def test_a_missing_command_is_named(tmp_path: Path) -> None:
    captured = run(Target(command=("no-such-server",)), tmp_path)
    assert captured.phase == "start"
    assert captured.reason == ("the command cannot be run: no-such-server: No such file or directory")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    captured = run(Target(command=("true",), cwd="no/such"), tmp_path)
    assert captured.phase == "start"
    assert "cwd 'no/such' is not a folder" in (captured.reason or "")


def test_a_full_disk_is_this_runs_failure(tmp_path: Path) -> None:
    """A file in place of the captures' folder acts as a disk that takes nothing."""
    (tmp_path / "raw").write_text("")
    captured = run(marked("serves", tmp_path), tmp_path)
    assert captured.phase == "start"
    assert captured.reason == f"File exists: {tmp_path / 'raw'}"
    check_gone(tmp_path)


def test_a_log_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "server.log").mkdir()
    captured = run(marked("serves", tmp_path), tmp_path)
    assert captured.reason is None
    assert captured.warnings == ("server.log could not be written: Is a directory",)


@pytest.fixture
def foreign_server() -> int:
    """A server of somebody else's that answers as well as ours would."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with sock:
                sock.recv(4096)
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno")

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]  # type: ignore[misc]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def test_a_fixed_port_that_is_taken_is_refused_before_the_start(tmp_path: Path, foreign_server: int) -> None:
    target = faulty("serves", port=foreign_server)
    captured = run(target, tmp_path)
    assert captured.phase == "start"
    assert f"port {foreign_server} is taken by another process" in (captured.reason or "")


def test_a_foreign_server_on_the_port_is_never_measured(tmp_path: Path, foreign_server: int) -> None:
    """The server prints ready with a port that is not its own: the probe would be answered, the owner tells."""
    command = ("{python}", "-c", f"import time; print('ready port={foreign_server}', flush=True); time.sleep(600)")
    target = Target(command=command, ready=Ready(line=r"ready port=(?P<port>\d+)"), env={"RUN_FOLDER": str(tmp_path)})
    captured = run(target, tmp_path)
    assert captured.reason == f"port {foreign_server} belongs to another process"
    assert captured.load is None
    check_gone(tmp_path)


def test_a_port_taken_at_the_last_moment_is_left_for_another(
    tmp_path: Path, foreign_server: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from profpipe.capture.server import ports

    free = ports.free_port()
    offers = iter([foreign_server, free])
    monkeypatch.setattr(ports, "free_port", lambda _host: next(offers))
    captured = run(marked("serves", tmp_path), tmp_path)
    assert captured.reason is None
    assert captured.command[-1] == str(free)
    assert len(captured.warnings) == 1
    assert captured.warnings[0].endswith("restarted on another port")


def test_the_only_port_of_a_server_is_found(tmp_path: Path) -> None:
    target = Target(command=("{python}", "threads.py", "--port", "0"), cwd="targets/python")
    captured = run(target, tmp_path)
    assert captured.reason is None
    assert captured.load is not None
    assert captured.load.served == 100


DEATHS = [(kind, signal.SIGKILL) for kind in ("serves", "forks", "double-forks", "ignores-sigterm", "daemonizes")]
DEATHS += [("double-forks", how) for how in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]


@pytest.mark.parametrize(("kind", "how"), DEATHS)
def test_nothing_outlives_us_however_we_die(tmp_path: Path, kind: str, how: signal.Signals) -> None:
    harness = subprocess.Popen(
        [sys.executable, "-m", "tests.servers.harness", kind, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=FAULTY.parents[2],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(FAULTY.parents[2]), str(FAULTY.parents[2] / "src")])},
    )
    assert harness.stdout is not None
    with harness.stdout:
        assert harness.stdout.readline() == b"loading\n"
        server = [pid for pid in _children_of(harness.pid) if pid != harness.pid]
        assert len(server) >= 2  # the keeper and the server at the least
        harness.send_signal(how)
        harness.wait(15)
    wait_until(lambda: not [pid for pid in server if _runs(pid)], 10)


def test_an_interrupt_goes_on_to_the_caller_with_the_server_gone(tmp_path: Path) -> None:
    def interrupted(host: str, port: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(marked("forks", tmp_path), tmp_path, load=interrupted)
    check_gone(tmp_path)


def test_a_server_without_a_keeper_dies_too(tmp_path: Path) -> None:
    """When the keeper is killed, the kernel ends the server, and the run reports it."""
    env = {**inherited_environment(), "RUN_FOLDER": str(tmp_path)}
    with Supervised(["sleep", "600"], env=env, cwd=tmp_path) as server:
        os.kill(server.keeper, signal.SIGKILL)
        wait_until(lambda: not _runs(server.pid), 5)
        assert server.wait(5) == -signal.SIGKILL


def test_children_of_a_server_whose_keeper_was_killed_are_ended(tmp_path: Path) -> None:
    port = ports.free_port()
    env = {**inherited_environment(), "RUN_FOLDER": str(tmp_path)}
    with Supervised([sys.executable, str(FAULTY), "forks", str(port)], env=env, cwd=tmp_path) as server:
        wait_until(lambda: len(processes(tmp_path)) == 3, 10)
        os.kill(server.keeper, signal.SIGKILL)
        assert server.wait(5) == -signal.SIGKILL
    wait_until(lambda: not processes(tmp_path), 5)


def test_a_stopped_server_is_ended(tmp_path: Path) -> None:
    """State T: a debugger or an attached sampler that died leaves its target stopped."""
    with Supervised(["sleep", "600"], env=inherited_environment(), cwd=tmp_path) as server:
        os.kill(server.pid, signal.SIGSTOP)
        wait_until(lambda: _state(server.pid) == b"T", 5)
        stopped = server.stop(signal.SIGTERM, 0.3)
    assert stopped.killed
    assert not _runs(server.pid)


def test_sigint_reaches_a_server_of_a_harness_that_ignores_it(tmp_path: Path) -> None:
    """A background job of a shell ignores SIGINT, and its children would too."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Supervised(["sleep", "600"], env=inherited_environment(), cwd=tmp_path) as server:
            assert server.stop(signal.SIGINT, 5).status == -signal.SIGINT
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_command_that_cannot_run_raises_at_once(tmp_path: Path) -> None:
    file = tmp_path / "not-executable"
    file.write_text("#!/bin/sh\n")
    with pytest.raises(CaptureError, match="Permission denied"):
        Supervised([str(file)], env=inherited_environment(), cwd=tmp_path)


def _children_of(pid: int) -> list[int]:
    import psutil

    return [child.pid for child in psutil.Process(pid).children(recursive=True)]


def _state(pid: int) -> bytes:
    """T = stopped, Z = zombie, empty = gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except OSError:
        return b""


def _runs(pid: int) -> bool:
    return _state(pid) not in {b"", b"Z"}


def test_a_server_that_leaves_for_the_background_is_told_how_to_stay(tmp_path: Path) -> None:
    gone = Target(command=("sh", "-c", "sleep 60 & exit 0", "nginx"), port=1, ready=Ready(tcp=True))
    captured = run(gone, tmp_path)
    assert captured.phase == "ready"
    assert (captured.reason or "").endswith('is not followed: add `-g "daemon off;"` to its command')
    assert foreground(("/usr/bin/server",)).startswith("start it in the foreground")
