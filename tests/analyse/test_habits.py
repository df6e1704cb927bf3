"""Habits that reviewers know are told where their calls differ, with who has them and what to look at next."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import importlib
import json
import logging
import re
import socket
import sqlite3
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from httpx2 import Client
from jinja2 import DictLoader, Environment
from pydantic import TypeAdapter

from profpipe.analyse import compare_profiles
from profpipe.analyse.conclusions.conclude import resolve
from profpipe.analyse.conclusions.rules.habits import WORDS
from profpipe.analyse.names.habits import HABITS
from profpipe.capture.profilers.python_agent.yappi.in_server import Collector
from profpipe.model.profile import Profile
from profpipe.model.report import Conclusion, Report
from profpipe.parse import parse_file
from tests.support.python_programs import LIBRARY, Function, report_of
from tests.support.sentence_checks import wrong

REQUESTS = 4
DATABASE = sqlite3.connect(":memory:")
TEMPLATES = Environment()
VALIDATOR = TypeAdapter(int)
LOG = logging.getLogger("habits")
LOG.addHandler(logging.NullHandler())
LOG.propagate = False
ROWS = range(5)
Serve = Callable[[int], object]


def plain(number: int) -> int:
    return number


def one_query(_number: int) -> object:
    return DATABASE.execute("select 1, 2, 3, 4, 5").fetchone()


def query_per_row(_number: int) -> object:
    return [DATABASE.execute("select ?", (row,)).fetchone() for row in ROWS]


def compiled(number: int) -> object:
    return re.compile(rf"habit {time.monotonic_ns()} {number}")


def template_made(_number: int) -> object:
    return Environment()


def validator_built(_number: int) -> object:
    return TypeAdapter(list[int])


def client_made(_number: int) -> object:
    return Client(verify=False)


def connected(_number: int) -> object:
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        return database.total_changes


def sleeping(_number: int) -> object:
    async def handle() -> None:
        time.sleep(0)

    return asyncio.run(handle())


def awaiting(_number: int) -> object:
    async def handle() -> None:
        await asyncio.sleep(0)

    return asyncio.run(handle())


def in_a_thread(_number: int) -> object:
    async def handle() -> int:
        return await asyncio.to_thread(plain, 1)

    return asyncio.run(handle())


def copied(_number: int) -> object:
    return copy.deepcopy({"a": [1, 2]})


def warned(_number: int) -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return warnings.warn("old", DeprecationWarning, stacklevel=1)


def logged(number: int) -> object:
    return LOG.warning("request %d", number)


def imported(_number: int) -> object:
    with contextlib.suppress(ImportError):
        importlib.import_module("profpipe_has_no_such_module")
    return None


def accepted(_number: int) -> object:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        return server.accept()[0].close()


HABIT_OF: dict[str, tuple[Serve, Serve]] = {
    "query": (one_query, query_per_row),
    "regular expression": (plain, compiled),
    "template": (plain, template_made),
    "validator": (plain, validator_built),
    "client": (plain, client_made),
    "database connection": (plain, connected),
    "blocking call": (awaiting, sleeping),
    "thread pool": (awaiting, in_a_thread),
    "deep copy": (plain, copied),
    "warning": (plain, warned),
    "log record": (plain, logged),
    "import": (plain, imported),
    "accepted connection": (plain, accepted),
}


def traced(serve: Serve, folder: Path) -> Profile:
    """What yappi sees of some requests, read as a study's capture is."""
    serve(-1)  # what is imported at the first request is no habit
    collector = Collector({})
    collector.yappi.clear_stats()
    collector.start()
    try:
        for number in range(REQUESTS):
            serve(number)
    finally:
        collector.stop()
    file = folder / f"yappi.{serve.__name__}.json"
    collector.save(str(file))
    collector.yappi.clear_stats()
    return parse_file(file)


def compared(before: Serve, after: Serve, folder: Path) -> Report:
    return compare_profiles([(s.__name__, traced(s, folder), REQUESTS) for s in (before, after)])


def said(report: Report) -> dict[str, Conclusion]:
    """Habit -> the sentence."""
    return {c.id.partition(":")[2].partition(":")[2]: c for c in report.conclusions if c.rule == "habits"}


def test_every_habit_has_its_words_and_its_pair() -> None:
    assert [habit.key for habit in HABITS] == list(WORDS) == list(HABIT_OF)


@pytest.mark.programs
@pytest.mark.parametrize("habit", HABIT_OF)
def test_a_habit_is_told_of_the_variant_that_has_it(habit: str, tmp_path: Path) -> None:
    before, after = HABIT_OF[habit]
    report = compared(before, after, tmp_path)
    assert wrong(report) == []
    found = said(report)[habit]
    assert found.kind == "cause"
    assert found.text.startswith(f"{after.__name__} {WORDS[habit].what}: “")
    assert re.search(
        rf"runs .* per request below “({after.__name__}|handle)” \(analyse/test_habits.py:\d+\)", found.text
    )
    assert found.text.endswith(f" To look at next: {WORDS[habit].advice}.")


@pytest.mark.programs
@pytest.mark.parametrize("habit", HABIT_OF)
def test_a_habit_that_was_given_up_is_told_of_the_baseline(habit: str, tmp_path: Path) -> None:
    after, before = HABIT_OF[habit]
    assert said(compared(before, after, tmp_path))[habit].text.startswith(f"{before.__name__} {WORDS[habit].what}: “")


@pytest.mark.programs
@pytest.mark.parametrize("habit", HABIT_OF)
def test_a_habit_of_both_variants_is_not_told(habit: str, tmp_path: Path) -> None:
    _, has_it = HABIT_OF[habit]
    assert said(compared(has_it, has_it, tmp_path)) == {}


def test_the_calls_of_the_sentence_are_those_of_one_request(tmp_path: Path) -> None:
    report = compared(one_query, query_per_row, tmp_path)
    assert wrong(report) == []
    (found,) = said(report).values()
    assert "runs 5 times per request below “query_per_row”" in found.text
    assert ", once in one_query. " in found.text
    document = json.loads(report.model_dump_json(by_alias=True))
    assert [resolve(document, row.path) for row in found.rows] == [1.0, 5.0] == [row.value for row in found.rows]


def test_a_call_that_blocks_a_thread_of_its_own_is_not_told(tmp_path: Path) -> None:
    def sleeps(_number: int) -> None:
        time.sleep(0)

    assert said(compared(plain, sleeps, tmp_path)) == {}


def test_a_call_that_blocks_a_pool_of_the_loop_is_not_told(tmp_path: Path) -> None:
    def sleeps_in_a_thread(_number: int) -> None:
        async def handle() -> None:
            await asyncio.to_thread(time.sleep, 0)

        asyncio.run(handle())

    assert "blocking call" not in said(compared(awaiting, sleeps_in_a_thread, tmp_path))


def test_a_call_that_blocks_a_loop_in_c_is_told() -> None:
    def server(**calls: int) -> dict[str, Function]:
        cycle = Function(500, {"show": 1}, LIBRARY + "uvicorn/protocols/http/httptools_impl.py")
        sleeps = {name: Function(40, {}, "time") for name in calls}
        return {"run_asgi": cycle, "show": Function(100, calls, line=9), **sleeps}

    found = said(report_of(server(), server(sleep=1)))["blocking call"]
    assert "“sleep” (time) runs once per request below “show” (shop/app.py:9), never in a." in found.text


def client_that_imports(_number: int) -> object:
    for _ in range(3):
        imported(0)
    return Client(verify=False)


@pytest.mark.programs
def test_imports_are_told_after_the_client_that_needs_them(tmp_path: Path) -> None:
    report = compared(plain, client_that_imports, tmp_path)
    assert wrong(report) == []
    assert [c.id.rpartition(":")[2] for c in report.conclusions if c.rule == "habits"][:2] == ["client", "import"]


PAGES = DictLoader({"page": "{% include 'part' %}", "part": "{{ number }}"})
KEPT, FORGETFUL = Environment(loader=PAGES), Environment(loader=PAGES, cache_size=0)


def compiled_once(number: int) -> object:
    return KEPT.get_template("page").render(number=number)


def compiled_twice(number: int) -> object:
    return FORGETFUL.get_template("page").render(number=number)


def with_an_environment(number: int) -> object:
    return Environment(loader=PAGES).get_template("page").render(number=number)


@pytest.mark.programs
def test_an_environment_is_told_before_the_templates_that_it_compiles(tmp_path: Path) -> None:
    found = said(compared(compiled_once, with_an_environment, tmp_path))["template"].text
    assert "“Environment.__init__” (jinja2/environment.py" in found
    assert "runs once per request below “with_an_environment”" in found


@pytest.mark.programs
def test_a_template_is_not_what_compiles_the_template_that_it_includes(tmp_path: Path) -> None:
    found = said(compared(compiled_once, compiled_twice, tmp_path))["template"].text
    assert "“Environment.compile” (jinja2/environment.py" in found
    assert "runs twice per request below “compiled_twice”" in found


def test_twice_as_many_of_few_queries_are_no_query_for_each_row(tmp_path: Path) -> None:
    def two_queries(number: int) -> None:
        one_query(number)
        one_query(number)

    assert said(compared(one_query, two_queries, tmp_path)) == {}
