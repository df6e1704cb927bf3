"""The page in a real browser: nothing loose runs, nothing is fetched, and everything can be clicked and keyed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import Opened, written
from tests.support.sample_commits import commits_report
from tests.support.sample_report import sample

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    return {"sample": written(folder, "sample", sample()), "commits": written(folder, "commits", commits_report())}


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_bars_of_one_picture_share_one_axis(browser: Any, files: dict[str, Path], width: int) -> None:
    with Opened(browser, files["sample"], width) as page:
        for picture in (".hbar", ".waterfall:not([hidden]) .draw svg"):
            edges = page.tab.evaluate(
                "(s) => [...document.querySelectorAll(s)].map(e => { const b = e.getBoundingClientRect();"
                " return [Math.round(b.left), Math.round(b.width)]; })",
                picture,
            )
            assert len({tuple(edge) for edge in edges}) == 1, edges


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_the_longest_verdict_next_to_a_bar_is_not_cut(browser: Any, files: dict[str, Path], width: int) -> None:
    with Opened(browser, files["sample"], width) as page:
        cut = page.tab.evaluate(
            "() => [...document.querySelectorAll('.bars .chip')].filter(c => {"
            " c.lastChild.textContent = 'cannot tell'; c.closest('td').querySelector('b').textContent = '1.035×';"
            " return c.getBoundingClientRect().right > c.closest('td').getBoundingClientRect().right + 1; }).length"
        )
        assert cut == 0
        assert page.tab.locator(".bars .chip").count() > 0


def test_open_search_filter_sort_and_flat_list(browser: Any, files: dict[str, Path]) -> None:
    with Opened(browser, files["sample"]) as page:
        panel = page.tab.locator("#hot-callgrind-instructions")
        rows = panel.locator("tr.f:visible")
        assert rows.count() == 0
        panel.locator("button.open").first.click()
        assert rows.locator("code").all_text_contents()[0] == "_PyEval_EvalFrameDefault"
        panel.locator("button.open").first.click()
        assert rows.count() == 0
        panel.locator("input.q").fill("greenlet")
        assert rows.locator("code").all_text_contents() == ["greenlet::Greenlet::g_switchstack()"]
        assert panel.locator(".found").text_content() == "1 function in 1 category"
        panel.locator("input.q").fill("no such function")
        assert panel.locator(".empty").is_visible()
        panel.locator(".clear").click()
        assert panel.locator("tr.c:visible").count() == 13

        panel.locator("button.sort").nth(2).click()
        assert panel.locator("th[aria-sort=descending]").count() == 1
        assert (
            panel.locator("tr.c:visible").first.locator(".open").text_content().strip().startswith("interpreter loop")
        )
        panel.locator("button.sort").nth(2).click()
        assert (
            "locks"
            in panel.locator("tr.c:visible").nth(0).text_content()
            + panel.locator("tr.c:visible").nth(1).text_content()
            + panel.locator("tr.c:visible").nth(2).text_content()
        )

        panel.locator("select.mode").select_option("flat")
        assert panel.locator("tr.c:visible").count() == 0
        total = rows.count()
        assert total == page.tab.evaluate(
            "document.querySelectorAll('#hot-callgrind-instructions tr.f:not(.more)').length"
        )
        panel.locator("select.only").select_option("better")
        assert 0 < rows.count() < total
        panel.locator("select.mode").select_option("tree")
        page.calm()


def test_callers_and_callees_on_demand(browser: Any, files: dict[str, Path]) -> None:
    with Opened(browser, files["sample"]) as page:
        panel = page.tab.locator("#hot-callgrind-instructions")
        panel.locator("button.open").first.click()
        button = panel.locator("button.edges").first
        button.click()
        assert button.get_attribute("aria-expanded") == "true"
        assert "run_once" in panel.locator(".edge-row").text_content()
        button.click()
        assert panel.locator(".edge-row").count() == 0
        page.calm()


def test_details_are_shown_when_asked_for(browser: Any, files: dict[str, Path]) -> None:
    with Opened(browser, files["sample"]) as page:
        panel = page.tab.locator("#hot-callgrind-instructions")
        assert panel.locator(".xi:visible").count() == 0
        panel.locator("input.x[value=interval]").check()
        assert panel.locator(".xi:visible").first.text_content() == "2,741 to 2,763"
        page.calm()


def test_tabs_by_mouse_and_by_keyboard(browser: Any, files: dict[str, Path]) -> None:
    with Opened(browser, files["sample"]) as page:
        tabs = page.tab.locator("#hotspots [role=tab]")
        assert page.tab.locator("#hotspots .panel:visible").count() == 1
        tabs.nth(1).click()
        panel = page.tab.locator("#hot-yappi-calls")
        assert panel.is_visible()
        assert "Not ranked" in panel.text_content()
        assert panel.locator("button.sort").count() == 0
        tabs.nth(1).press("ArrowLeft")
        assert page.tab.locator("#hot-callgrind-instructions").is_visible()
        page.calm()


def test_the_gap_shows_the_chosen_contender(browser: Any, files: dict[str, Path]) -> None:
    with Opened(browser, files["sample"]) as page:
        figures = page.tab.locator(".waterfall:visible")
        assert figures.count() == 1
        assert "asyncio, streams" in figures.locator("figcaption").text_content()
        page.tab.get_by_role("button", name="gevent, StreamServer").first.click()
        assert figures.locator("figcaption").text_content().startswith("gevent, StreamServer spends")
        assert page.fragment().startswith("#gap-callgrind-instructions-gevent?")
        page.calm()


@pytest.mark.parametrize(
    ("hash_", "selector"),
    [
        ("#gap-yappi-calls-gevent", "#gap-yappi-calls-gevent"),
        ("#hot-yappi-calls-memcpy", "#hot-yappi-calls-memcpy"),
        ("#c-not-switch", "#c-not-switch"),
        ("#list-callgrind-instructions-gevent", "#list-callgrind-instructions-gevent"),
    ],
)
def test_a_permalink_opens_what_it_names(browser: Any, files: dict[str, Path], hash_: str, selector: str) -> None:
    with Opened(browser, files["sample"], hash_=hash_) as page:
        page.tab.wait_for_timeout(300)
        assert page.tab.locator(selector).is_visible()
        page.calm()


def test_a_function_permalink_opens_its_category(browser: Any, files: dict[str, Path]) -> None:
    with Opened(browser, files["sample"]) as page:
        id_ = page.tab.locator("#hot-callgrind-instructions tr.f[id]").nth(5).get_attribute("id")
    with Opened(browser, files["sample"], hash_=f"#{id_}") as page:
        assert page.tab.locator(f"[id='{id_}']").is_visible()
        page.calm()


def test_without_script_the_tables_are_open_and_controls_gone(browser: Any, files: dict[str, Path]) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(files["sample"].as_uri())
    assert tab.locator("#hot-callgrind-instructions tr.f").first.is_visible()
    assert tab.locator(".waterfall").nth(1).is_visible()
    assert not tab.locator(".controls").first.is_visible()
    context.close()


def test_an_address_holds_what_was_sorted_searched_and_opened(browser: Any, files: dict[str, Path]) -> None:
    with Opened(browser, files["sample"]) as page:
        panel = page.tab.locator("#hot-callgrind-instructions")
        panel.locator("button.open").nth(2).click()
        panel.locator("button.sort").nth(3).click()
        panel.locator("button.sort").nth(3).click()
        panel.locator("select.only").select_option("worse")
        panel.locator("input.q").fill("py eval")
        panel.locator("input.x[value=interval]").check()
        page.tab.get_by_role("button", name="gevent, StreamServer").first.click()
        hash_ = page.fragment()
        seen = panel.locator("tr:visible").all_text_contents()
        page.calm()
    with Opened(browser, files["sample"], hash_=hash_) as page:
        panel = page.tab.locator("#hot-callgrind-instructions")
        assert panel.locator("tr:visible").all_text_contents() == seen
        assert panel.locator("input.q").input_value() == "py eval"
        assert panel.locator("select.only").input_value() == "worse"
        assert panel.locator("thead th[aria-sort=ascending]").count() == 1
        assert page.tab.locator(".waterfall:visible").get_attribute("id") == "gap-callgrind-instructions-gevent"
        assert page.fragment() == hash_
        page.calm()


def test_an_address_keeps_tab_flat_list_and_all_that_is_open(browser: Any, files: dict[str, Path]) -> None:
    with Opened(browser, files["sample"]) as page:
        page.tab.locator("#hotspots [role=tab]").nth(1).press("Enter")
        panel = page.tab.locator("#hot-yappi-calls")
        panel.locator("select.mode").select_option("flat")
        panel.locator("button.all").click()
        hash_ = page.fragment()
    with Opened(browser, files["sample"], hash_=hash_) as page:
        panel = page.tab.locator("#hot-yappi-calls")
        assert panel.is_visible()
        assert panel.locator("select.mode").input_value() == "flat"
        assert panel.locator("button.all").text_content() == "Close all"
        page.calm()


def test_a_link_of_the_page_keeps_what_was_set(browser: Any, files: dict[str, Path]) -> None:
    with Opened(browser, files["sample"]) as page:
        page.tab.locator("#hot-callgrind-instructions input.q").fill("memcpy")
        page.tab.locator(".bar nav a", has_text="Method").click()
        page.tab.wait_for_function("location.hash.includes('memcpy')")
        assert page.fragment().startswith("#method?")
        page.calm()


@pytest.mark.parametrize(
    "hash_",
    [
        "#?hot-callgrind-instructions.sort=99-down",
        "#?hot-callgrind-instructions.sort=x-y&hot-callgrind-instructions.only=%3Cscript%3E",
        "#hotspots?hot-callgrind-instructions.open=99.x.-1&table=nothing&gap=nothing",
        "#?graph=nothing&frame=1e9&mark=%00%E2%80%AE",
        "#%",
        "#%3Cimg%20src=x%20onerror=window.pwned=1%3E?find=%3Cb%3E",
    ],
)
def test_a_nonsense_address_opens_the_page_as_usual(browser: Any, files: dict[str, Path], hash_: str) -> None:
    with Opened(browser, files["sample"], hash_=hash_) as page:
        page.graph()
        assert page.tab.locator("#hot-callgrind-instructions tr.c:visible").count() == 13
        assert page.tab.evaluate("window.pwned") is None
        page.calm()


def test_tables_are_navigated_and_opened_by_keyboard(browser: Any, files: dict[str, Path]) -> None:
    with Opened(browser, files["commits"]) as page:
        panel = page.tab.locator("#hot-callgrind-instructions")
        panel.locator("button.sort").first.focus()
        page.tab.keyboard.press("Enter")
        assert panel.locator("th[aria-sort=descending]").count() == 1
        panel.locator("button.open").first.focus()
        page.tab.keyboard.press("Space")
        assert panel.locator("tr.f:visible").count() > 0
        page.tab.keyboard.press("Tab")
        page.tab.keyboard.press("Tab")
        page.tab.keyboard.press("Enter")
        assert panel.locator(".edge-row").count() == 1
        page.calm()


def test_printing_opens_what_is_folded_and_shows_the_tables(browser: Any, files: dict[str, Path]) -> None:
    with Opened(browser, files["sample"], scheme="dark") as page:
        page.tab.emulate_media(media="print")
        # Paper is white whatever the screen was.
        assert page.tab.evaluate("getComputedStyle(document.body).color") == "rgb(23, 25, 30)"
        assert page.tab.locator("#hot-callgrind-instructions table").is_visible()
        assert not page.tab.locator("#flames").is_visible()
        assert not page.tab.locator(".controls").first.is_visible()
        assert page.tab.pdf(format="A4")[:5] == b"%PDF-"
        page.calm()
