"""asyncio's own loop, asyncio's streams."""

from __future__ import annotations

import asyncio

import streams

if __name__ == "__main__":
    asyncio.run(streams.main())
