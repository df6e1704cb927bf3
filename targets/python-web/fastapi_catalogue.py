"""A catalogue on FastAPI and pydantic: `python -m uvicorn fastapi_catalogue:app`.

Each route answers the same whatever HABIT is. HABIT names one habit that costs: where it is set, one function does
its work in the costly way (the first branch); without it, all do it in the plain way.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any

import httpx
import orjson
from fastapi import Depends, FastAPI, Request, Response
from pydantic import BaseModel, TypeAdapter, create_model

HABIT = os.environ.get("HABIT", "")
SHOP = uuid.UUID("5f2b1d9e-0d4c-4f4e-9d63-0a8a1d1b7c11")
SETTINGS = {f"setting_{i}": i for i in range(2000)}


class Item(BaseModel):
    id: int
    name: str
    price: float
    tags: list[str]


ITEMS = [{"id": i, "name": f"Chair {i}", "price": i + 0.5, "tags": ["wood", "red"]} for i in range(40)]
ITEM_LIST = TypeAdapter(list[Item])
SKUS = {i: str(uuid.uuid5(SHOP, str(i))) for i in range(30)}
Filter = create_model("Filter", colour=(str, "red"), size=(int, 1))


async def stub(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The supplier's service that the catalogue asks: it answers every request with 7."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n7")
    writer.close()


@contextlib.asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    supplier = await asyncio.start_server(stub, "127.0.0.1", 0)
    app.state.supplier = f"http://127.0.0.1:{supplier.sockets[0].getsockname()[1]}/stock"
    async with httpx.AsyncClient() as app.state.client:
        yield
    supplier.close()


app = FastAPI(lifespan=lifespan)


def as_json(value: object) -> bytes:
    if HABIT == "json-dumps":
        return json.dumps(value, separators=(",", ":")).encode()
    return orjson.dumps(value)


def checked(rows: list[dict[str, Any]]) -> list[Item]:
    if HABIT == "type-adapter":
        return TypeAdapter(list[Item]).validate_python(rows)
    return ITEM_LIST.validate_python(rows)


def filter_from(values: dict[str, str]) -> BaseModel:
    if HABIT == "create-model":
        return create_model("Filter", colour=(str, "red"), size=(int, 1)).model_validate(values)
    return Filter.model_validate(values)


def exported(items: list[Item]) -> list[dict[str, Any]]:
    if HABIT == "validated-again":
        return [Item.model_validate_json(item.model_dump_json()).model_dump() for item in items]
    return [item.model_dump() for item in items]


def setting(name: str, changes: dict[str, int]) -> int:
    if HABIT == "dict-copy":
        return {**SETTINGS, **changes}[name]
    return changes[name] if name in changes else SETTINGS[name]


def sku_of(number: int) -> str:
    if HABIT == "uuid":
        return str(uuid.uuid5(SHOP, str(number)))
    return SKUS[number]


async def stock(request: Request) -> int:
    state = request.app.state
    if HABIT == "http-client":
        async with httpx.AsyncClient() as client:
            return (await client.get(state.supplier)).json()
    return (await state.client.get(state.supplier)).json()


async def warehouse_answers() -> str:
    if HABIT == "blocking-call":
        time.sleep(0.002)
    else:
        await asyncio.sleep(0.002)
    return "open"


if HABIT == "sync-dependency":

    def visitor(request: Request) -> str:
        return request.headers.get("x-visitor", "nobody")

else:

    async def visitor(request: Request) -> str:
        return request.headers.get("x-visitor", "nobody")


if HABIT == "base-http-middleware":

    @app.middleware("http")
    async def add_header(request: Request, proceed: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await proceed(request)
        response.headers["x-shop"] = "chairs"
        return response

else:

    class AddHeader:
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            async def with_header(message: Any) -> None:
                if message["type"] == "http.response.start":
                    message["headers"] = [*message["headers"], (b"x-shop", b"chairs")]
                await send(message)

            await self.inner(scope, receive, with_header)

    app.add_middleware(AddHeader)


@app.get("/response-model", response_model=list[Item] if HABIT == "response-model" else None)
async def list_items() -> Any:
    return ITEMS if HABIT == "response-model" else Response(orjson.dumps(ITEMS), media_type="application/json")


@app.get("/json-dumps")
async def list_rows() -> Response:
    return Response(as_json(ITEMS), media_type="application/json")


@app.get("/type-adapter")
async def count_checked() -> Response:
    return Response(as_json(len(checked(ITEMS[:5]))))


@app.get("/create-model")
async def show_filter() -> Response:
    return Response(as_json(filter_from({"colour": "blue", "size": "3"}).model_dump()))


@app.get("/validated-again")
async def list_exported() -> Response:
    return Response(as_json(exported(ITEM_LIST.validate_python(ITEMS))))


@app.get("/dict-copy")
async def show_setting() -> Response:
    return Response(as_json(setting("setting_7", {"setting_8": 1})))


@app.get("/uuid")
async def list_skus() -> Response:
    return Response(as_json([sku_of(i) for i in range(30)]))


@app.get("/http-client")
async def show_stock(request: Request) -> Response:
    return Response(as_json(await stock(request)))


@app.get("/blocking-call")
async def show_warehouse() -> Response:
    return Response(as_json(await warehouse_answers()))


@app.get("/sync-dependency")
async def greet(name: Annotated[str, Depends(visitor)]) -> Response:
    return Response(as_json(f"Hello, {name}"))


@app.get("/base-http-middleware")
async def show_nothing() -> Response:
    return Response(b"{}")


@app.get("/control")
async def show_all() -> Response:
    return Response(as_json([setting("setting_7", {}), sku_of(3), exported(checked(ITEMS[:3]))]))
