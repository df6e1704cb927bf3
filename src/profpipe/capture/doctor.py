"""`profpipe doctor`: tries every profiler for real, because an installed one may lack the permission to work."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

from profpipe.capture.interface import Profiler, Trial
from profpipe.capture.profilers.registry import PROFILERS
from profpipe.errors import CaptureError, PartFailed


@dataclass(frozen=True, slots=True)
class ToolState:
    """What a trial found. `why_not` and `install` are empty when it works; `note` is worth knowing either way."""

    name: str
    kind: str
    works: bool
    why_not: str = ""
    install: str = ""
    note: str = ""


def try_tools(python: str = sys.executable) -> tuple[ToolState, ...]:
    """Try every profiler.

    `python` is the interpreter of the user's servers, whose packages in-process profilers need.
    """
    return tuple(_tried(name, profiler, python) for name, profiler in PROFILERS.parts())


def _tried(name: str, profiler: Profiler, python: str) -> ToolState:
    try:
        with PROFILERS.blaming(name):
            trial = profiler.try_it(python)
    except PartFailed as error:
        trial = Trial(str(error))
    except (CaptureError, OSError, subprocess.SubprocessError) as error:
        trial = Trial(error.text if isinstance(error, CaptureError) else str(error))
    return ToolState(
        name=name,
        kind=profiler.kind,
        works=trial.why_not is None,
        why_not=trial.why_not or "",
        install=trial.install,
        note=trial.note,
    )
