"""Runs capture_run on a server and tells the pids, so that a test can kill this process and look who survives."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from profpipe.capture import capture_run, place
from profpipe.model.run import LoadResult, RunRecord
from profpipe.study.schema import Target


def stay(host: str, port: int) -> LoadResult:
    print("loading", flush=True)
    time.sleep(600)
    raise AssertionError


if __name__ == "__main__":
    server = str(Path(__file__).with_name("faulty.py"))
    capture_run(
        Target(command=("{python}", server, sys.argv[1], "{port}"), language="python"),
        sys.argv[3] if len(sys.argv) > 3 else "clean",
        begun=RunRecord("test", "server", "clean", 1, 1, (), ""),
        root=Path.cwd(),
        folder=Path(sys.argv[2]),
        options={},
        placement=place("free"),
        warm_up=None,
        load=stay,
    )
