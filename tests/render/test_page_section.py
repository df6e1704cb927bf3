"""The worked example of docs/extend/page-section.md is a section: it renders, escapes, explains gaps and is drawn."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from profpipe.model.report import Report
from profpipe.render import templates
from profpipe.render.page.html import render_page
from profpipe.render.page.interface import Section
from profpipe.render.page.sections import SECTIONS, script_data
from tests.support.browser import Opened
from tests.support.page_outline import outline
from tests.support.paths import ROOT
from tests.support.sample_report import document

PAGE = (ROOT / "docs" / "extend" / "page-section.md").read_text()
LARGEST = 5  # files to change for a new section


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


@pytest.fixture(scope="module")
def section(tmp_path_factory: pytest.TempPathFactory) -> Section:
    """The Python of the page, as a module."""
    file = tmp_path_factory.mktemp("section") / "other_programs.py"
    file.write_text(block("python"))
    spec = importlib.util.spec_from_file_location("tests.other_programs", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks its module up to read its annotations.
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
    found = module.SECTION
    assert isinstance(found, Section)
    return found


@pytest.fixture
def rendered(section: Section, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A report's document -> its page with the new section, from templates that have the one of the page."""
    package = tmp_path / "profpipe"
    shutil.copytree(templates.templates_folder(), package / "templates")
    (package / "templates" / section.template).write_text(block("jinja"))
    monkeypatch.setattr(templates, "files", lambda name: package)
    place = next(i for i, other in enumerate(SECTIONS) if other.key == "lists") + 1
    sections = (*SECTIONS[:place], section, *SECTIONS[place:])
    return lambda data: render_page(Report.model_validate(data), sections)


def test_the_section_is_on_the_page_and_in_its_bar(rendered: Any) -> None:
    page = rendered(document())
    assert "h2: Other programs" in outline(page).lines
    assert '<a href="#other-programs">Other programs</a>' in page
    assert (
        page.index('id="lists"')
        < page.index('id="other-programs"')
        < page.index('id="seed"' if "seed" in page else 'id="method"')
    )


def test_evidence_in_what_it_shows_links_to_it(rendered: Any) -> None:
    data = document()
    data["conclusions"][1]["rows"] = [{"path": "runs[4].foreign_cpu", "value": 0.03}]
    assert '<a href="#other-programs"><code>runs[4].foreign_cpu</code></a>' in rendered(data)


def test_an_unknown_bar_has_its_reason_and_a_name_is_text(rendered: Any) -> None:
    data = document()
    data["variants"][1]["label"] = "<img src=x>\u202e"
    for run in data["runs"]:
        if run["variant"] == data["variants"][1]["id"]:
            run["foreign_cpu"] = None
    page = rendered(data)
    assert "this kernel does not report it" in page
    assert "<img" not in page
    assert "&lt;img src=x&gt;\\u202e" in page


def test_a_report_without_runs_has_no_such_section(rendered: Any) -> None:
    data = document()
    del data["runs"]
    assert "other-programs" not in rendered(data)


def test_the_page_names_every_file_and_not_more_than_five() -> None:
    files = re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE)
    assert len(files) <= LARGEST
    new = {"src/profpipe/render/page/other_programs.py", "templates/_other_programs.html.j2"}
    assert {file for file in files if not (ROOT / file).is_file()} == new


def test_two_sections_may_not_use_one_name_for_their_script(section: Section) -> None:
    report = Report.model_validate(document())
    again = Section(key="again", title="", template="", view=section.view, script=lambda _: {"flames": []}, shows=())
    with pytest.raises(ValueError, match="section again: another section's script data is called flames already"):
        script_data(report, (*SECTIONS, again))


@pytest.mark.real
@pytest.mark.parametrize("width", [390, 1440])
def test_its_bars_are_drawn(rendered: Any, browser: Any, tmp_path: Path, width: int) -> None:
    file = tmp_path / "page.html"
    file.write_text(rendered(document()))
    with Opened(browser, file, width) as page:
        bars = page.tab.locator("#other-programs rect.hb")
        assert max(bars.nth(i).bounding_box()["width"] for i in range(bars.count())) > 50
        assert page.tab.evaluate("document.documentElement.scrollWidth") <= width
        page.axe()
        page.calm()
