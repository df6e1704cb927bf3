"""Whether every pair of an application answers alike: `python answers.py flask_shop` prints, as JSON, path -> answers.

The application is asked in this process, through its framework's own test client: each path first in the plain
variant, then with the habit of that name. No server is started.
"""

from __future__ import annotations

import asyncio
import gzip
import importlib
import json
import logging
import os
import sys
from pathlib import Path


def flask_shop(path: str) -> bytes:
    import flask_shop

    answer = flask_shop.app.test_client().get(path)
    assert answer.status_code == 200, answer.status
    return gzip.decompress(answer.data) if answer.content_encoding == "gzip" else answer.data


def fastapi_catalogue(path: str) -> bytes:
    import fastapi_catalogue
    import httpx

    async def asked() -> bytes:
        app = fastapi_catalogue.app
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://catalogue") as client:
                answer = await client.get(path)
        return answer.raise_for_status().content

    return asyncio.run(asked())


def django_blog(path: str) -> bytes:
    import django_blog  # noqa: F401 - it sets Django up
    from django.test import Client

    answer = Client().get(path)
    assert answer.status_code == 200, answer.status_code
    return answer.content


def aiohttp_board(path: str) -> bytes:
    import aiohttp_board
    from aiohttp.test_utils import TestClient, TestServer

    async def asked() -> bytes:
        async with TestClient(TestServer(aiohttp_board.board())) as client, client.get(path) as answer:
            answer.raise_for_status()
            return await answer.read()

    return asyncio.run(asked())


ASK = {ask.__name__: ask for ask in (flask_shop, fastapi_catalogue, django_blog, aiohttp_board)}


def answer(app: str, path: str, habit: str) -> object:
    """What the application answers with a habit: JSON as its value, all else as text."""
    os.environ["HABIT"] = habit
    if app == "django_blog" and app in sys.modules:  # Django can be set up once in a process
        sys.modules[app].HABIT = habit
    else:
        sys.modules.pop(app, None)
        importlib.import_module(app)
    body = ASK[app](path).decode()
    try:
        return json.loads(body)
    except ValueError:
        return body


def main() -> None:
    app, *habits = sys.argv[1:]
    logging.disable(logging.CRITICAL)
    sys.path.insert(0, str(Path(__file__).parent))
    json.dump({h: [answer(app, f"/{h}", ""), answer(app, f"/{h}", h)] for h in habits}, sys.stdout)


if __name__ == "__main__":
    main()
