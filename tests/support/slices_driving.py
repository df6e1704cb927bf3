"""Starts of small servers that go wrong on request (tests/servers/goes_wrong.py)."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from profpipe.capture.server.layout import draw
from profpipe.capture.server.placement import place
from profpipe.capture.side_by_side import Variant
from profpipe.model.start import SlicePlan, Start
from profpipe.pipeline.slices.start import Setting, measure_start
from profpipe.study.requests import Request
from profpipe.study.schema import Target
from tests.support.paths import SERVERS

SERVER = SERVERS / "goes_wrong.py"
# Another worker may run such servers at the same moment. What this one starts, by any detour, has its name.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "the-only-one")
PLAN = SlicePlan(lead=4, requests=20, passes=6, connections=4)


def setting(tmp_path: Path) -> Setting:
    return Setting(tmp_path, place("same-core"), connections=4, warm_up=16, timeout=1.0)


def command(fault: str = "none", after: int = 0) -> list[str]:
    """How such a server is started, as `our_servers` knows it again."""
    return ["{python}", str(SERVER), "{port}", fault, str(after), WORKER]


def variant(name: str, fault: str = "none", after: int = 0) -> Variant:
    target = {"command": command(fault, after), "language": "python"}
    return Variant(name, Target.model_validate(target), Request())


def start(tmp_path: Path, *variants: Variant, plan: SlicePlan = PLAN, idle_s: float = 0.0) -> Start:
    return measure_start(variants, draw(1, 1), plan, setting(tmp_path), seed=1, idle_s=idle_s)


def our_servers() -> list[int]:
    """The servers that tests of this worker have started and that still run."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if {str(SERVER), WORKER} <= set(process.info["cmdline"] or ()):
            found.append(process.pid)
    return found
