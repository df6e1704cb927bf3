"""Queries counted by a service's own statistics: exact, and a reason where they cannot be had."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from profpipe.capture.server.layout import draw
from profpipe.capture.server.placement import place
from profpipe.capture.services.beside import Beside
from profpipe.capture.services.queries.registry import queries_of
from profpipe.capture.services.running import RunningService, running_service
from profpipe.capture.side_by_side import Variant
from profpipe.errors import CaptureError
from profpipe.model.start import Queries, RoutePlan, SlicePlan
from profpipe.pipeline.slices.start import Setting, measure_start
from profpipe.study.requests import Request, Route
from profpipe.study.schema import Target
from profpipe.study.service import Service
from tests.support.services_driving import POSTGRES, REDIS, asks_redis, require_postgres
from tests.support.tools import require

pytestmark = pytest.mark.real
PLAN = SlicePlan(8, 40, 4, 4, (RoutePlan("all", 40), RoutePlan("one", 40)))
ROUTES = (Route(name="all", path="/all"), Route(name="one", path="/one"))


def service(given: dict[str, Any], **more: Any) -> Service:
    return Service.model_validate({**given, "cwd": "/", **more})


def test_one_query_and_a_query_for_each_row_are_counted_exactly(tmp_path: Path) -> None:
    """By slices: the CPU of the service is that of the variant under load."""
    require("redis-server")
    with running_service("cache", service(REDIS, queries="redis")) as cache:
        beside = Beside({"cache": cache})
        variants = [
            Variant(name, beside.told(Target.model_validate(asks_redis(many)), ("cache",)), Request(), routes=ROUTES)
            for name, many in (("one", 1), ("many", 101))
        ]
        setting = Setting(tmp_path, place("same-core"), connections=4, warm_up=16, beside=beside)
        start = measure_start(variants, draw(1, 1), PLAN, setting, seed=1, idle_s=0.05)
    assert start.lost is None
    one, many = start.variants["one"], start.variants["many"]
    assert one.queries == {"cache": {"all": Queries(40, {"GET": 40}), "one": Queries(40, {"GET": 40})}}
    assert many.queries == {"cache": {"all": Queries(40, {"GET": 4040}), "one": Queries(40, {"GET": 40})}}
    assert all(asked >= PLAN.lead + PLAN.requests for asked in many.asked)
    # 101 commands cost more than one, on a machine of any speed.
    assert sum(many.routes["all"].services_ns["cache"]) > 3 * sum(one.routes["all"].services_ns["cache"])


def test_a_service_that_is_no_redis_gives_the_reason() -> None:
    require("redis-server")
    given = service({**REDIS, "command": [*REDIS["command"], "--requirepass", "secret"]}, queries="redis")
    with running_service("cache", given) as cache, pytest.raises(CaptureError, match="NOAUTH"):
        queries_of(cache)


def ask(db: RunningService, text: str) -> None:
    at = ["psql", "-h", "127.0.0.1", "-p", str(db.port), "-U", "postgres", "-Xqc", text]
    subprocess.run(at, check=True, capture_output=True)


def test_postgresql_counts_each_statement() -> None:
    require_postgres()
    loaded = [*POSTGRES["command"], "-c", "shared_preload_libraries=pg_stat_statements"]
    with running_service("db", service(POSTGRES, command=loaded, queries="postgresql")) as db:
        ask(db, "create table kept (a int)")
        before = queries_of(db)
        ask(db, "begin; " + "select a from kept where a = 1; " * 3 + "select a from kept where a = 2; commit")
        after = queries_of(db)
        found = {text: calls - before.get(text, 0) for text, calls in after.items() if calls != before.get(text, 0)}
        assert found == {"select a from kept where a = $1": 4}
        with pytest.raises(CaptureError, match="onnection"):
            queries_of(replace(db, port=1))


def test_postgresql_without_its_module_says_which_line_to_set() -> None:
    require_postgres()
    told = pytest.raises(CaptureError, match='add "-c", "shared_preload_libraries=pg_stat_statements"')
    with running_service("db", service(POSTGRES, queries="postgresql")) as db, told:
        queries_of(db)
