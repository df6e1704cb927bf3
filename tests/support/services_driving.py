"""Services of this machine for tests: Redis, and PostgreSQL where it is installed."""

from __future__ import annotations

from glob import glob
from typing import Any

import pytest

from tests.support.paths import SERVERS

REDIS: dict[str, Any] = {
    "command": ["redis-server", "--port", "{port}", "--save", "", "--dir", "{data}"],
    "provides": {"CACHE": "{host}:{port}"},
}
POSTGRES_BIN = "/usr/lib/postgresql/*/bin"
POSTGRES: dict[str, Any] = {
    "path": [POSTGRES_BIN],
    "user": "postgres",
    "prepare": [["initdb", "-D", "{data}", "-U", "postgres", "--auth=trust", "--no-sync", "--no-instructions"]],
    "command": ["postgres", "-D", "{data}", "-p", "{port}", "-k", "{data}", "-c", "fsync=off"],
    "stop": "SIGINT",
    "provides": {"DATABASE_URL": "postgresql://postgres@{host}:{port}/shop"},
}


def require_postgres() -> None:
    """Skip the test where Debian's PostgreSQL is not installed: CI has Redis only, whose package starts no server."""
    if not glob(POSTGRES_BIN):  # noqa: PTH207 - the pattern is a whole path
        pytest.skip("PostgreSQL is missing: apt install postgresql")


def asks_redis(queries: int, *ends: str) -> dict[str, Any]:
    """A target of tests/servers/asks_redis.py."""
    program = str(SERVERS / "asks_redis.py")
    return {"command": ["{python}", program, "{port}", str(queries), *ends], "language": "python"}
