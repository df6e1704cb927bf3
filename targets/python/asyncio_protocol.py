"""asyncio's own loop, asyncio.Protocol."""

from __future__ import annotations

import asyncio

import protocol

if __name__ == "__main__":
    asyncio.run(protocol.main())
