"""yappi, inside the server: see ../agent.py."""

from __future__ import annotations

import json
import sys
from typing import Any


class Collector:
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
