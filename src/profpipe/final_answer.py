"""The answer to a request that follows the interim ones."""

from __future__ import annotations

import http.client


class FinalAnswer(http.client.HTTPResponse):
    """The answer after the interim ones: of those, http.client leaves out 100 only, and 103 would be the status."""

    def _read_status(self) -> tuple[str, int, str]:
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 102 <= status < 200:
                return version, status, reason
            while self.fp.readline(65537).strip():
                pass
