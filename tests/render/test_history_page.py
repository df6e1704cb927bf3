"""The history's page and its words: quiet and whole in a browser, hostile names shown as text, machines apart."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from profpipe.model.history import ChangePoint, Point, Quantity, SeriesKey, Trend
from profpipe.model.report import FunctionName
from profpipe.render.content.trends import figures
from profpipe.render.history.html import page_data, render_history
from profpipe.render.terminal.history import render_overview, render_trends
from tests.support.browser import Opened
from tests.support.frontend import require_frontend
from tests.support.hostile_names import NAMES

REACHING = tuple(name for name in NAMES if "\ud800" not in name)


def trend(machine: str = "aaaa1111", *, count: int = 12, name: str = "handle", change: bool = True) -> Trend:
    points = tuple(
        Point(
            f"{n:016x}", f"{n:040x}", f"change {n}: {name}", None, n == 3, f"2026-03-{n + 1:02d}T10:00:00+00:00",
            None if n == 5 else 1000.0 + n + (50 if change and n > 7 else 0), 990.0 + n, 1010.0 + n, 5,
            "not listed in this report" if n == 5 else None, f"study/{n}/report.json",
        )
        for n in range(count)
    )  # fmt: skip
    quantity = Quantity("instructions per request", "1", "lower", True, FunctionName(name=name, file=name), name)
    key = SeriesKey("study", "threads", machine, "callgrind:instructions", "f1")
    changes = (ChangePoint(8, 1004.0, 1059.0),) if change else ()
    return Trend(key, f"threads {name}"[:200], f"CPU of {machine}; 2 processors", quantity, points, changes)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("history")
    pages = {
        "two": render_history("handle", [trend(), trend("bbbb2222", change=False)], "0.1.0"),
        "hostile": render_history(REACHING[0], [trend(name=name) for name in (" ".join(REACHING),)], "0.1.0"),
        "one": render_history("handle", [trend(count=1, change=False)], "0.1.0"),
    }
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in pages}


def printed(*parts: Any, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(*parts)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_change_an_unknown_and_what_may_be_noise_are_in_words() -> None:
    text = printed(render_trends("handle", [trend()]), width=120)
    assert "worse since 0000000000 of 2026-03-09 10:00: 1,004 to 1,059 (+5.5 %)" in text
    assert "unknown" in text
    assert "not listed in this report" in text
    assert "~ +0.10 %" in text
    assert "◆ level +5.5 %" in text
    assert "1 of them without this figure" in text


def test_the_newest_reports_are_shown_and_the_rest_is_counted() -> None:
    (figure,) = figures([trend()], 4)
    assert (len(figure.trends[0].rows), figure.trends[0].left_out) == (4, 8)
    assert figure.trends[0].rows[0].mark == "level +5.5 %"
    assert page_data([trend()], 4)[0]["lines"][0]["changes"] == [0]


def test_machines_share_a_commits_place_and_have_a_line_each() -> None:
    (data,) = page_data([trend(), trend("bbbb2222", count=9, change=False)])
    assert len(data["commits"]) == 12
    first, second = data["lines"]
    assert (first["machine"], second["machine"]) == ("aaaa1111", "bbbb2222")
    assert second["value"][9:] == [None] * 3
    assert first["value"][5] is None


def test_runs_of_one_commit_are_next_to_each_other() -> None:
    again = trend(count=3)
    same = tuple(Point(p.entry, "ab" * 20, "", None, False, p.created, p.value, rounds=1) for p in again.points)
    (data,) = page_data([Trend(again.key, again.label, again.machine_text, again.quantity, same)])
    assert data["commits"] == ["abababab" + "ab"] * 3
    assert data["lines"][0]["value"] == [p.value for p in same]


@pytest.mark.parametrize("name", REACHING, ids=range(len(REACHING)))
def test_hostile_names_are_text_in_terminal_and_page(name: str) -> None:
    trends = [trend(name=name, count=2, change=False)]
    text = printed(render_trends(name, trends), render_overview(trends))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    page = render_history(name, trends, "0.1.0")
    assert page.count("<script") == 2
    assert json.loads(page.split('id="history-data">')[1].split("</script>")[0])[0]["commits"]


@pytest.mark.real
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("name", ["two", "hostile", "one"])
def test_the_page_is_quiet_fits_and_axe_finds_nothing(
    browser: Any, files: dict[str, Path], name: str, width: int, scheme: str
) -> None:
    axe = (require_frontend() / "axe-core" / "axe.min.js").read_text()
    with Opened(browser, files[name], width, scheme) as page:
        assert page.tab.locator(".chart canvas").count() == 1
        assert page.tab.evaluate("document.documentElement.scrollWidth") <= width
        box = page.tab.locator(".u-over").bounding_box()
        page.tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
        page.calm()
        page.tab.evaluate(axe)
        found = page.tab.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
        assert [(v["id"], v["nodes"][0]["failureSummary"]) for v in found] == []
        assert page.tab.evaluate("window.pwned") is None
        assert page.tab.evaluate("document.scripts.length") == 2


@pytest.mark.real
def test_the_picture_draws_marks_and_its_words_are_the_tables(browser: Any, files: dict[str, Path]) -> None:
    with Opened(browser, files["two"]) as page:
        box = page.tab.locator(".u-over").bounding_box()
        page.tab.mouse.move(box["x"] + box["width"] * (8.6 / 12.2), box["y"] + 40)
        said = page.tab.locator(".chart-tip").text_content()
        assert "aaaa1111 · 2026-03-09 10:00 · 1,058" in said
        assert "bbbb2222 · 2026-03-09 10:00 · 1,008" in said
        assert "level +5.5 %" in said
        inked = page.tab.evaluate(
            "() => { const c = document.querySelector('.chart canvas');"
            " const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            " return d.filter((v, i) => i % 4 === 3 && v > 0).length; }"
        )
        assert inked > 500
        page.calm()


@pytest.mark.real
def test_without_script_the_tables_are_there(browser: Any, files: dict[str, Path]) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(files["two"].as_uri())
    assert tab.locator("tbody tr").count() == 24
    assert tab.locator("tbody tr").first.is_visible()
    assert not tab.locator(".chart").is_visible()
    context.close()
