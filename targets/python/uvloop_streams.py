"""asyncio's streams on uvloop's loop. Needs uvloop."""

from __future__ import annotations

import streams
import uvloop

if __name__ == "__main__":
    uvloop.run(streams.main())
