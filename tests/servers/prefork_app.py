"""A WSGI and an ASGI application that call `work` once a request, to be served by a master and its workers."""

from __future__ import annotations

from typing import Any


def work() -> int:
    return sum(i * i for i in range(100))


def wsgi(_environ: dict[str, Any], start_response: Any) -> list[bytes]:
    work()
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


async def asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
    while scope["type"] == "lifespan":
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"].endswith("shutdown"):
            return
    work()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
