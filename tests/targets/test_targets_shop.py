"""The shop of targets/shop: both variants answer alike, and one asks its database for every row."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from profpipe.capture.services.queries.registry import queries_of
from profpipe.capture.services.running import RunningService, filled, running_service
from profpipe.study.read import read_study_file
from tests.support.paths import ROOT
from tests.support.services_driving import require_postgres

SHOP = ROOT / "targets" / "shop"
ASK = """
import json, sys
from fastapi.testclient import TestClient
import shop
with TestClient(shop.app) as client:
    token = client.post("/login", json={"user": "user1", "password": "secret"}).json()["token"]
    order = {"product": 3, "many": 2}
    print(json.dumps({
        "list": client.get("/products").json(),
        "detail": client.get("/products/7").json(),
        "no product": client.get("/products/7777").status_code,
        "wrong password": client.post("/login", json={"user": "user1", "password": "x"}).status_code,
        "order": client.post("/orders", json=order, headers={"Authorization": "Bearer " + token}).status_code,
        "order of nobody": client.post("/orders", json=order).status_code,
    }))
"""


def test_the_study_uses_its_database() -> None:
    study = read_study_file(SHOP / "profpipe.toml").file.study["shop"]
    assert list(study.used_services) == ["db"]
    assert [route.name for route in study.load.routes] == ["login", "list", "detail", "order"]


def answers(db: RunningService, **env: str) -> dict[str, Any]:
    url = filled(db.service.provides["DATABASE_URL"], db.values)
    given = {**os.environ, "DATABASE_URL": url, **env}
    done = subprocess.run([sys.executable, "-c", ASK], cwd=SHOP, env=given, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.real
def test_both_variants_answer_alike_and_one_asks_for_every_row() -> None:
    """Skipped without the extra `web`, in CI too: it is not part of the locked development environment."""
    require_postgres()
    if missing := [name for name in ("fastapi", "httpx", "psycopg") if importlib.util.find_spec(name) is None]:
        pytest.skip(f"{', '.join(missing)} missing: make .venv/.web")
    service = read_study_file(SHOP / "profpipe.toml").file.study["shop"].used_services["db"]
    with running_service("db", service) as db:
        joined = answers(db)
        once = queries_of(db)
        assert answers(db, SHOP_LIST="per-row") == joined
        sellers = "SELECT name FROM sellers WHERE id = $1"
        assert queries_of(db)[sellers] - once.get(sellers, 0) == 100
    assert len(joined.pop("list")) == 100
    assert joined.pop("detail")["name"] == "product 7"
    assert joined == {"no product": 404, "wrong password": 401, "order": 201, "order of nobody": 401}
