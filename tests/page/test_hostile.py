"""A thousand generated names wherever a report can hold one: shown as text by the page, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from profpipe.characters import visible
from profpipe.model.report import Report
from profpipe.render.text import cut
from tests.support.browser import Opened, written
from tests.support.hostile_names import MARK, generated
from tests.support.hostile_report import REACHING, hostile
from tests.support.sample_commits import commits_document

pytestmark = pytest.mark.real
NAMES = generated(1000)
# Attributes that are read out or shown, never followed, run or drawn.
TEXTS = {"title", "aria-label", "content", "value"}
LOADING = {"src", "srcset", "action", "formaction", "ping", "xlink:href", "srcdoc", "background", "poster"}
NAMED = {"href", "id", "for", "aria-controls", "aria-labelledby", "aria-describedby", "class"}


def swarmed() -> Report:
    """Functions, files, objects, variants, branches, subjects, commands, stacks, logs: all thousand names are used."""
    data: dict[str, Any] = commits_document()
    data["conclusions"][0]["text"] = NAMES[1]
    table = data["hotspots"][0]
    model = table["rows"][0]["functions"][0]
    contender = data["variants"][1]["id"]
    for place, row in enumerate(table["rows"]):
        row["functions"] = [_function(model, contender, n) for n in range(place * 20, place * 20 + 20)]
    for number, variant in enumerate(data["variants"]):
        commit = {"commit": NAMES[number], "ref": NAMES[number + 10], "subject": NAMES[number + 20], "time": NAMES[3]}
        variant |= {"label": NAMES[number], "language": NAMES[number + 30], "command": NAMES, "commit": commit}
    names = list(NAMES)
    for number, flame in enumerate(data["flames"]):
        flame |= {"names": names, "name_kind": [number % 4] * len(names), "function": list(range(len(names)))}
        flame |= {"depth": [min(n, 40) for n in range(len(names))], "own": [1.0 + n % 3 for n in range(len(names))]}
    data["categories"] = [{**c, "label": NAMES[n + 50], "about": NAMES[n]} for n, c in enumerate(data["categories"])]
    data["metrics"] = [{**m, "about": NAMES[n]} for n, m in enumerate(data["metrics"])]
    data["classic"][0]["rows"] = [{"value": 9, "share": 0.1, "place": name} for name in NAMES[:40]]
    data["limits"] = [{"profiler": name, "text": name} for name in NAMES[:60]]
    data["gate"] = {"asked": NAMES[:9], "failed": True, "hits": NAMES[:9]}
    data["calibration"] |= {"machine": NAMES[0], "study": NAMES[1], "sd": dict.fromkeys(NAMES[:30], 0.1)}
    data["study"] |= {
        "question": NAMES[4],
        "command": NAMES[5],
        "left_out": [{"target": n, "reason": n} for n in NAMES[:30]],
    }
    data["environment"] = {name: name for name in NAMES[:100]}
    return Report.model_validate(data)


def _function(model: dict[str, Any], contender: str, number: int) -> dict[str, Any]:
    name = NAMES[number]
    own = {"name": name, "file": NAMES[number + 300], "object": NAMES[number + 600], "raw": [name, NAMES[number + 1]]}
    return {
        **model,
        "id": f"s{number}",
        "function": own,
        "callers": {contender: [[NAMES[number + 2], 1.0]]},
        "callees": {contender: [[NAMES[number + 3], 1.0]]},
        "changes": {contender: [{"file": name, "added": [[1, 2]], "lines": 2}]},
        "alignment": {contender: {"before": own, "certainty": "hint", "why": name}},
    }


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    return {"swarmed": written(folder, "swarmed", swarmed()), "named": written(folder, "named", hostile(REACHING))}


def use(page: Opened) -> None:
    """Everything that makes the script show a name: rows, callers, graphs, tips, crumbs, tables, searches."""
    tab = page.tab
    page.open_everything()
    tab.evaluate("document.querySelectorAll('.panel:not([hidden]) button.edges').forEach(b => b.click())")
    for id_ in tab.locator("#flame-pick option").evaluate_all("options => options.map(o => o.value)"):
        tab.locator("#flame-pick").select_option(id_)
        canvas = page.graph(id_)
        box = canvas.bounding_box()
        for step in range(6):
            tab.mouse.move(box["x"] + 5 + step * box["width"] / 6, box["y"] + 30)
        canvas.focus()
        for key in ("ArrowDown", "ArrowDown", "ArrowRight", "Enter", "ArrowDown", "Enter"):
            tab.keyboard.press(key)
    for word in ("script", "<img", '"', "{{", "\\u202e", MARK):
        tab.locator("input.q:visible").fill(word)
        tab.locator("#flame-q").fill(word)
        tab.locator("#flame-q").press("Enter")
    tab.locator("input.q:visible").fill("")


@pytest.mark.parametrize("name", ["swarmed", "named"])
def test_no_name_becomes_a_script_a_resource_a_link_or_an_attribute(
    browser: Any, files: dict[str, Path], name: str
) -> None:
    # As text: playwright takes ten seconds to carry 24,000 small lists over, and one string at once.
    walk = "[...document.querySelectorAll('*')].flatMap(e => [...e.attributes].map(a => [e.tagName, a.name, a.value]))"
    with Opened(browser, files[name]) as page:
        title = page.tab.title()
        use(page)
        assert page.tab.evaluate("[window.pwned ?? null, document.title]") == [None, title]
        assert page.tab.evaluate("document.querySelectorAll('img,iframe,object,embed,base,link,form').length") == 0
        assert page.tab.evaluate("[document.scripts.length, document.querySelectorAll('style').length]") == [2, 1]
        for tag, key, value in json.loads(page.tab.evaluate(f"JSON.stringify({walk})")):
            assert not key.startswith("on"), (tag, key, value)
            assert key not in LOADING, (tag, key, value)
            if key == "style":  # set by our script, as numbers
                assert re.fullmatch(r"((height|left|top): -?[\d.]+px;? ?)+", value), (tag, value)
            if key in NAMED:
                assert re.fullmatch(r"[#A-Za-z0-9_.\- ]*", value), (tag, key, value)
            if key not in TEXTS:
                assert MARK not in value, (tag, key, value)
        page.picture("used")
        page.calm()


def test_every_name_of_a_thousand_is_shown_as_it_is(browser: Any, files: dict[str, Path]) -> None:
    with Opened(browser, files["swarmed"]) as page:
        shown = page.tab.evaluate("document.body.innerText.length && document.documentElement.textContent")
        for name in NAMES[:200]:
            assert visible(name, limit=150).rstrip("…") in shown, ascii(name[:80])
        data = page.tab.evaluate("JSON.parse(document.getElementById('report-data').textContent).flames.names")
        assert set(data) >= {cut(visible(name), 240) for name in NAMES}
        for bad in "\u202e\u2066\u200b\ufeff\x1b\x00\x07\u2028":
            assert bad not in shown, ascii(bad)
        page.calm()


def test_a_page_of_hostile_names_is_no_wider_than_a_phone(browser: Any, files: dict[str, Path]) -> None:
    with Opened(browser, files["swarmed"], 390) as page:
        page.open_everything()
        assert page.tab.evaluate("document.documentElement.scrollWidth") <= 390
        page.picture("first")
        page.calm()


def test_axe_finds_nothing_on_a_page_of_hostile_names(browser: Any, files: dict[str, Path]) -> None:
    with Opened(browser, files["swarmed"]) as page:
        page.graph()
        page.open_everything()
        page.axe()
        page.calm()
