"""The page as a document: what stands where, what may run in it, how large it is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from profpipe.errors import ReportError
from profpipe.model.report import Report
from profpipe.render import templates
from profpipe.render.page.html import render_page
from profpipe.render.templates import hash_source, templates_folder
from tests.support.page_outline import outline
from tests.support.sample_report import document, sample
from tests.support.sample_tables import VARIANTS

TEMPLATES = templates_folder()


@pytest.fixture(scope="module")
def page() -> str:
    return render_page(sample())


def test_the_text_outline(page: str, golden: Callable[[str, str], None]) -> None:
    golden("page-outline.txt", "\n".join(outline(page).lines) + "\n")


def test_the_policy_comes_first_and_admits_only_what_is_inlined(page: str) -> None:
    head = page[page.index("<head>") + len("<head>") :].lstrip()
    assert head.startswith('<meta http-equiv="Content-Security-Policy"')
    policy = re.search(r'content="([^"]+)"', head)
    assert policy is not None
    script = page[page.rindex("<script>") + len("<script>") : page.rindex("</script>")]
    style = page[page.index("<style>") + len("<style>") : page.index("</style>")]
    assert policy.group(1).replace("&#39;", "'") == (
        f"default-src 'none'; script-src {hash_source(script)}; style-src {hash_source(style)}; "
        "base-uri 'none'; form-action 'none'"
    )


def test_nothing_in_the_page_loads_sends_or_handles(page: str) -> None:
    for tag, name, value in outline(page).attributes:
        assert name != "style", f"<{tag} style={value}>"
        assert not name.startswith("on"), f"<{tag} {name}>"
        assert name not in {"src", "action", "srcset", "xlink:href", "ping"}, f"<{tag} {name}={value}>"
        if name == "href":
            assert value.startswith("#"), f"<{tag} href={value}>"


def test_ids_are_unique_and_links_lead_somewhere(page: str) -> None:
    attributes = outline(page).attributes
    ids = [value for _, name, value in attributes if name == "id"]
    assert sorted(set(ids)) == sorted(ids)
    targets = {value[1:] for _, name, value in attributes if name == "href"}
    assert targets <= set(ids)
    assert {v for _, name, v in attributes if name in {"aria-controls", "aria-labelledby"}} <= set(ids)


def test_the_verdict_is_the_first_heading(page: str) -> None:
    first = outline(page).lines[0]
    assert first.startswith("h1: asyncio, streams spends 5.31×")


def test_the_script_has_its_data(page: str) -> None:
    block = page[page.index('id="report-data">') + len('id="report-data">') :]
    data = json.loads(block[: block.index("</script>")])
    assert [graph["id"] for graph in data["flames"]["graphs"]] == [
        "flame-yappi-calls-threads",
        "flame-yappi-calls-asyncio-protocol",
        "flame-yappi-calls-asyncio-streams",
    ]
    assert set(data["edges"]["tables"]) == {"hot-callgrind-instructions", "hot-yappi-calls"}


def six_variants() -> Report:
    """Six variants, three instruments, 300 functions in each table, graphs of 16,000 frames."""
    data = document()
    sixth = {**data["variants"][1], "id": "sixth", "label": "a sixth one"}
    data["variants"].insert(5, sixth)
    for table in data["hotspots"]:
        table["total"]["sixth"] = table["total"]["gevent"]
        for number, row in enumerate(table["rows"]):
            row["cells"]["sixth"] = row["cells"]["gevent"]
            model = data["hotspots"][0]["rows"][0]["functions"][0]
            cells = {**model["cells"], "sixth": model["cells"]["gevent"]}
            name = "<std::io::default_write_fmt::Adapter<T> as core::fmt::Write>::write_str"
            row["functions"] = [
                {
                    **model,
                    "id": f"{number:04x}{i:08x}",
                    "function": {"name": f"{name}_{i}", "file": "library/core/src/fmt/mod.rs", "object": "server"},
                    "cells": cells,
                    "callers": {key: [[name, 12.5]] * 8 for key in cells},
                }
                for i in range(24)
            ]
    data["hotspots"].append({**data["hotspots"][0], "metric": "perf:cpu_ns"})
    for flame in data["flames"]:
        flame["depth"] = flame["depth"] + [*flame["depth"][1:], 1] * 39
        for key in ("function", "own"):
            flame[key] = flame[key] * 40
    data["flames"] = [{**data["flames"][i % 3], "variant": key} for i, key in enumerate([*VARIANTS, "sixth"])]
    data["waterfall"] += [{**w, "metric": "perf:cpu_ns"} for w in data["waterfall"][:4]]
    data["waterfall"] += [{**w, "contender": "sixth"} for w in data["waterfall"][::4]]
    return Report.model_validate(data)


@pytest.mark.slow
def test_a_large_study_of_six_variants_stays_under_a_megabyte() -> None:
    page = render_page(six_variants())
    outline(page)
    assert len(page.encode()) < 1_000_000
    assert "smaller functions not listed" in page


def test_the_same_report_gives_the_same_bytes(page: str) -> None:
    assert render_page(sample()) == page


def test_an_empty_report_says_that_it_has_no_verdict() -> None:
    data = document()
    for key in ("variants", "metrics", "categories", "hotspots", "waterfall", "conclusions", "flames", "classic"):
        data[key] = []
    text = render_page(Report.model_validate({**data, "invalid": [], "runs": [], "limits": []}))
    lines = outline(text).lines
    assert lines[0] == "h1: No verdict: these runs do not support one."
    assert not any("nan" in line.lower().split() for line in lines)


def test_templates_do_no_arithmetic_and_never_turn_escaping_off() -> None:
    for template in TEMPLATES.glob("*.j2"):
        text = template.read_text()
        for tag in re.findall(r"\{[{%].*?[%}]\}", text, re.S):
            code = re.sub(r'"[^"]*"', '""', tag.strip("{}%- "))
            assert not re.search(r"\s[-+*/]\s|\| ?(round|format|int|float)\b", code), f"{template.name}: {tag}"
            assert "safe" not in code.split("|"), f"{template.name}: {tag}"
        assert "style=" not in text, template.name
        assert not re.search(r"\son[a-z]+=", text), template.name


def test_templates_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(templates, "files", lambda name: tmp_path / "a" / "profpipe")
    with pytest.raises(ReportError, match=r"report\.html\.j2 is in neither .* install profpipe again"):
        templates_folder()


@pytest.mark.parametrize(
    ("text", "kept"),
    [("11.0 µs and 5 % of it", "11.0\u00a0µs and 5\u00a0% of it"), ("7 servers, 3 s", "7 servers, 3\u00a0s")],
)
def test_a_figure_and_its_unit_stay_on_one_line(text: str, kept: str) -> None:
    assert templates.unbroken(text) == kept


def test_an_asset_that_would_end_its_own_element_is_refused(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "report.js").write_text("x = '</SCRIPT>'")
    with pytest.raises(ReportError, match="end tag"):
        templates.asset(tmp_path, "report.js")
    with pytest.raises(ReportError, match="npm run build"):
        templates.asset(tmp_path, "report.css")


def test_an_unknown_total_is_on_the_page_with_its_reason(page: str) -> None:
    assert re.search(r"total unknown<sup>(\d+)</sup>", page)
    assert "total: stack switches make totals false</li>" in page
