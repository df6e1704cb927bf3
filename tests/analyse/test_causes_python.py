"""Causes of Python servers: event loops, coroutines, pools of threads, hooks, built-in functions, changed own code."""

from __future__ import annotations

from dataclasses import replace

from profpipe.model.report import Cause
from tests.support.python_programs import LIBRARY, STANDARD, Function, Server, report_of
from tests.support.sentence_checks import wrong

LOOP = STANDARD + "asyncio/base_events.py"
EVENTS = STANDARD + "asyncio/events.py"


def first(before: Server, after: Server, *, with_traced: bool = True) -> tuple[Cause, str]:
    """The first cause as data and in words."""
    report = report_of(before, after, with_traced=with_traced)
    assert wrong(report) == []
    said = [c for c in report.conclusions if c.rule == "functions"]
    return report.causes[0], said[0].text


def names(cause: Cause) -> list[str]:
    return [step.function.name for step in cause.steps]


def board(*, in_pool: bool) -> dict[str, Function]:
    """An asyncio server: the loop runs `show`, which awaits `shortened`, itself or in the pool of threads."""
    calls = {"BaseEventLoop.run_in_executor": 4} if in_pool else {"short": 4}
    waits = 5 if in_pool else 1
    server = {
        "BaseEventLoop._run_once": Function(300 * waits, {"Handle._run": 3 * waits}, LOOP),
        "Handle._run": Function(200 * waits, {"show": 1}, EVENTS),
        "show": Function(100 * waits, {"shortened": 1}, line=9, resumed=waits),
        "shortened": Function(100 * waits, calls, line=5, resumed=waits),
        "short": Function(400, {}, line=2),
    }
    if in_pool:
        server |= {
            "BaseEventLoop.run_in_executor": Function(2000, {}, LOOP),
            "_worker": Function(10, {"_WorkItem.run": 4}, STANDARD + "concurrent/futures/thread.py"),
            "_WorkItem.run": Function(900, {"short": 4}, STANDARD + "concurrent/futures/thread.py"),
        }
    return server


def test_own_code_is_named_and_not_the_loop_that_runs_it() -> None:
    cause, text = first(board(in_pool=False), board(in_pool=True))
    assert names(cause)[cause.entry] == "BaseEventLoop.run_in_executor"
    assert "only in b “shortened” (shop/app.py:5) calls “BaseEventLoop.run_in_executor”" in text
    assert not {"BaseEventLoop._run_once", "Handle._run"} & set(names(cause))


def test_a_coroutine_that_is_resumed_more_often_is_not_called_more_often() -> None:
    for with_traced in (True, False):
        cause, _ = first(board(in_pool=False), board(in_pool=True), with_traced=with_traced)
        assert names(cause)[cause.entry] == "BaseEventLoop.run_in_executor"
    cause, _ = first(board(in_pool=False), board(in_pool=True))
    assert [step.after.calls for step in cause.steps if step.function.name == "shortened"] == [1.0]


def test_the_own_function_that_a_pool_of_threads_runs_is_named() -> None:
    cause, text = first(board(in_pool=False), board(in_pool=True))
    assert cause.runs is not None
    assert cause.runs.name == "short"
    assert "It runs the server's own “short” (shop/app.py:2)." in text


def test_what_both_variants_leave_to_the_pool_is_not_named() -> None:
    after = board(in_pool=True)
    after["BaseEventLoop.run_in_executor"] = replace(after["BaseEventLoop.run_in_executor"], own=4000)
    assert first(board(in_pool=True), after)[0].runs is None


def framework(**middleware: Function) -> dict[str, Function]:
    calls = dict.fromkeys(middleware, 1) or {"route": 1}
    return {"serve": Function(500, calls, LIBRARY + "web/server.py"), **middleware, "route": Function(100, {}, line=20)}


def test_own_code_that_a_library_calls_back_is_named() -> None:
    slow = {
        "Middleware.__call__": Function(9000, {"add_header": 1}, LIBRARY + "web/middleware.py"),
        "add_header": Function(50, {"route": 1}, line=7),
    }
    cause, text = first(framework(), framework(**slow))
    assert cause.runs is not None
    assert cause.runs.name == "add_header"
    assert "calls “Middleware.__call__” (web/middleware.py:1), once per request" in text
    assert "It runs the server's own “add_header” (shop/app.py:7)." in text


def test_own_code_that_both_variants_call_back_is_not_named() -> None:
    def middleware(own: int) -> dict[str, Function]:
        library = Function(own, {"add_header": 1}, LIBRARY + "web/middleware.py")
        return framework(**{"Middleware.__call__": library, "add_header": Function(50, {"route": 1}, line=7)})

    assert first(middleware(500), middleware(9000))[0].runs is None


def ranks(sorts: int, cost: int = 60) -> dict[str, Function]:
    return {
        "view": Function(100, {"ranks": 1}, line=30),
        "ranks": Function(200, {"sorted": sorts, "len": 1}, line=12),
        "sorted": Function(cost * sorts, {}, "builtins"),
        "len": Function(2, {}, "builtins"),
    }


def test_a_built_in_function_that_is_called_more_often_is_named_with_its_calls() -> None:
    cause, text = first(ranks(1), ranks(60))
    assert [(c.function.name, c.before, c.after) for c in cause.built_ins] == [("sorted", 1.0, 60.0)]
    assert "“ranks” (shop/app.py:12)" in text
    assert "It calls the built-in “sorted” 60 times per request instead of once." in text


def test_a_built_in_function_that_costs_more_per_call_is_named() -> None:
    cause, text = first(ranks(2, cost=60), ranks(2, cost=900))
    assert [c.function.name for c in cause.built_ins] == ["sorted"]
    assert "Most of it is in the built-in “sorted”, which it calls twice per request in both." in text


def test_no_built_in_function_is_named_where_python_code_holds_the_difference() -> None:
    after = ranks(1)
    after["ranks"] = replace(after["ranks"], calls={"sorted": 2, "len": 1, "slow": 1})
    after["slow"] = Function(9000, {}, line=50)
    assert first(ranks(1), after)[0].built_ins == ()


def test_a_method_of_a_built_in_class_is_named_as_source_code_does() -> None:
    def queries(many: int) -> dict[str, Function]:
        name = "<method 'execute' of 'sqlite3.Connection' objects>"
        return {
            "view": Function(100, {"rows": 1}, line=30),
            "rows": Function(100, {name: many}, line=8),
            name: Function(500 * many, {}, "builtins"),
        }

    _, text = first(queries(1), queries(31))
    assert "It calls the built-in “sqlite3.Connection.execute” 31 times per request instead of once." in text


def closing(*, closes: bool) -> dict[str, Function]:
    """A server whose own code asks for what costs elsewhere: each connection is closed, so that each is accepted."""
    page = {"json_response": 1} | ({"Response.force_close": 1} if closes else {})
    server = {
        "Handle._run": Function(100, {"show": 1} | ({"accept": 1} if closes else {}), EVENTS),
        "show": Function(100, page, line=40),
        "json_response": Function(50, {}, LIBRARY + "web/response.py", 3),
        "Response.force_close": Function(5, {}, LIBRARY + "web/response.py", 70),
        "accept": Function(9000, {}, STANDARD + "asyncio/selector_events.py", 167),
    }
    return server if closes else {n: f for n, f in server.items() if n not in ("Response.force_close", "accept")}


def test_where_no_own_code_is_on_the_way_its_changed_calls_are_told() -> None:
    cause, text = first(closing(closes=False), closing(closes=True))
    assert cause.own is None
    assert "only in b “accept” (asyncio/selector_events.py:167) runs, once per request." in text
    assert (
        "The server's own code differs: “show” (shop/app.py:40) calls “Response.force_close” (web/response.py:70) once "
        "per request in b, never in a."
    ) in text


def test_own_code_that_calls_the_same_is_not_told_to_differ() -> None:
    before, after = closing(closes=True), closing(closes=True)
    after["accept"] = replace(after["accept"], own=20_000)
    cause, text = first(before, after)
    assert cause.own_calls == ()
    assert "own code differs" not in text


def test_the_same_server_has_no_cause() -> None:
    for server in (board(in_pool=True), ranks(60), closing(closes=True)):
        report = report_of(server, server)
        assert report.causes == ()
        assert [c for c in report.conclusions if c.kind == "cause"] == []


def test_lines_that_callgrind_does_not_know_are_those_of_the_traced_profiler() -> None:
    cause, _ = first(ranks(1), ranks(60))
    assert [step.function.line for step in cause.steps] == [30, 12]
    cause, _ = first(ranks(1), ranks(60), with_traced=False)
    assert [step.function.line for step in cause.steps] == [None, None]


def handler(*, connects: bool) -> dict[str, Function]:
    """A handler that opens a connection, and then waits longer for it: three things that cost, none of them most."""
    return {
        "serve": Function(500, {"show": 1}, LIBRARY + "web/server.py"),
        "show": Function(400 if connects else 100, {"database": 1, "fetch": 1, "page": 1}, line=9),
        "database": Function(100 if connects else 10, {"connect": 1} if connects else {}, line=3),
        "fetch": Function(400 if connects else 100, {}, LIBRARY + "driver/cursor.py"),
        "page": Function(300 if connects else 100, {}, LIBRARY + "web/page.py"),
        **({"connect": Function(420, {}, "driver")} if connects else {}),
    }


def test_of_a_handler_with_several_costs_the_largest_is_named() -> None:
    cause, text = first(handler(connects=False), handler(connects=True))
    assert names(cause)[-2:] == ["show", "database"]
    assert "% of it in “database” (shop/app.py:3)" in text
    assert "calls the built-in “connect” (driver) once per request instead of never" in text


def test_a_handler_whose_cost_is_its_own_is_named_alone() -> None:
    after = handler(connects=True)
    after["show"] = replace(after["show"], own=9000)
    cause, _ = first(handler(connects=False), after)
    assert names(cause)[-1] == "show"
