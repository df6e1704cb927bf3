"""The job summary of GitHub, Gitea and Forgejo Actions: a file that the runner shows, no token needed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

# Per step; a larger file is refused while the job stays green.
MAX_SUMMARY = 2**20


def summary_file(environment: Mapping[str, str]) -> Path | None:
    path = environment.get("GITHUB_STEP_SUMMARY", "")
    return Path(path) if path else None


def room_left(path: Path) -> int:
    """Bytes that may still be appended in this step. Raises OSError."""
    return max(0, MAX_SUMMARY - (path.stat().st_size if path.exists() else 0))


def append_summary(path: Path, text: str) -> None:
    """Append after what the step wrote before. Raises OSError."""
    with path.open("a", encoding="utf-8") as file:
        file.write(text if text.endswith("\n") else text + "\n")
