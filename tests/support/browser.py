"""A page in a real browser, with everything it complained about and asked for."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from profpipe.model.report import Report
from profpipe.render.page.html import render_page
from tests.support.frontend import require_frontend
from tests.support.paths import SCREENSHOTS

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# In CI every picture is kept for a person to look at; the folder is git-ignored and uploaded as an artifact.


def written(folder: Path, name: str, report: Report) -> Path:
    """The report's page as a file, as a reader would open it."""
    path = folder / f"{name}.html"
    path.write_text(render_page(report), encoding="utf-8", errors="strict")
    return path


class Opened:
    """A page, ready when its script has run."""

    def __init__(self, browser: Any, file: Path, width: int = 1440, scheme: str = "light", hash_: str = "") -> None:
        self.tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.tab.on("console", lambda message: self.complaints.append(message.text))
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.on("dialog", lambda dialog: self.complaints.append("dialog"))
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.url = file.as_uri()
        self.name = f"{file.stem}-{width}-{scheme}"
        self.tab.goto(self.url + hash_)
        self.tab.wait_for_function("document.documentElement.classList.contains('js')")

    def calm(self) -> None:
        """Nothing was refused, nothing failed, nothing was fetched."""
        assert self.complaints == []
        assert [url for url in self.requests if url.partition("#")[0] != self.url] == []

    def graph(self, id_: str = "") -> Any:
        """The canvas, when it shows a graph: the one named, else whichever was asked for."""
        self.tab.locator("#flame-box").scroll_into_view_if_needed()
        self.tab.wait_for_selector(f"#flame-box[data-drawn='{id_}']" if id_ else "#flame-box[data-drawn]")
        return self.tab.locator("#flame-box canvas")

    def crumbs(self) -> list[str]:
        found: list[str] = self.tab.locator("#flame-crumbs button").all_text_contents()
        return found

    def said(self) -> str:
        return str(self.tab.locator("#flame-tip").text_content())

    def fragment(self) -> str:
        return str(self.tab.evaluate("location.hash"))

    def open_everything(self) -> None:
        self.tab.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        for button in self.tab.locator("button.all:visible").all():
            if button.get_attribute("aria-expanded") != "true":
                button.click()

    def axe(self) -> None:
        """axe-core finds nothing."""
        self.tab.evaluate((require_frontend() / "axe-core" / "axe.min.js").read_text())
        found = self.tab.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        short = [
            (v["id"], [n["target"][0] for n in v["nodes"][:3]], v["nodes"][0]["failureSummary"])
            for v in found["violations"]
        ]
        assert short == [], json.dumps(short, indent=1)

    def picture(self, what: str, *, whole: bool = False) -> None:
        if os.environ.get("CI"):
            SCREENSHOTS.mkdir(parents=True, exist_ok=True)
            self.tab.screenshot(path=SCREENSHOTS / f"{self.name}-{what}.png", full_page=whole)

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *error: object) -> None:
        self.tab.close()
