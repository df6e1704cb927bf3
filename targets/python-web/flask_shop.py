"""A shop on Flask, Jinja2 and SQLite: `python -m gunicorn flask_shop:app`.

Each route answers the same whatever HABIT is. HABIT names one habit that costs: where it is set, one function does
its work in the costly way (the first branch); without it, all do it in the plain way.
"""

from __future__ import annotations

import bisect
import copy
import csv
import datetime
import decimal
import gzip
import hashlib
import hmac
import io
import itertools
import json
import logging
import os
import re
import sqlite3
import tempfile
import warnings
from pathlib import Path

from flask import Flask, Response, g, jsonify, request, session
from jinja2 import Environment, FileSystemLoader
from werkzeug.security import check_password_hash, generate_password_hash

HABIT = os.environ.get("HABIT", "")
HERE = Path(__file__).parent
TEMPLATES = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True)
COUNTER = itertools.count(1)
UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b")
RULES = {country: [{"over": 10 * i, "rate": i / 100} for i in range(8)] for country in ("de", "fr", "it")}
DISCOUNTS = {f"sku-{i:03}": 5 for i in range(0, 100, 10)}
ASSETS = {name: (HERE / "templates" / name).stat().st_size for name in ("invoice.html", "layout.html")}
PASSWORD = "correct horse battery staple"
STORED_PASSWORD = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1000", salt_length=8)
STORED_TOKEN = hashlib.sha256(PASSWORD.encode()).hexdigest()

log = logging.getLogger("shop")
log.addHandler(logging.FileHandler(os.devnull))
log.setLevel(logging.INFO)
log.propagate = False

app = Flask(__name__)
app.secret_key = "not a secret: this shop is a test"
store = tempfile.NamedTemporaryFile(suffix=".db")  # noqa: SIM115 - it lasts as long as the process


def fill() -> None:
    """50 customers and 3,000 orders, twice: with and without an index."""
    with sqlite3.connect(store.name) as db:
        db.execute("create table customers (id integer primary key, name text)")
        db.executemany("insert into customers values (?, ?)", [(i, f"Customer {i}") for i in range(50)])
        for table in ("orders", "old_orders"):
            db.execute(f"create table {table} (id integer primary key, customer integer, number text, cents integer)")
            rows = [(i, i % 50, f"A-{i:05}", 199 + i) for i in range(3000)]
            db.executemany(f"insert into {table} values (?, ?, ?, ?)", rows)
        db.execute("create index orders_by_number on orders (number)")


fill()
shared = sqlite3.connect(store.name, check_same_thread=False)


def database() -> sqlite3.Connection:
    """The connection of this request."""
    if HABIT == "connection":
        g.db = sqlite3.connect(store.name)
        g.db.execute("pragma foreign_keys = on")
        return g.db
    return shared


@app.teardown_request
def close_database(_error: BaseException | None) -> None:
    if "db" in g:
        g.db.close()


def orders_with_names() -> list[tuple[str, str]]:
    if HABIT == "query-per-row":
        orders = shared.execute("select number, customer from orders limit 30").fetchall()
        one = "select name from customers where id = ?"
        return [(number, shared.execute(one, (customer,)).fetchone()[0]) for number, customer in orders]
    joined = "select number, name from orders join customers on customers.id = customer where orders.id < 30"
    return shared.execute(joined).fetchall()


def order_numbered(number: str) -> tuple[int, int]:
    table = "old_orders" if HABIT == "index" else "orders"
    return shared.execute(f"select id, cents from {table} where number = ?", (number,)).fetchone()


def invoice_page(rows: list[dict[str, object]]) -> str:
    if HABIT == "template-environment":
        here = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True)
        return here.get_template("invoice.html").render(rows=rows)
    return TEMPLATES.get_template("invoice.html").render(rows=rows)


def without_ids(text: str, request_id: str) -> str:
    """The text without the id of the request, for the public log."""
    if HABIT == "regex":
        return re.sub(rf"\b{re.escape(request_id)}\b", "-", text)
    return UUID.sub("-", text)


def plain_types(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    if HABIT == "double-serialisation":
        return json.loads(json.dumps(rows, default=str))
    return [{name: value if isinstance(value, int) else str(value) for name, value in row.items()} for row in rows]


def rules_for(country: str) -> list[dict[str, float]]:
    if HABIT == "deepcopy":
        return copy.deepcopy(RULES)[country]
    return RULES[country]


class NoDiscountError(Exception):
    """An article that is not reduced."""


def discount_of(sku: str) -> int:
    if HABIT == "exception":
        try:
            if sku not in DISCOUNTS:
                raise NoDiscountError(f"{sku} is not reduced")
            return DISCOUNTS[sku]
        except NoDiscountError:
            return 0
    return DISCOUNTS.get(sku, 0)


def price_of(cents: int) -> float:
    if HABIT == "warning":
        warnings.warn("price_of is deprecated: use cents", DeprecationWarning, stacklevel=2)
    return cents / 100


def packed(cents: list[int]) -> int:
    for parcel in cents:
        if HABIT == "log-record":
            log.info("packed a parcel of %d", parcel)
    return sum(cents)


def compressed(body: bytes) -> bytes:
    return gzip.compress(body, 9 if HABIT == "gzip-level" else 1, mtime=0)


def is_known(password: str) -> bool:
    if HABIT == "password-hash":
        return check_password_hash(STORED_PASSWORD, password)
    return hmac.compare_digest(hashlib.sha256(password.encode()).hexdigest(), STORED_TOKEN)


def remember(page: str) -> None:
    if HABIT == "session":
        session["page"] = page
    else:
        g.page = page


def loads(text: str) -> object:
    if HABIT == "import":
        try:
            import ujson as fast  # type: ignore[import-not-found]
        except ImportError:
            fast = json
        return fast.loads(text)
    return json.loads(text)


def asset_url(name: str) -> str:
    if HABIT == "stat":
        return f"/static/{name}?v={(Path(__file__).resolve().parent / 'templates' / name).stat().st_size}"
    return f"/static/{name}?v={ASSETS[name]}"


def day_of(text: str) -> datetime.datetime:
    if HABIT == "strptime":
        return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S")
    return datetime.datetime.fromisoformat(text)


def total_of(cents: list[int]) -> str:
    if HABIT == "decimal":
        return f"{sum((decimal.Decimal(str(c)) / decimal.Decimal('100') for c in cents), decimal.Decimal(0)):.2f}"
    whole = sum(cents)
    return f"{whole // 100}.{whole % 100:02}"


def exported(rows: list[tuple[str, int]]) -> bytes:
    if HABIT == "bytes-copied":
        body = b""
        for number, cents in rows:
            body += f"{number},{cents}\r\n".encode()
        return body
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def ranks(prices: list[int]) -> list[int]:
    if HABIT == "sort-in-loop":
        return [sorted(prices).index(price) for price in prices]
    ordered = sorted(prices)
    return [bisect.bisect_left(ordered, price) for price in prices]


class Basket:
    """What a customer wants to buy."""

    def __init__(self, cents: list[int]) -> None:
        self.cents = cents
        self.kept: int | None = None

    @property
    def total(self) -> int:
        if HABIT == "property" or self.kept is None:
            self.kept = sum(cents * 119 // 100 for cents in self.cents)
        return self.kept


@app.get("/query-per-row")
def show_orders() -> Response:
    return jsonify(orders_with_names())


@app.get("/connection")
def show_count() -> Response:
    return jsonify(database().execute("select name from customers where id = 7").fetchone())


@app.get("/index")
def show_order() -> Response:
    return jsonify(order_numbered("A-02500"))


@app.get("/template-environment")
def show_invoice() -> str:
    return invoice_page([{"name": f"Chair {i}", "price": i} for i in range(10)])


@app.get("/regex")
def show_text() -> str:
    n = next(COUNTER)
    request_id = f"{n:08x}-0000-4000-8000-{n:012x}"
    return without_ids(f"The request {request_id} was answered.", request_id)


@app.get("/double-serialisation")
def show_rows() -> Response:
    day = datetime.date(2026, 11, 30)
    return jsonify(plain_types([{"id": i, "name": f"Chair {i}", "day": day} for i in range(25)]))


@app.get("/deepcopy")
def show_rules() -> Response:
    return jsonify(rules_for("fr"))


@app.get("/exception")
def show_discounts() -> Response:
    return jsonify(sum(discount_of(f"sku-{i:03}") for i in range(200)))


@app.get("/warning")
def show_prices() -> Response:
    return jsonify([price_of(cents) for cents in range(40)])


@app.get("/log-record")
def show_packed() -> Response:
    return jsonify(packed([200, 400, 600, 800, 1000]))


@app.get("/gzip-level")
def show_catalogue() -> Response:
    body = "\n".join(f"{i} chair {i * i % 977} {i * 7919 % 10007}" for i in range(400)).encode()
    return Response(compressed(body), headers={"Content-Encoding": "gzip"})


@app.get("/password-hash")
def show_account() -> Response:
    return jsonify(is_known(request.headers.get("X-Password", PASSWORD)))


@app.get("/session")
def show_page() -> Response:
    remember("chairs")
    return jsonify("chairs")


@app.get("/import")
def show_loaded() -> Response:
    return jsonify(loads('{"chairs": 4}'))


@app.get("/stat")
def show_assets() -> Response:
    return jsonify([asset_url(name) for name in ASSETS for _ in range(4)])


@app.get("/strptime")
def show_days() -> Response:
    return jsonify([day_of(f"2026-11-{i:02}T08:30:00").day for i in range(1, 26)])


@app.get("/decimal")
def show_total() -> Response:
    return jsonify(total_of(list(range(199, 259))))


@app.get("/bytes-copied")
def show_export() -> Response:
    return Response(exported([(f"A-{i:05}", 199 + i) for i in range(3000)]), mimetype="text/csv")


@app.get("/sort-in-loop")
def show_ranks() -> Response:
    return jsonify(ranks([i * 7919 % 1009 for i in range(60)]))


@app.get("/property")
def show_basket() -> Response:
    basket = Basket(list(range(100, 400)))
    return jsonify(net=basket.total, tax=basket.total * 19 // 119, free=basket.total > 5000, gifts=basket.total // 2000)


@app.get("/control")
def show_all() -> Response:
    return jsonify(rules=rules_for("fr"), total=total_of([199, 299]), discount=discount_of("sku-010"))
