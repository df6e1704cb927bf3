"""A message board on aiohttp: `python aiohttp_board.py --port 8080`.

Each route answers the same whatever HABIT is. HABIT names one habit that costs: where it is set, one function does
its work in the costly way (the first branch); without it, all do it in the plain way.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import logging
import os
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

HABIT = os.environ.get("HABIT", "")
MESSAGES = [f"Message {i}: the meeting is at {i % 24}:00." for i in range(40)]
ATTACHMENT = b"0123456789abcdef" * 4096
ETAG = hashlib.sha256(ATTACHMENT).hexdigest()
SUPPLIER = web.AppKey("supplier", str)
CLIENT = web.AppKey("client", aiohttp.ClientSession)


async def stub(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The service that the board asks: it answers every request with 7."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n7")
    writer.close()


async def services(app: web.Application) -> AsyncIterator[None]:
    supplier = await asyncio.start_server(stub, "127.0.0.1", 0)
    app[SUPPLIER] = f"http://127.0.0.1:{supplier.sockets[0].getsockname()[1]}/"
    async with aiohttp.ClientSession() as app[CLIENT]:
        yield
    supplier.close()


async def readers(app: web.Application) -> int:
    if HABIT == "client-session":
        async with aiohttp.ClientSession() as session, session.get(app[SUPPLIER]) as answer:
            return await answer.json()
    async with app[CLIENT].get(app[SUPPLIER]) as answer:
        return await answer.json()


def etag() -> str:
    if HABIT == "hash-of-constant":
        return hashlib.sha256(ATTACHMENT).hexdigest()
    return ETAG


def shortened(message: str) -> str:
    return message.partition(":")[0]


async def all_shortened() -> list[str]:
    if HABIT == "executor":
        loop = asyncio.get_running_loop()
        return [await loop.run_in_executor(None, shortened, message) for message in MESSAGES[:4]]
    return [shortened(message) for message in MESSAGES[:4]]


async def length_of(message: str) -> int:
    return len(message)


async def lengths() -> list[int]:
    if HABIT == "task-per-item":
        return await asyncio.gather(*(asyncio.create_task(length_of(message)) for message in MESSAGES))
    return [await length_of(message) for message in MESSAGES]


def as_page(messages: list[str]) -> web.Response:
    response = web.json_response(messages)
    if HABIT == "connection-closed":
        response.force_close()
    return response


async def show_readers(request: web.Request) -> web.Response:
    return web.json_response(await readers(request.app))


async def show_etag(_request: web.Request) -> web.Response:
    return web.json_response(etag())


async def show_shortened(_request: web.Request) -> web.Response:
    return web.json_response(await all_shortened())


async def show_lengths(_request: web.Request) -> web.Response:
    return web.json_response(await lengths())


async def show_page(_request: web.Request) -> web.Response:
    return as_page(MESSAGES[:3])


async def show_nothing(_request: web.Request) -> web.Response:
    return web.json_response({})


async def show_all(_request: web.Request) -> web.Response:
    return web.json_response({"etag": etag(), "short": await all_shortened(), "lengths": await lengths()})


def board() -> web.Application:
    app = web.Application()
    app.cleanup_ctx.append(services)
    app.add_routes(
        [
            web.get("/client-session", show_readers),
            web.get("/hash-of-constant", show_etag),
            web.get("/executor", show_shortened),
            web.get("/task-per-item", show_lengths),
            web.get("/connection-closed", show_page),
            web.get("/access-log", show_nothing),
            web.get("/control", show_all),
        ]
    )
    return app


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    log = logging.getLogger("aiohttp.access")
    log.addHandler(logging.FileHandler(os.devnull))
    log.setLevel(logging.INFO)
    port = parser.parse_args().port
    web.run_app(board(), host="127.0.0.1", port=port, access_log=log if HABIT == "access-log" else None, print=None)


if __name__ == "__main__":
    main()
