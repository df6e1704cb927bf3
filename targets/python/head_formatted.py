"""asyncio.Protocol; the response head, Date included, is formatted for every request."""

from __future__ import annotations

import asyncio

import protocol
import response_head

if __name__ == "__main__":
    asyncio.run(protocol.main(response_head.formatted))
