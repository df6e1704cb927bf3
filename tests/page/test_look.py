"""Every page that is shown, at a desk and on a phone, light and dark: quiet, whole, and axe finds nothing in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from profpipe.pipeline.reporting.report_files import load_report
from tests.support.browser import Opened, written
from tests.support.hostile_report import REACHING, hostile
from tests.support.sample_commits import commits_report
from tests.support.sample_report import sample

pytestmark = pytest.mark.real
EXAMPLES = sorted(path.parent.name for path in Path("reports/examples").glob("*/report.json"))
WINDOWS = [(390, "light"), (390, "dark"), (768, "light"), (1440, "light"), (1440, "dark")]
# A phone at night and a desk by day: each width and each scheme once, for pages that only hold more of the same.
# Axe asks in these alone: it takes as long as everything else, and each scheme's colours are in one of them.
TWO = [(390, "dark"), (1440, "light")]
SEEN = [(name, *window) for name in ("sample", "commits") for window in WINDOWS]
SEEN += [(name, *window) for name in ("hostile", *EXAMPLES) for window in TWO]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    reports = {"sample": sample(), "commits": commits_report(), "hostile": hostile(REACHING)}
    reports |= {name: load_report(Path(f"reports/examples/{name}/report.json")) for name in EXAMPLES}
    return {name: written(folder, name, report) for name, report in reports.items()}


def test_there_are_examples() -> None:
    assert "seed" in EXAMPLES


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_shipped_study_is_under_a_megabyte(files: dict[str, Path], name: str) -> None:
    assert files[name].stat().st_size < 1_000_000


@pytest.mark.parametrize(("name", "width", "scheme"), SEEN)
def test_the_page_loads_nothing_is_whole_and_fits_its_window_and_axe_finds_nothing(
    browser: Any, files: dict[str, Path], name: str, width: int, scheme: str
) -> None:
    """One visit for all of it: to open a page and draw a graph takes longer than to look."""
    with Opened(browser, files[name], width, scheme) as page:
        page.picture("first")
        options = page.tab.locator("#flame-pick option")
        page.graph()
        page.picture("flames")
        if name != "hostile" and (width, scheme) in TWO:  # a hostile page is far longer than any picture
            page.picture("whole", whole=True)
        page.tab.locator("#flame-pick").select_option(index=options.count() - 1)
        page.graph(options.last.get_attribute("value") or "")
        page.open_everything()
        page.tab.locator("button.edges:visible").first.click()
        assert page.tab.evaluate("document.documentElement.scrollWidth") <= width
        if name != "hostile" and (width, scheme) in TWO:  # test_hostile asks axe about a thousand names
            page.axe()
        page.calm()
