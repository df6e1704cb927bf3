"""The client's process: a line of JSON on stdin for each command, a line on stdout for its answer, until stdin ends."""

from __future__ import annotations

import contextlib
import gc
import json
import resource
import sys
from pathlib import Path

from profpipe.load.slices.session import Session


def prepare() -> None:
    """As many descriptors as allowed, timers without the kernel's 50 us of slack, no pauses of the collector."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with contextlib.suppress(OSError):
        Path("/proc/self/timerslack_ns").write_text("1000")
    gc.freeze()
    gc.disable()  # nothing here makes cycles but json, between slices


def main() -> None:
    prepare()
    session = Session()
    for line in sys.stdin.buffer:
        answer = session.answer(json.loads(line))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
        gc.collect()
    session.close()


if __name__ == "__main__":
    main()
