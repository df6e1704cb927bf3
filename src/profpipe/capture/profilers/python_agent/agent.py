"""Runs a Python program with a dormant profiler in it, which collects between two signals.

    python [flags] agent.py PROFILER FOLDER OUT OPTIONS -- script.py args | -m module args | -c code args

PROFILER is the path of a file with a Collector (see `collector`); OPTIONS a JSON object. In FOLDER the agent writes
ready.PID when it is ready, started.PID after START, saved.PID after STOP (JSON: what it saw), failed.PID with the
reason when a step failed. The profile goes to OUT with the pid in place of %p. Forked children answer for themselves,
and so do Python programs that the server starts (in_children/sitecustomize.py).

Real-time signals, since servers use SIGUSR1 and SIGUSR2 for their own purposes. Python runs signal handlers in the main
thread, between two of its instructions: that thread is the one pyinstrument and cProfile see. SIGTERM is not touched.

Standard library only (and the profiler): it runs in the target's own interpreter, Python 3.9 or newer.
"""

from __future__ import annotations

import sys

# This file's folder is on the path because the interpreter was given this file; the target must not see it.
if sys.path and sys.path[0] == __file__.rpartition("/")[0]:
    del sys.path[0]

import builtins
import io
import json
import os
import runpy
import signal
import time
import types
from typing import Any

START, STOP = signal.SIGRTMIN + 7, signal.SIGRTMIN + 8
SETTINGS = "PROFPIPE_AGENT"  # what a child's agent is given: the JSON of PROFILER, FOLDER, OUT and OPTIONS


def collector(path: str, options: dict[str, Any]) -> Any:
    """The Collector of a profiler's file: options -> an object with start(), stop(), version() and save(out).

    save(out) writes the profile and returns `functions`, how many it saw, and `seen_s`, their CPU seconds or None. An
    attribute `backend` is recorded if it exists.
    """
    module = types.ModuleType("profpipe_collector")
    with io.open_code(path) as file:
        exec(compile(file.read(), path, "exec"), module.__dict__)  # noqa: S102
    return module.Collector(options)


class Agent:
    """Turns signals into files. Nothing here runs between the signals."""

    def __init__(self, profiler: Any, folder: str, out: str) -> None:
        self.profiler, self.folder, self.out = profiler, folder, out
        self.running = False
        signal.signal(START, self.on_start)
        signal.signal(STOP, self.on_stop)
        os.register_at_fork(after_in_child=self.announce)
        self.announce()

    def announce(self) -> None:
        self.write("ready", {"python": sys.version.split()[0], "tool": self.profiler.version()})

    def write(self, step: str, content: dict[str, Any]) -> None:
        """Whole or not at all: the harness reads the file as soon as its name exists."""
        path = f"{self.folder}/{step}.{os.getpid()}"
        with open(path + "~", "w") as file:  # noqa: PTH123
            json.dump(content, file)
        os.rename(path + "~", path)  # noqa: PTH104

    def on_start(self, *_: object) -> None:
        if self.running:
            return
        self.running = True
        try:
            self.write("started", {})
            self.process_s, self.main_s, self.wall_s = time.process_time(), time.thread_time(), time.perf_counter()
            self.profiler.start()
        except Exception as error:  # noqa: BLE001 -- the harness must learn of any failure
            self.write("failed", {"step": "start", "error": repr(error)})

    def on_stop(self, *_: object) -> None:
        if not self.running:
            return
        self.running = False
        try:
            self.profiler.stop()
            seen = {
                "process_s": time.process_time() - self.process_s,
                "main_s": time.thread_time() - self.main_s,
                "wall_s": time.perf_counter() - self.wall_s,
                "python": sys.version.split()[0],
                "tool": self.profiler.version(),
                "backend": getattr(self.profiler, "backend", None),
            }
            before, __, after = self.out.rpartition("%p")  # a folder's name may hold %p too
            out = f"{before}{os.getpid()}{after}"
            saved = self.profiler.save(out)
            self.write("saved", {**seen, **saved, "out": out})
        except Exception as error:  # noqa: BLE001 -- the harness must learn of any failure
            self.write("failed", {"step": "save", "error": repr(error)})


def run_script(path: str) -> None:
    """Run it as `python path` does: in a registered module __main__, with its folder first on the path."""
    if os.path.isdir(path) or path.endswith((".zip", ".pyz")):  # noqa: PTH112
        runpy.run_path(path, run_name="__main__")
        return
    put_on_path(os.path.dirname(os.path.realpath(path)))  # noqa: PTH120
    path = os.path.abspath(path)  # noqa: PTH100 - as CPython does, whose functions name this file
    with io.open_code(path) as file:
        code = compile(file.read(), path, "exec")
    main = types.ModuleType("__main__")
    main.__dict__.update(__file__=path, __builtins__=builtins)
    sys.modules["__main__"] = main
    exec(code, main.__dict__)  # noqa: S102


def run_code(text: str) -> None:
    put_on_path("")
    main = types.ModuleType("__main__")
    main.__dict__.update(__builtins__=builtins)
    sys.modules["__main__"] = main
    exec(compile(text, "<string>", "exec"), main.__dict__)  # noqa: S102


def run_module(name: str) -> None:
    put_on_path(os.getcwd())  # noqa: PTH109
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def put_on_path(folder: str) -> None:
    if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
        sys.path.insert(0, folder)


def reach_children(settings: list[str]) -> None:
    """Children inherit the environment. Interpreters with -I, -E or -S do not look at it."""
    os.environ[SETTINGS] = json.dumps(settings)
    places = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "in_children")]  # noqa: PTH100, PTH118, PTH120
    if os.environ.get("PYTHONPATH"):
        places.append(os.environ["PYTHONPATH"])
    os.environ["PYTHONPATH"] = os.pathsep.join(places)


def begin_in_child() -> None:
    """Raises ImportError where this interpreter does not have the profiler."""
    path, folder, out, options = json.loads(os.environ[SETTINGS])
    Agent(collector(path, json.loads(options)), folder, out)


def main() -> None:
    path, folder, out, options, _dashes, what, *arguments = sys.argv[1:]
    way = {"-m": run_module, "-c": run_code}.get(what)
    if way is None:
        way, arguments = run_script, [what, *arguments]
    program = arguments[0]
    sys.argv = [program if way is run_script else what, *arguments[1:]]
    Agent(collector(path, json.loads(options)), folder, out)
    reach_children([path, folder, out, options])
    way(program)


if __name__ == "__main__":
    main()
