"""Flame graphs in a real browser: of one variant and of a difference, by mouse, by keyboard and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from profpipe.model.report import Flame, Report
from tests.support.browser import Opened, written
from tests.support.sample_report import document, sample

pytestmark = pytest.mark.real
BEFORE, AFTER = "threads", "asyncio-streams"
DIFF = f"diff-yappi-calls-{AFTER}"
# Two small trees: (level, name, self). What a gives b takes, old goes, new comes; the whole grows by 1 of 20.
SMALL_BEFORE = [(0, "main", 0.0), (1, "a", 10.0), (1, "b", 6.0), (1, "old", 0.0), (2, "leaf", 4.0)]
SMALL_AFTER = [(0, "main", 0.0), (1, "a", 4.0), (1, "b", 12.0), (1, "new", 0.0), (2, "leaf", 5.0)]
DEPTH = 30_000


def flame(variant: str, rows: Sequence[tuple[int, str, float]]) -> dict[str, Any]:
    names = sorted({name for _, name, _ in rows})
    return {
        "variant": variant,
        "metric": "yappi:calls",
        "names": names,
        "name_kind": [1] * len(names),
        "function": [names.index(name) for _, name, _ in rows],
        "depth": [level for level, _, _ in rows],
        "own": [own for _, _, own in rows],
    }


def report_of(*flames: dict[str, Any]) -> Report:
    data = document()
    data["flames"] = list(flames)
    return Report.model_validate(data)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    deep = [(level, f"f{level % 7}", 1.0 if level == DEPTH - 1 else 0.0) for level in range(DEPTH)]
    deeper = [(level, f"f{level % 7}", 3.0 * own + (level == 100)) for level, _, own in deep]
    return {
        "sample": written(folder, "sample", sample()),
        "small": written(folder, "small", report_of(flame(BEFORE, SMALL_BEFORE), flame(AFTER, SMALL_AFTER))),
        "deep": written(folder, "deep", report_of(flame(BEFORE, deep), flame(AFTER, deeper))),
        "same": written(folder, "same", report_of(flame(BEFORE, SMALL_BEFORE), flame(AFTER, SMALL_BEFORE))),
    }


def colours(page: Opened, points: Sequence[tuple[float, int]]) -> list[tuple[int, ...]]:
    """Of the drawn graph at parts of its width, near the lower edge of a row, where no letter stands. Read at once."""
    script = (
        "points => { const c = document.querySelector('#flame-box canvas'), d = window.devicePixelRatio;"
        " const p = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        " return points.map(([x, row]) => {"
        " const at = 4 * (Math.round((row * 20 + 16) * d) * c.width + Math.floor(x * c.width));"
        " return [p[at], p[at + 1], p[at + 2]]; }); }"
    )
    return [tuple(found) for found in page.tab.evaluate(script, [list(point) for point in points])]


def token(page: Opened, name: str) -> tuple[int, ...]:
    """A colour of the style as the browser computes it."""
    script = (
        "(name) => { const e = document.createElement('i'); e.style.color = `var(${name})`; document.body.append(e);"
        " const c = getComputedStyle(e).color.match(/\\d+/g).slice(0, 3).map(Number); e.remove(); return c; }"
    )
    return tuple(page.tab.evaluate(script, name))


def table(page: Opened) -> list[list[str]]:
    if page.tab.locator("#flame-table").get_attribute("open") is None:
        page.tab.locator("#flame-table summary").click()
    page.tab.wait_for_selector("#flame-table tbody tr", state="attached")
    rows = page.tab.locator("#flame-table tbody tr")
    return [row.locator("th, td").all_text_contents() for row in rows.all()]


def test_zoom_by_click_and_back(browser: Any, files: dict[str, Path]) -> None:
    with Opened(browser, files["sample"]) as page:
        canvas = page.graph()
        box = canvas.bounding_box()
        assert page.crumbs() == ["whole graph"]
        canvas.click(position={"x": box["width"] * 0.3, "y": 30})
        assert len(page.crumbs()) == 3
        page.tab.locator("#flame-reset").click()
        assert page.crumbs() == ["whole graph"]
        canvas.hover(position={"x": box["width"] * 0.3, "y": 30})
        assert "total" in page.tab.locator(".flame-float").text_content()
        page.calm()


@pytest.mark.parametrize("id_", [f"flame-yappi-calls-{BEFORE}", DIFF])
def test_a_graph_is_navigated_by_keyboard(browser: Any, files: dict[str, Path], id_: str) -> None:
    with Opened(browser, files["sample"], hash_=f"#{id_}") as page:
        page.graph(id_).focus()
        for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowLeft"):
            page.tab.keyboard.press(key)
        assert "total" in page.said()
        assert "self" in page.said()
        page.tab.keyboard.press("Enter")
        assert len(page.crumbs()) == 3
        page.tab.keyboard.press("Escape")
        assert len(page.crumbs()) == 2
        page.tab.keyboard.press("Home")
        assert page.crumbs() == ["whole graph"]
        page.calm()


def test_matches_are_highlighted_and_enter_goes_to_the_next(browser: Any, files: dict[str, Path]) -> None:
    with Opened(browser, files["sample"]) as page:
        page.graph()
        query, found = page.tab.locator("#flame-q"), page.tab.locator("#flame-found")
        query.fill("nothing at all")
        assert found.text_content() == "no frames match"
        query.fill("sock_recv")
        assert "frames match" in found.text_content()
        query.press("Enter")
        first = page.said()
        assert first.startswith("sock_recv")
        page.tab.keyboard.press("n")
        assert page.said().startswith("sock_recv")
        assert page.said() != first
        page.calm()


def test_an_address_holds_graph_frame_and_search(browser: Any, files: dict[str, Path]) -> None:
    with Opened(browser, files["sample"]) as page:
        page.graph()
        page.tab.locator("#flame-pick").select_option(DIFF)
        page.graph(DIFF).focus()
        for key in ("ArrowDown", "ArrowDown", "Enter"):
            page.tab.keyboard.press(key)
        page.tab.locator("#flame-q").fill("layer")
        hash_, crumbs = page.fragment(), page.crumbs()
        assert len(crumbs) == 3
    with Opened(browser, files["sample"], hash_=hash_) as page:
        page.graph(DIFF)
        assert page.crumbs() == crumbs
        assert page.tab.locator("#flame-q").input_value() == "layer"
        assert page.tab.locator("#flame-pick").input_value() == DIFF
        page.calm()


def test_the_table_of_a_graph_adds_up_to_it(browser: Any, files: dict[str, Path]) -> None:
    """Typed arrays, preorder and ends are read right: every cost is drawn once."""
    with Opened(browser, files["sample"]) as page:
        page.graph()
        rows = table(page)
        assert sum(float(row[2].replace(",", "")) for row in rows) == pytest.approx(
            sum(sample().flames[0].own), rel=0.01
        )
        assert next(row for row in rows if row[0] == "root")[5] == "100.0 %"
        page.calm()


def test_a_difference_shows_what_cancels_comes_and_goes(browser: Any, files: dict[str, Path]) -> None:
    with Opened(browser, files["small"], hash_=f"#{DIFF}") as page:
        page.graph(DIFF)
        assert page.said().endswith("+1 per request (20 to 21), from 11 more and 10 less.")
        by_name = {row[0]: row[2:] for row in table(page)}
        assert by_name["a"] == ["10", "4", "−6", "−6", "both"]
        assert by_name["b"] == ["6", "12", "+6", "+6", "both"]
        assert by_name["old"] == ["0", "0", "0", "−4", "only in the baseline"]
        assert by_name["new"] == ["0", "0", "0", "+5", "only in the contender"]
        assert by_name["leaf"] == ["4", "5", "+1", "+1", "both"]
        assert by_name["main"][3] == "+1"
        page.picture("difference")
        page.calm()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_box_is_as_wide_as_all_its_changes_and_its_strong_part_as_the_net_change(
    browser: Any, files: dict[str, Path], scheme: str
) -> None:
    """Of 21 changes: a -6, b +6, new +5, old -4, by name; main is strong for +1 of 21."""
    with Opened(browser, files["small"], scheme=scheme, hash_=f"#{DIFF}") as page:
        page.graph(DIFF)
        root = [(0.5 / 21, 0), (10 / 21, 0)]
        drawn = colours(page, [*root, *(((at + 0.5) / 21, 1) for at in range(21))])
        strong, gone = token(page, "--more1"), token(page, "--less1")
        assert drawn[:2] == [strong, token(page, "--more0")]
        assert drawn[2:] == [gone] * 6 + [strong] * 11 + [gone] * 4
        page.calm()


def test_new_and_vanished_frames_are_announced_to_keyboard_users(browser: Any, files: dict[str, Path]) -> None:
    with Opened(browser, files["small"], hash_=f"#{DIFF}") as page:
        page.graph(DIFF).focus()
        said = []
        for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight"):
            page.tab.keyboard.press(key)
            said.append(page.said())
        assert said[0].startswith("main total +1 per request (20 to 21): 11 more and 10 less below and in it")
        assert [text.split()[0] for text in said[1:]] == ["a", "b", "new", "old", "old"]
        assert "only in the contender" in said[3]
        assert "only in the baseline" in said[4]
        page.calm()


def test_equal_graphs_have_no_difference(browser: Any, files: dict[str, Path]) -> None:
    with Opened(browser, files["same"], hash_=f"#{DIFF}") as page:
        page.graph(DIFF)
        assert page.said().endswith("no frame differs.")
        assert {row[4] for row in table(page)} == {"0"}
        page.calm()


def stacks(graph: Flame) -> dict[tuple[str, ...], float]:
    found: dict[tuple[str, ...], float] = {}
    path: list[str] = []
    for name, level, own in zip(graph.function, graph.depth, graph.own, strict=True):
        path[level:] = [graph.names[name]]
        found[tuple(path)] = found.get(tuple(path), 0.0) + own
    return found


def test_a_difference_merges_by_stack_as_a_dictionary_of_stacks_does(browser: Any, files: dict[str, Path]) -> None:
    before, after = stacks(sample().flames[0]), stacks(sample().flames[2])
    changes = [after.get(s, 0.0) - before.get(s, 0.0) for s in {*before, *after}]
    more, less = sum(c for c in changes if c > 0), -sum(c for c in changes if c < 0)
    with Opened(browser, files["sample"], hash_=f"#{DIFF}") as page:
        page.graph(DIFF)
        assert f"from {more:,.0f} more and {less:,.0f} less" in page.said()
        page.calm()


@pytest.mark.parametrize("id_", [f"flame-yappi-calls-{BEFORE}", DIFF])
def test_a_stack_of_thirty_thousand_frames_is_drawn_and_navigated(
    browser: Any, files: dict[str, Path], id_: str
) -> None:
    with Opened(browser, files["deep"], hash_=f"#{id_}") as page:
        canvas = page.graph(id_)
        blank = token(page, "--raised")
        assert page.tab.evaluate("document.querySelector('.flame-tall').offsetHeight") == DEPTH * 20
        assert canvas.bounding_box()["height"] <= 900
        page.tab.evaluate("document.querySelector('#flame-box').scrollTop = 1e9")
        page.tab.wait_for_timeout(100)
        assert colours(page, [(0.5, 20)]) != [blank]
        page.tab.evaluate("document.querySelector('#flame-box').scrollTop = 0")
        canvas.focus()
        for _ in range(60):
            page.tab.keyboard.press("ArrowDown")
        page.tab.keyboard.press("Enter")
        assert page.crumbs()[0] == "whole graph"
        assert len(page.crumbs()) == 6
        assert page.tab.evaluate("document.querySelector('#flame-box').scrollTop") > 0
        assert table(page)[0][0].startswith("f")
        page.calm()


def test_a_frame_at_the_bottom_has_an_address(browser: Any, files: dict[str, Path]) -> None:
    hash_ = f"#?graph=flame-yappi-calls-{BEFORE}&frame={DEPTH - 1}"
    with Opened(browser, files["deep"], hash_=hash_) as page:
        page.graph()
        assert page.crumbs()[-1] == f"f{(DEPTH - 1) % 7}"
        page.calm()
