"""The first screen of a comparison of two commits, from a real report: a loop in work.c runs 1,400 times, not 1,000."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from profpipe.model.report import Report
from profpipe.publish.interface import Pages
from profpipe.publish.sources import RepositoryPages
from profpipe.render.comment.links import Links
from profpipe.render.comment.markdown import render_comment, verdict_line
from profpipe.render.page.html import render_page
from profpipe.render.terminal.report import render_verdict
from tests.support.paths import DATA

FORGE = RepositoryPages("https://git.example/team/shop", Pages("commit/{sha}", "blob/{sha}/{path}"))
LINKS = Links("https://ci.example/1", FORGE)
BASE, HEAD, CPU = "0a784c97", "d5935ec2", "clean:cpu_us"
SENTENCE = (
    " makes GET /item 9.6 % more expensive (1.087× to 1.105×): answer() in work.c:6 executes 2,800 more instructions "
    "per request; called once, as before."
)


def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / "report" / "answer-slower.json").read_text())
    return found


def report(change: Callable[[dict[str, Any]], object] = lambda _: None) -> Report:
    data = document()
    change(data)
    return Report.model_validate(data)


def against(data: dict[str, Any], key: str) -> dict[str, Any]:
    found: dict[str, Any] = data["variants"][1]["against_baseline"][key]
    return found


def function(data: dict[str, Any]) -> dict[str, Any]:
    rows = [row for category in data["hotspots"][0]["rows"] for row in category["functions"]]
    return next(row for row in rows if row["function"]["name"] == "answer")


def unmarked(line: str) -> str:
    return re.sub(r"[*`]", "", re.sub(r"\[(.*?)\]\(.*?\)", r"\1", line))


def test_the_first_line_names_size_function_line_and_calls() -> None:
    first = render_comment(report(), links=LINKS).splitlines()[0]
    assert unmarked(first) == "This pull request" + SENTENCE
    assert "**9.6 % more expensive**" in first
    sha = document()["variants"][1]["commit"]["commit"]
    assert f"[`work.c:6`](https://git.example/team/shop/blob/{sha}/work.c#L6)" in first


def test_terminal_and_page_begin_with_the_same_sentence() -> None:
    console = Console(width=400)
    with console.capture() as printed:
        console.print(render_verdict(report()))
    assert printed.get().startswith("This change" + SENTENCE)
    heading = re.search(r'<h1 id="change">(.*?)</h1>', render_page(report()))
    assert heading
    assert re.sub(r"<.*?>", "", heading.group(1)).replace("\u00a0", " ") == "This change" + SENTENCE


def test_both_are_drawn_as_bars_from_zero() -> None:
    drawn = re.search(r"```text\n(.*?)\n```", render_comment(report()), re.S)
    assert drawn
    assert drawn.group(1).splitlines() == [
        "CPU time per request",
        "base 4.97 µs ████████████████▋",
        "head 5.39 µs ██████████████████ 1.096×",
    ]


def test_the_open_part_fits_a_phone_and_the_whole_stays_small() -> None:
    text = render_comment(report(), links=LINKS)
    shown = unmarked(text.partition("<details>")[0])
    # A comment at 390 px has some 46 characters a line.
    lines = sum(-(-len(line) // 46) for line in shown.splitlines() if line and line[:3] != "```")
    assert lines <= 14
    assert len(text.encode()) <= 8_000


def test_no_hash_is_shown_twice_and_no_table_has_more_than_four_columns() -> None:
    shown = re.sub(r"\]\(.*?\)", "]", render_comment(report(), links=LINKS))
    hashes = re.findall(r"0a784c9\w*|d5935ec\w*", shown)
    assert sorted(hashes) == ["0a784c9", "d5935ec"]
    assert max(line.count("|") for line in shown.splitlines() if line.startswith("|")) == 5


def test_an_improvement_is_told_as_one() -> None:
    def faster(data: dict[str, Any]) -> None:
        against(data, CPU).update(verdict="better", ratio=0.71, low=0.70, high=0.72)
        data["waterfall"][0]["gap"] = -2800.0
        cells = function(data)["cells"]
        cells[BASE], cells[HEAD] = cells[HEAD] | {"verdict": None}, cells[BASE] | {"verdict": "better"}

    first = unmarked(render_comment(report(faster)).splitlines()[0])
    assert first.startswith(
        "This pull request makes GET /item 29 % cheaper (0.700× to 0.720×): answer() in work.c:6 executes"
    )
    assert "2,800 fewer instructions" in first


def test_large_changes_are_factors_and_instructions_lead_where_cpu_time_is_undecided() -> None:
    def undecided(data: dict[str, Any]) -> None:
        against(data, CPU).update(verdict="cannot tell", why="p 0.3")

    text = render_comment(report(undecided))
    assert unmarked(text.splitlines()[0]).startswith(
        "This pull request makes GET /item execute 30 % more instructions: "
    )
    threefold = report(lambda data: against(data, CPU).update(ratio=3.12, low=3.0, high=3.2))
    assert "**3.12 times as expensive**" in render_comment(threefold)


def test_what_is_called_more_often_says_how_often() -> None:
    def thrice(data: dict[str, Any]) -> None:
        function(data)["cells"][HEAD]["calls"] = 3.0

    assert "; called 3 times instead of once." in render_comment(report(thrice))


def test_a_function_that_only_calls_what_costs_more_is_named_with_it() -> None:
    def moved_inside(data: dict[str, Any]) -> None:
        function(data)["cells"][HEAD].update(self=7009.0, total=10685.0, verdict="no change")

    first = unmarked(render_comment(report(moved_inside)).splitlines()[0])
    assert "answer() in work.c:6 and what it calls execute 2,800 more instructions per request" in first


def test_memory_and_latency_do_not_lead_where_the_cost_is_undecided() -> None:
    def memory(data: dict[str, Any]) -> None:
        against(data, CPU).update(verdict="cannot tell", why="the starts differ too much")
        against(data, "callgrind:instructions").update(verdict="no change")
        against(data, "clean:rss").update(verdict="worse", ratio=1.12, low=1.1, high=1.14)

    lines = [line for line in render_comment(report(memory)).splitlines() if line]
    assert lines[0] == (
        "**Undecided: whether this pull request changes what GET /item costs: the starts differ too much.**"
    )
    assert lines[1] == "Peak memory is 12 % higher (1.100× to 1.140×)."


def test_a_status_has_function_and_line_in_140_characters() -> None:
    assert verdict_line(report(), 140) == "GET /item is 9.6 % more expensive: answer() in work.c:6"


def test_the_gate_and_what_was_accepted_are_said_without_hashes() -> None:
    def failed(data: dict[str, Any]) -> None:
        data["gate"] = {
            "asked": ["cost:5%"], "failed": True, "hits": [f"{HEAD}: CPU time per request is worse by 9.6 %"],
            "accepted": [f"{HEAD}: peak memory is worse by 3.0 %; accepted by Ann (up to 4.0 %): a cache"],
        }  # fmt: skip

    text = render_comment(report(failed))
    assert "**The gate fails** (asked: cost:5%): CPU time per request is worse by 9.6 %." in text
    assert "Accepted regression: peak memory is worse by 3.0 %; accepted by Ann (up to 4.0 %): a cache." in text


@pytest.mark.parametrize("path", ["a b.c", "x](javascript:1).c", "ü/ö.c", "a#b?c.c", "\udcff.c"])
def test_a_hostile_path_is_a_link_that_ends_where_it_should(path: str) -> None:
    url = FORGE.line("d5" * 20, path, 6)
    assert re.fullmatch(r"https://git\.example/team/shop/blob/(?:d5){20}/[A-Za-z0-9%/._-]+#L6", url)


def of_fastapi(change: Callable[[dict[str, Any]], object] = lambda _: None) -> Report:
    """FastAPI on uvicorn: JSONResponse against one that uses orjson, its two variants taken for two commits."""
    data = json.loads((DATA / "report" / "fastapi-json.json").read_text())
    data["variants"] = [variant for variant in data["variants"] if variant["role"] != "control"]
    for variant, sha in zip(data["variants"], ("1f" * 20, "2e" * 20), strict=True):
        variant["commit"] = {"commit": sha}
    change(data)
    return Report.model_validate(data)


def first_line(found: Report) -> str:
    return unmarked(render_comment(found).splitlines()[0])


def calls(data: dict[str, Any], place: int, before: float, after: float) -> None:
    step = data["causes"][0]["steps"][place]
    step["before"]["calls"], step["after"]["calls"] = before, after


def waterfall(gap: float) -> dict[str, Any]:
    totals = {"baseline_total": 0.0, "contender_total": gap, "gap": gap, "bars": []}
    return {"metric": "callgrind:instructions", "baseline": "json", "contender": "orjson"} | totals


def table(function: dict[str, Any], before: float, after: float, **more: object) -> dict[str, Any]:
    """A table of instructions with one function."""
    cells = {"json": {"self": before}, "orjson": {"self": after}}
    row = {"id": "f", "function": function, "cells": cells} | more
    category = {"category": "other", "cells": {}, "functions": [row]}
    return {"metric": "callgrind:instructions", "total": {}, "categorised": {}, "rows": [category]}


def test_a_function_of_the_source_is_named_and_not_the_interpreter_that_runs_it() -> None:
    assert first_line(of_fastapi()) == (
        "This pull request makes a request execute 34 % fewer instructions: dumps() in json/__init__.py:183 and what "
        "it calls execute 660,210 fewer instructions per request; no longer called, from items() in fastapi/app.py:17."
    )


@pytest.mark.parametrize("language", ["python", ""])
def test_without_a_cause_no_function_of_the_interpreter_is_named(language: str) -> None:
    def native(data: dict[str, Any]) -> None:
        data["causes"], data["variants"][1]["language"] = [], language
        data["waterfall"] = [waterfall(-589489.0)]
        loop = {"name": "_PyEval_EvalFrameDefault", "object": "libpython3.13.so.1.0", "origin": "interpreter"}
        data["hotspots"] = [table(loop, 900000.0, 400000.0)]

    assert first_line(of_fastapi(native)) == "This pull request makes a request execute 34 % fewer instructions."


def test_the_deepest_function_is_named_where_all_are_called_as_often() -> None:
    found = of_fastapi(lambda data: [calls(data, place, 1.0, 1.0) for place in range(7)])
    assert first_line(found).endswith(
        ": JSONEncoder.iterencode() in json/encoder.py:205 executes 648,400 fewer instructions per request; "
        "called once, as before."
    )


def test_an_edited_function_on_the_way_is_named_with_what_it_calls_more_often() -> None:
    def edited(data: dict[str, Any]) -> None:
        calls(data, 4, 2.0, 31.0)
        items = {"name": "items", "file": "fastapi/app.py"}
        edit = {"file": "app.py", "added": [[19, 21]], "lines": 3}
        data["hotspots"] = [table(items, 2629.0, 2629.0, changes={"orjson": [edit]})]

    assert ": items() in app.py:19 and what it calls execute" in first_line(of_fastapi(edited))
    assert first_line(of_fastapi(edited)).endswith("; it calls dumps() 31 times instead of 2 times.")


def test_a_function_that_uses_the_package_is_named_with_it() -> None:
    """Jinja2's compiled page calls MarkupSafe's escape(): figures of a run of `--bump markupsafe==2.1.5..3.0.2`."""

    def page(data: dict[str, Any]) -> None:
        before = {"calls": 304.0, "self": 944521.0, "total": 2007550.0}
        after = {"calls": 304.0, "self": 192771.0, "total": 1567410.0}
        root = {
            "function": {"name": "root", "file": "<template>"},
            "category": "other",
            "before": before,
            "after": after,
        }
        data["causes"][0] |= {"steps": [root], "entry": 0, "own": 0, "gap": -449912.0}
        package = {"contender": "orjson", "name": "MarkupSafe", "before": "2.1.5", "after": "3.0.2", "alone": True}
        data["dependencies"] = [package | {"prefixes": ["markupsafe/"]}]

    assert first_line(of_fastapi(page)).endswith(
        ": root() in <template> and what it calls execute 440,140 fewer instructions per request; called 304 times, "
        "as before. MarkupSafe 2.1.5 → 3.0.2 is all that differs."
    )


def test_the_package_that_brings_the_function_is_named() -> None:
    def bumped(data: dict[str, Any]) -> None:
        calls(data, 4, 1.0, 1.0)
        package = {"contender": "orjson", "name": "starlette", "before": "0.40.0", "after": "0.41.0", "alone": True}
        data["dependencies"] = [package | {"prefixes": ["json/"]}]

    assert " in json/encoder.py:205 (starlette 0.40.0 → 0.41.0) executes " in first_line(of_fastapi(bumped))
    assert first_line(of_fastapi(lambda data: (bumped(data), data.update(causes=[])))).endswith(
        " fewer instructions: starlette 0.40.0 → 0.41.0 is all that differs."
    )


def test_one_commit_with_several_packages_is_told_by_them_and_its_hash_once() -> None:
    def bumped(data: dict[str, Any]) -> None:
        data["causes"], data["hotspots"] = [], []
        for variant in data["variants"]:
            variant["commit"] = {"commit": "1" * 40, "ref": "HEAD", "subject": "a page", "time": ""}
        werkzeug = {"contender": "orjson", "name": "Werkzeug", "before": "2.1.2", "after": "2.2.3"}
        data["dependencies"] = [werkzeug | {"name": "MarkupSafe", "before": None, "after": "3.0.4"}, werkzeug]

    text = render_comment(of_fastapi(bumped))
    assert unmarked(text.split("\n")[0]).endswith(
        " fewer instructions: Werkzeug 2.1.2 → 2.2.3 and MarkupSafe 3.0.4 (new) are all that differs."
    )
    assert "Measured `1111111` `a page`: Werkzeug 2.1.2 → 2.2.3, MarkupSafe 3.0.4 (new)." in text
    assert text.count("1111111") == 1
