"""A small load for tests of the capture room, and a look at who is still alive."""

from __future__ import annotations

import resource
import socket
import time
from pathlib import Path

from profpipe.capture import capture_run, place
from profpipe.errors import LoadError
from profpipe.model.run import LoadResult, RunRecord
from profpipe.study.schema import Ready, Target
from tests.support.paths import ROOT

TARGETS = ROOT / "targets" / "python"
FAULTY = ROOT / "tests" / "servers" / "faulty.py"
REQUEST = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


class Drive:
    """Sends `requests` over `connections` keep-alive connections, one request under way on each in turn.

    With 0 connections each request has one of its own.
    """

    def __init__(self, requests: int, connections: int = 4) -> None:
        self.requests, self.connections = requests, connections

    def __call__(self, host: str, port: int) -> LoadResult:
        begun, cpu = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
        served = failed = 0
        socks = []
        try:
            for _ in range(self.connections):
                socks.append(socket.create_connection((host, port), timeout=20))
            for number in range(self.requests):
                if socks:
                    ok = self._ask(socks[number % self.connections])
                else:
                    with socket.create_connection((host, port), timeout=20) as sock:
                        ok = self._ask(sock)
                served, failed = served + ok, failed + (not ok)
        except OSError as error:
            raise LoadError(f"the connection broke: {error}") from error
        finally:
            for sock in socks:
                sock.close()
        now = resource.getrusage(resource.RUSAGE_SELF)
        return LoadResult(
            tool="test",
            version="0",
            command=(),
            loop="closed",
            correction="none",
            connections=self.connections,
            threads=1,
            served=served,
            seconds=time.perf_counter() - begun,
            sent=self.requests,
            failed=failed,
            client_cpu_s=now.ru_utime + now.ru_stime - cpu.ru_utime - cpu.ru_stime,
        )

    @staticmethod
    def _ask(sock: socket.socket) -> bool:
        sock.sendall(REQUEST)
        data = b""
        while b"\r\n\r\n" not in data:
            more = sock.recv(4096)
            if not more:
                raise ConnectionError("closed by the server")
            data += more
        return data.startswith(b"HTTP/1.1 200 ")


def faulty(kind: str, **fields: object) -> Target:
    """A target that goes wrong as `kind` says."""
    return Target.model_validate(
        {"command": ("{python}", str(FAULTY), kind, "{port}"), "language": "python", "stop_timeout": 1.0, **fields}
    )


def ours(name: str) -> Target:
    """One of targets/python."""
    command = ("{python}", f"{name}.py", "--port", "{port}")
    return Target(
        command=command, cwd="targets/python", language="python", ready=Ready(line=r"ready port=(?P<port>\d+)")
    )


def run(target: Target, folder: Path, profiler: str = "clean", requests: int = 100, **more: object) -> RunRecord:
    """capture_run with a small load, freely placed."""
    settings: dict[str, object] = {
        "begun": RunRecord("test", "server", profiler, 1, 1, (), ""),
        "root": ROOT,
        "folder": folder,
        "options": {},
        "placement": place("free"),
        "warm_up": Drive(20),
        "load": Drive(requests),
    }
    return capture_run(target, profiler, **{**settings, **more})  # type: ignore[arg-type]
