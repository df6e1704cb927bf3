"""pyinstrument, inside the server: see ../agent.py."""

from __future__ import annotations

from typing import Any


class Collector:
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
