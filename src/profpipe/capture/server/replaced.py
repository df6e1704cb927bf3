"""Workers that a server replaced while they were measured."""

from __future__ import annotations

from collections.abc import Collection

KEEP = "keep the workers for the length of a run (no max_requests, no reload), or see in the server's log why one died"


def replaced(ended: Collection[int], begun: Collection[int], so: str) -> str | None:
    """Why a capture is not that of the requests: processes ended or began in the window. None where none did.

    `so` = what that means for the capture, as the end of a sentence.
    """
    found = [f"process {pid} ended" for pid in sorted(ended)] + [f"process {pid} began" for pid in sorted(begun)]
    return f"{', '.join(found)} while the window was open, and {so}: {KEEP}" if found else None
