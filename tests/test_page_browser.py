"""The page in a real browser: nothing loose runs, nothing is fetched, and everything can be clicked and keyed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from profpipe.model.report import Report
from profpipe.render.html import render_page
from tests.frontend import require_frontend
from tests.render_report import sample
from tests.test_render_hostile import REACHING, hostile
from tests.tools import require

pytestmark = pytest.mark.real
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    require("chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tool:
        opened = tool.chromium.launch(executable_path=shutil.which("chromium"), args=list(ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for name, report in (("sample", sample()), ("hostile", hostile(REACHING))):
        found[name] = folder / f"{name}.html"
        found[name].write_text(render_page(report), encoding="utf-8", errors="strict")
    return found


class Opened:
    """A page with everything it complained about and asked for."""

    def __init__(self, browser: Any, file: Path, width: int = 1440, scheme: str = "light", hash_: str = "") -> None:
        self.tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.tab.on("console", lambda message: self.complaints.append(message.text))
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.on("dialog", lambda dialog: self.complaints.append("dialog"))
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.url = file.as_uri()
        self.tab.goto(self.url + hash_)
        self.tab.wait_for_function("document.documentElement.classList.contains('js')")

    def calm(self) -> None:
        assert self.complaints == []
        assert [url for url in self.requests if url.partition("#")[0] != self.url] == []

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *error: object) -> None:
        self.tab.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1440])
@pytest.mark.parametrize("name", ["sample", "hostile"])
def test_quiet_and_never_wider_than_the_window(
    browser: Any, files: dict[str, Path], name: str, width: int, scheme: str
) -> None:
    with Opened(browser, files[name], width, scheme) as page:
        page.tab.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        for button in page.tab.locator("button.all:visible").all():
            button.click()
        assert page.tab.evaluate("document.documentElement.scrollWidth") <= width
        page.calm()


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
def test_the_longest_verdict_beside_a_bar_is_whole(browser: Any, files: dict[str, Path], width: int) -> None:
    with Opened(browser, files["sample"], width) as page:
        cut = page.tab.evaluate(
            "() => [...document.querySelectorAll('.bars .chip')].filter(c => {"
            " c.lastChild.textContent = 'cannot tell'; c.closest('td').querySelector('b').textContent = '1.035×';"
            " return c.getBoundingClientRect().right > c.closest('td').getBoundingClientRect().right + 1; }).length"
        )
        assert cut == 0
        assert page.tab.locator(".bars .chip").count() > 0


def test_no_name_runs_and_every_name_is_shown(browser: Any, files: dict[str, Path]) -> None:
    with Opened(browser, files["hostile"]) as page:
        tab = page.tab
        tab.locator("button.all:visible").click()
        for button in tab.locator("#hot-callgrind-instructions button.edges:visible").all()[:30]:
            button.click()
        tab.locator("#flame-table summary").click()
        box = tab.locator("canvas").bounding_box()
        for step in range(20):
            tab.mouse.move(box["x"] + 5 + step * box["width"] / 20, box["y"] + 30)
        for word in ("script", "<img", '"', "{{", "\\u202e"):
            tab.locator("input.q:visible").fill(word)
            tab.locator("#flame-q").fill(word)
        tab.locator("input.q:visible").fill("")
        assert tab.evaluate("window.pwned") is None
        assert tab.evaluate("document.querySelectorAll('img, iframe, object, embed, base, link').length") == 0
        assert tab.evaluate("document.scripts.length") == 2
        shown = tab.evaluate(
            "[...document.querySelectorAll('#hot-callgrind-instructions code')].map(c => c.textContent)"
        )
        for wanted in ("</script><script>window.pwned=1</script>", "{{7*7}}", r"\u202egnp.exe\u2066\u2069"):
            assert wanted in shown
        page.calm()


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
        assert panel.locator(".found").text_content() == "1 functions in 1 categories"
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
        assert page.tab.evaluate("location.hash") == "#gap-callgrind-instructions-gevent"
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


def crumbs(page: Opened) -> list[str]:
    found: list[str] = page.tab.locator("#flame-crumbs button").all_text_contents()
    return found


def test_the_flame_graph_zooms_by_click_and_goes_back(browser: Any, files: dict[str, Path]) -> None:
    with Opened(browser, files["sample"]) as page:
        canvas = page.tab.locator("canvas")
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        assert crumbs(page) == ["whole graph"]
        canvas.click(position={"x": box["width"] * 0.3, "y": 30})
        assert len(crumbs(page)) == 3
        page.tab.locator("#flame-reset").click()
        assert crumbs(page) == ["whole graph"]
        canvas.hover(position={"x": box["width"] * 0.3, "y": 30})
        assert "total" in page.tab.locator(".flame-float").text_content()
        page.calm()


def test_the_flame_graph_by_keyboard(browser: Any, files: dict[str, Path]) -> None:
    with Opened(browser, files["sample"]) as page:
        canvas = page.tab.locator("canvas")
        canvas.focus()
        for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowLeft"):
            page.tab.keyboard.press(key)
        status = page.tab.locator("#flame-tip").text_content()
        assert "total" in status
        assert "self" in status
        page.tab.keyboard.press("Enter")
        assert len(crumbs(page)) == 3
        page.tab.keyboard.press("Escape")
        assert len(crumbs(page)) == 2
        page.tab.keyboard.press("Home")
        assert crumbs(page) == ["whole graph"]
        page.calm()


def test_the_flame_graph_marks_what_is_searched_and_has_a_table(browser: Any, files: dict[str, Path]) -> None:
    with Opened(browser, files["sample"]) as page:
        page.tab.locator("#flame-q").fill("sock")
        assert "frames match" in page.tab.locator("#flame-found").text_content()
        page.tab.locator("#flame-q").fill("nothing at all")
        assert page.tab.locator("#flame-found").text_content() == "no frame matches"
        page.tab.locator("#flame-table summary").click()
        page.tab.locator("#flame-table tbody code").first.wait_for()
        names = page.tab.locator("#flame-table tbody code").all_text_contents()
        assert "sock_recv" in names
        page.tab.locator("#flame-pick").select_option(index=1)
        assert page.tab.evaluate("location.hash") == "#flame-yappi-calls-asyncio-protocol"
        page.calm()


def test_the_flame_graph_draws_every_cost_once(browser: Any, files: dict[str, Path]) -> None:
    """The table of the whole graph adds up to the graph: typed arrays, preorder and ends are read right."""
    report: Report = sample()
    with Opened(browser, files["sample"]) as page:
        page.tab.locator("#flame-table summary").click()
        page.tab.locator("#flame-table tbody tr").first.wait_for()
        rows = page.tab.locator("#flame-table tbody tr").all()
        sums = [float(row.locator("td").nth(1).text_content().replace(",", "")) for row in rows]
        assert sum(sums) == pytest.approx(sum(report.flames[0].own), rel=0.01)
        root = next(row for row in rows if row.locator("code").text_content() == "root")
        assert root.locator("td").nth(4).text_content() == "100.0 %"
        page.calm()


def test_without_script_the_tables_are_open_and_controls_gone(browser: Any, files: dict[str, Path]) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(files["sample"].as_uri())
    assert tab.locator("#hot-callgrind-instructions tr.f").first.is_visible()
    assert tab.locator(".waterfall").nth(1).is_visible()
    assert not tab.locator(".controls").first.is_visible()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_axe_finds_nothing(browser: Any, files: dict[str, Path], scheme: str, width: int) -> None:
    axe = (require_frontend() / "axe-core" / "axe.min.js").read_text()
    with Opened(browser, files["sample"], width, scheme) as page:
        page.tab.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        page.tab.locator("#hot-callgrind-instructions button.all").click()
        page.tab.locator("#hot-callgrind-instructions button.edges").first.click()
        page.tab.evaluate(axe)
        found = page.tab.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        short = [
            (v["id"], [n["target"][0] for n in v["nodes"][:3]], v["nodes"][0]["failureSummary"])
            for v in found["violations"]
        ]
        assert short == [], json.dumps(short, indent=1)
