"""Runs a Python program with a dormant profiler in it, which collects between two signals.

    python [flags] agent.py PROFILER FOLDER OUT OPTIONS -- script.py args | -m module args | -c code args

PROFILER is yappi, pyinstrument or cprofile; OPTIONS a JSON object. In FOLDER the agent writes ready.PID when it stands,
started.PID after START, saved.PID after STOP (JSON: what it saw), failed.PID with the reason when a step failed. The
profile goes to OUT with the pid in place of %p. Forked children answer for themselves.

Real-time signals, since servers use SIGUSR1 and SIGUSR2 for their own ends. Python runs signal handlers in the main
thread, between two of its instructions: that thread is the one pyinstrument and cProfile see. SIGTERM is left alone.

One file, stdlib only (and the profiler): it runs in the target's own interpreter, Python 3.9 or newer.
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


class Yappi:
    """Every thread, also those that run already; greenlets when they are loaded. CPU clock."""

    def __init__(self, options: dict[str, Any]) -> None:
        import yappi

        self.yappi: Any = yappi
        self.options = options
        self.backend = "native_thread"

    def start(self) -> None:
        if "greenlet" in sys.modules and self.options.get("greenlets", "gevent" in sys.modules):
            self.backend = "greenlet"
        self.yappi.set_context_backend(self.backend)
        self.yappi.set_clock_type(self.options.get("clock", "cpu"))
        self.yappi.start(builtins=self.options.get("builtins", True))

    def stop(self) -> None:
        self.yappi.stop()

    def save(self, out: str) -> dict[str, Any]:
        functions = list(self.yappi.get_func_stats())
        rows = {function.index: row for row, function in enumerate(functions)}
        with open(out, "w", encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123
            json.dump(self.document(functions, rows), file)
        return {"functions": len(functions), "seen_s": sum(function.tsub for function in functions)}

    def document(self, functions: list[Any], rows: dict[int, int]) -> dict[str, Any]:
        return {
            "format": "profpipe.yappi/1",
            "clock": self.yappi.get_clock_type(),
            "backend": self.backend,
            "tool": self.version(),
            "python": sys.version.split()[0],
            "functions": [self.function(function, rows) for function in functions],
            "threads": [self.context(context) for context in self.contexts()],
        }

    def contexts(self) -> Any:
        if self.backend == "greenlet":
            return self.yappi.get_greenlet_stats()
        return self.yappi.get_thread_stats()

    @staticmethod
    def context(context: Any) -> dict[str, Any]:
        return {"name": context.name, "id": context.id, "ttot": context.ttot, "sched": context.sched_count}

    @staticmethod
    def numbers(stat: Any) -> dict[str, Any]:
        return {
            "calls": stat.ncall,
            "primitive_calls": stat.nactualcall,
            "self_s": stat.tsub,
            "total_s": stat.ttot,
        }

    def function(self, function: Any, rows: dict[int, int]) -> dict[str, Any]:
        children = [{"index": rows[c.index], **self.numbers(c)} for c in function.children if c.index in rows]
        return {
            "name": function.name,
            "module": function.module,
            "line": function.lineno,
            "builtin": bool(function.builtin),
            **self.numbers(function),
            "children": children,
        }

    @staticmethod
    def version() -> str:
        from importlib.metadata import version

        return "yappi " + version("yappi")


class Pyinstrument:
    """The main thread, sampled by elapsed time. async_mode off: with it on a server ran at a quarter of its speed."""

    def __init__(self, options: dict[str, Any]) -> None:
        import pyinstrument

        self.session: Any = None
        self.profiler = pyinstrument.Profiler(interval=options.get("interval", 0.001), async_mode="disabled")

    def start(self) -> None:
        self.profiler.start()

    def stop(self) -> None:
        self.session = self.profiler.stop()

    def save(self, out: str) -> dict[str, Any]:
        self.session.save(out)
        return {"functions": len(self.session.frame_records), "seen_s": None}

    @staticmethod
    def version() -> str:
        import pyinstrument

        return f"pyinstrument {pyinstrument.__version__}"


class CProfile:
    """The main thread, every call. From Python 3.12 on it mixes threads; the harness refuses what that spoils."""

    def __init__(self, options: dict[str, Any]) -> None:
        import cProfile

        self.profile = cProfile.Profile(builtins=options.get("builtins", True))

    def start(self) -> None:
        self.profile.enable()

    def stop(self) -> None:
        self.profile.disable()

    def save(self, out: str) -> dict[str, Any]:
        self.profile.dump_stats(out)
        return {"functions": len(self.profile.getstats()), "seen_s": None}

    @staticmethod
    def version() -> str:
        return "cProfile " + sys.version.split()[0]


PROFILERS: dict[str, Any] = {"yappi": Yappi, "pyinstrument": Pyinstrument, "cprofile": CProfile}


class Agent:
    """Turns signals into files. Nothing here runs between the signals."""

    def __init__(self, profiler: str, folder: str, out: str, options: dict[str, Any]) -> None:
        self.name, self.folder, self.out = profiler, folder, out
        self.profiler = PROFILERS[profiler](options)
        self.running = False
        signal.signal(START, self.on_start)
        signal.signal(STOP, self.on_stop)
        os.register_at_fork(after_in_child=self.announce)
        self.announce()

    def announce(self) -> None:
        self.write("ready", {"python": sys.version.split()[0], "tool": self.profiler.version()})

    def write(self, step: str, content: dict[str, Any]) -> None:
        """Whole or not at all: the harness reads as soon as the name is there."""
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
        except Exception as error:  # noqa: BLE001 -- whatever it is, the harness must hear of it
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
        except Exception as error:  # noqa: BLE001 -- whatever it is, the harness must hear of it
            self.write("failed", {"step": "save", "error": repr(error)})


def run_script(path: str) -> None:
    """As `python path` does it: in a module __main__ that is registered, its folder first on the path."""
    if os.path.isdir(path) or path.endswith((".zip", ".pyz")):  # noqa: PTH112
        runpy.run_path(path, run_name="__main__")
        return
    put_on_path(os.path.dirname(os.path.realpath(path)))  # noqa: PTH120
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


def main() -> None:
    profiler, folder, out, options, _dashes, what, *arguments = sys.argv[1:]
    way = {"-m": run_module, "-c": run_code}.get(what)
    if way is None:
        way, arguments = run_script, [what, *arguments]
    program = arguments[0]
    sys.argv = [program if way is run_script else what, *arguments[1:]]
    Agent(profiler, folder, out, json.loads(options))
    way(program)


if __name__ == "__main__":
    main()
