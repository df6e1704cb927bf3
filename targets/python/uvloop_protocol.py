"""The Protocol of asyncio_protocol.py on uvloop's loop. Needs uvloop."""

from __future__ import annotations

import protocol
import uvloop

if __name__ == "__main__":
    uvloop.run(protocol.main())
