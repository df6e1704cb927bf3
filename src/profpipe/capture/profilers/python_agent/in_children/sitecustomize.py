"""Puts the agent into every Python program that a profiled server starts: workers that are spawned, not forked.

The agent (../agent.py) puts this folder first on PYTHONPATH, and Python imports `sitecustomize` before the program. The
program's own `sitecustomize`, which this one hides, is imported afterwards. An interpreter that lacks the profiler runs
without it. Standard library only, Python 3.9 or newer.
"""

from __future__ import annotations

import os
import sys
import types


def begin() -> None:
    agent = types.ModuleType("profpipe_agent")
    path = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "agent.py")  # noqa: PTH100, PTH118, PTH120
    agent.__file__ = path
    with open(path, "rb") as file:  # noqa: PTH123
        exec(compile(file.read(), path, "exec"), agent.__dict__)  # noqa: S102
    try:
        agent.begin_in_child()
    except ImportError:
        return


def import_hidden() -> None:
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    sys.path[:] = [place for place in sys.path if place != here]
    del sys.modules["sitecustomize"]
    try:
        import sitecustomize  # noqa: F401
    except ImportError as error:
        if error.name != "sitecustomize":
            raise


def serves() -> bool:
    """False for the process that multiprocessing starts to clean up after the others: it has to end at once."""
    return not any("multiprocessing.resource_tracker" in part for part in getattr(sys, "orig_argv", ()))


import_hidden()
if serves():
    begin()
