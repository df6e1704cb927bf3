"""One run of a Node server with the agent in it: each of its threads is asked over a socket to begin and to end."""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from profpipe.capture.interface import Bare, Collected, Launch, Window, Written
from profpipe.capture.server.process import Stopped, Supervised
from profpipe.capture.server.seen_share import seen_share
from profpipe.errors import CaptureError

AGENT = Path(__file__).with_name("agent.js")
READY_SECONDS, ANSWER_SECONDS, SAVE_SECONDS = 2.0, 10.0, 60.0
NO_SAMPLE = "not one sample: no thread ran JavaScript long enough while the window was open; give it more requests"
ENDINGS = {"samples": "cpuprofile", "calls": "json", "heap": "heapprofile"}


class NodeAgentSession(Bare):
    """`mode` is agent.js's; `interval` = microseconds between samples; `emits` names the parser of its files."""

    def __init__(self, launch: Launch, *, mode: str, interval: int, emits: str) -> None:
        super().__init__(launch)
        self.launch, self.emits, self.mode = launch, emits, mode
        self.folder = self.scratch = Path(tempfile.mkdtemp(prefix="profpipe-agent-"))
        given = launch.env.get("NODE_OPTIONS", "")
        self.env = {
            **launch.env,
            "NODE_OPTIONS": f'{given} --require "{AGENT}"'.strip(),
            "PROFPIPE_NODE_AGENT": f"{self.folder}\n{mode}\n{interval}",
        }
        self.threads: dict[str, socket.socket] = {}
        self.saved: dict[str, Mapping[str, Any]] = {}
        self.window: Window | None = None

    def open(self, server: Supervised) -> None:
        limit = time.monotonic() + READY_SECONDS
        while not self._connect(set(server.tree())):
            if time.monotonic() >= limit:
                words = "the agent is in no process of the server: does it run Node 16 or newer, and keep NODE_OPTIONS?"
                raise CaptureError("window", words, log_tail=server.log.tail())
            time.sleep(0.02)
        for thread in self.threads:
            self._ask(thread, "start", "window", ANSWER_SECONDS, server)

    def _connect(self, tree: set[int]) -> bool:
        """Connect to every thread of the server that has an agent; whether there is any."""
        for path in sorted(self.folder.glob("*.sock")):
            thread = path.name.removesuffix(".sock")
            if thread not in self.threads and int(thread.partition(".")[0]) in tree:
                connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                with suppress(OSError):
                    connection.connect(str(path))
                    self.threads[thread] = connection
        return bool(self.threads)

    def close(self, server: Supervised, window: Window) -> None:
        self.window = window
        for thread in self.threads:
            answer = self._ask(thread, "stop", "save", SAVE_SECONDS, server)
            if answer is not None:
                self.saved[thread] = answer
                shutil.copyfile(self.folder / f"{thread}.profile", self._out(thread))

    def _out(self, thread: str) -> Path:
        return self.launch.raw / f"node.{thread}.{ENDINGS[self.mode]}"

    def _ask(
        self, thread: str, command: str, phase: str, timeout: float, server: Supervised
    ) -> Mapping[str, Any] | None:
        """What the thread's agent answers; None when the thread has ended."""
        connection = self.threads[thread]
        connection.settimeout(timeout)
        data = b""
        try:
            connection.sendall(command.encode() + b"\n")
            while not data.endswith(b"\n"):
                more = connection.recv(4096)
                if not more:
                    return None
                data += more
        except TimeoutError as error:
            words = f"the agent did not answer within {timeout:g} s: the event loop of thread {thread} is blocked"
            raise CaptureError(phase, words, log_tail=server.log.tail()) from error
        except OSError:
            return None
        answer: Mapping[str, Any] = json.loads(data)
        if "error" in answer:
            raise CaptureError(phase, f"Node's inspector: {answer['error']}", log_tail=server.log.tail())
        found: Mapping[str, Any] = answer["ok"]
        return found

    def collect(self, stopped: Stopped) -> Collected:  # noqa: ARG002
        if not self.saved:
            raise CaptureError("save", "every thread with an agent ended before the window did")
        # A primary process of a cluster, or a worker thread without work, only waits: its profile is empty.
        busy = [thread for thread, answer in self.saved.items() if answer.get("samples") != 0]
        files = tuple(Written(self._out(thread), self.emits) for thread in busy)
        seen = sum(answer["cpu_us"] for answer in self._processes().values()) / 1e6
        facts = {"node": next(iter(self.saved.values()))["node"], "threads with an agent": str(len(self.saved))}
        threads = [answer["thread_ns"] for answer in self.saved.values()]
        if seen and None not in threads:
            facts["CPU of V8's compiler and collector threads"] = f"{max(1 - sum(threads) / 1e9 / seen, 0) * 100:.0f} %"
        share = seen_share(seen, self.window.cpu_s if self.window is not None else None)
        refused = share.refused if busy else NO_SAMPLE
        return Collected(files, facts | share.facts, share.warnings, refused)

    def _processes(self) -> Mapping[str, Mapping[str, Any]]:
        """One answer of each process: its CPU time is that of all its threads."""
        return {thread.partition(".")[0]: answer for thread, answer in self.saved.items()}

    def abandon(self) -> None:
        for connection in self.threads.values():
            connection.close()
        shutil.rmtree(self.folder, ignore_errors=True)
