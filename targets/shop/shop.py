"""A small shop on PostgreSQL: log in, list, detail, order. SHOP_LIST=per-row asks for the seller of each row by itself.

Run as `uvicorn shop:app`; DATABASE_URL says where its database is, and shop.sql fills that.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, Header, HTTPException
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool
from pydantic import BaseModel

PER_ROW = os.environ.get("SHOP_LIST") == "per-row"
# The same in every start, so that a token of one is good in the next.
SECRET = os.environ.get("SHOP_SECRET", "only for this study").encode()
POOL = ConnectionPool(
    os.environ["DATABASE_URL"], min_size=8, max_size=8, open=False, kwargs={"autocommit": True, "row_factory": dict_row}
)
PRODUCTS = "SELECT id, name, cents, seller FROM products ORDER BY id LIMIT 100"
SELLER = "SELECT name FROM sellers WHERE id = %s"
JOINED = """
SELECT products.id, products.name, cents, sellers.name AS seller
FROM products JOIN sellers ON sellers.id = seller ORDER BY products.id LIMIT 100
"""


class Login(BaseModel):
    user: str
    password: str


class Order(BaseModel):
    product: int
    many: int


@asynccontextmanager
async def open_pool(_: FastAPI) -> AsyncIterator[None]:
    POOL.open(wait=True)
    yield
    POOL.close()


app = FastAPI(lifespan=open_pool)


def token_of(user: str) -> str:
    return f"{user}:{hmac.new(SECRET, user.encode(), hashlib.sha256).hexdigest()}"


def user_of(authorization: str) -> str:
    """Who sends `Bearer TOKEN`. Status 401 for anybody else."""
    token = authorization.removeprefix("Bearer ")
    user = token.partition(":")[0]
    if not hmac.compare_digest(token, token_of(user)):
        raise HTTPException(401, "log in first")
    return user


@app.get("/ready")
def ready() -> str:
    return "ok"


@app.post("/login")
def login(given: Login) -> dict[str, str]:
    with POOL.connection() as db:
        found = db.execute("SELECT salt, hash FROM users WHERE name = %s", (given.user,)).fetchone()
    if found is None or hashlib.sha256((found["salt"] + given.password).encode()).hexdigest() != found["hash"]:
        raise HTTPException(401, "unknown user or wrong password")
    return {"token": token_of(given.user)}


@app.get("/products")
def products() -> list[dict[str, Any]]:
    with POOL.connection() as db:
        if not PER_ROW:
            return db.execute(JOINED).fetchall()
        rows = db.execute(PRODUCTS).fetchall()
        for row in rows:
            seller = db.execute(SELLER, (row["seller"],)).fetchone()
            row["seller"] = seller["name"] if seller else None
        return rows


@app.get("/products/{number}")
def product(number: int) -> dict[str, Any]:
    with POOL.connection() as db:
        found = db.execute("SELECT id, name, cents, about FROM products WHERE id = %s", (number,)).fetchone()
    if found is None:
        raise HTTPException(404, "no such product")
    return found


@app.post("/orders", status_code=201)
def order(given: Order, authorization: Annotated[str, Header()] = "") -> dict[str, Any]:
    user = user_of(authorization)
    with POOL.connection() as db:
        made = db.execute(
            "INSERT INTO orders (buyer, product, many) SELECT id, %s, %s FROM users WHERE name = %s RETURNING id",
            (given.product, given.many, user),
        ).fetchone()
    if made is None:
        raise HTTPException(401, "unknown user")
    return made
