"""One `perf record` of whole processors, counting from `begin` to `end`.

It runs under a keeper, so it never outlives us. It is started with its events off and turned on over a FIFO: its
answer is the only sure sign that counting has begun (starting takes 0.1 to 1 s, as it reads every process's maps).
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import tempfile
import time
from pathlib import Path

from profpipe.capture.profilers.perf.trial import environment
from profpipe.capture.server.process import Supervised, exit_words
from profpipe.errors import CaptureError

BEGIN_SECONDS, SAVE_SECONDS = 30.0, 60.0
# Call graphs of 8 KiB of stack come to 8 MB a second; a long study must not fill the disk.
LARGEST = "4G"
ENDED_WELL = (0, -signal.SIGINT, 128 + signal.SIGINT)


class Recording:
    def __init__(self, argv: tuple[str, ...], data: Path, cpus: frozenset[int] | None) -> None:
        """`argv` = perf record and what to record; it runs on `cpus`, preferably not the server's."""
        self.data = data
        self._folder = Path(tempfile.mkdtemp(prefix="profpipe-fifo-"))
        control, answers = self._folder / "control", self._folder / "answers"
        os.mkfifo(control, 0o600)
        os.mkfifo(answers, 0o600)
        # Open at both ends: neither side waits for the other, and we survive when perf dies.
        self._control = os.open(control, os.O_RDWR | os.O_NONBLOCK)
        self._answers = os.open(answers, os.O_RDWR | os.O_NONBLOCK)
        begin = ("-D", "-1", "--control", f"fifo:{control},{answers}", "--max-size", LARGEST, "-o", str(data))
        try:
            self._perf = Supervised((*argv, *begin), env=environment(), cwd=data.parent, cpus=cpus)
        except BaseException:
            self._close()
            raise

    @property
    def pid(self) -> int:
        return self._perf.pid

    def begin(self) -> None:
        """Begin counting; returns when perf confirms it."""
        os.write(self._control, b"enable\n")
        limit = time.monotonic() + BEGIN_SECONDS
        answer = b""
        while b"ack" not in answer:
            if self._perf.wait() is not None:
                raise self._failed("window", f"perf could not record ({exit_words(self._perf.wait())})")
            if time.monotonic() >= limit:
                raise self._failed("window", f"perf did not begin within {BEGIN_SECONDS:g} s")
            if select.select([self._answers], [], [], 0.05)[0]:
                answer += os.read(self._answers, 4096)
        # Both sides hold the FIFOs open, so the folder can go now: nothing of it is left, however we end.
        shutil.rmtree(self._folder, ignore_errors=True)

    def end(self) -> None:
        """End counting and save. Raises CaptureError(save) when perf ended before, or does not save."""
        if (status := self._perf.wait()) is not None:
            raise self._failed("save", f"perf ended before the window did ({exit_words(status)})")
        self._perf.signal(signal.SIGINT)
        status = self._perf.wait(SAVE_SECONDS)
        if status is None:
            raise self._failed("save", f"perf did not save within {SAVE_SECONDS:g} s")
        if status not in ENDED_WELL:
            raise self._failed("save", f"perf did not save ({exit_words(status)})")

    def _failed(self, phase: str, what: str) -> CaptureError:
        self._perf.log.finish(1.0)
        tail = self._perf.log.tail()
        return CaptureError(phase, f"{what}: {' '.join(tail[:3]) or 'it printed nothing'}", log_tail=tail)

    def kill(self) -> None:
        self._perf.kill()
        self._close()

    def _close(self) -> None:
        if self._control >= 0:
            os.close(self._control)
            os.close(self._answers)
            self._control = self._answers = -1
        shutil.rmtree(self._folder, ignore_errors=True)
