"""cProfile, inside the server: see ../agent.py."""

from __future__ import annotations

import sys
from typing import Any


class Collector:
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
