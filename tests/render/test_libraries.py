"""The table of costs by library on the page."""

from __future__ import annotations

from rich.console import Console

from profpipe.model.report import Cell, LibraryRow, Report
from profpipe.render.content.libraries import NAMED, library_shares
from profpipe.render.page.libraries import LISTED, library_tables
from profpipe.render.terminal.report import render_verdict
from tests.support.sample_report import sample


def with_libraries(*rows: LibraryRow) -> Report:
    report = sample()
    first, *others = report.hotspots
    return report.model_copy(update={"hotspots": (first.model_copy(update={"libraries": rows}), *others)})


def row(report: Report, library: str, value: float, **more: object) -> LibraryRow:
    cells = {variant: Cell(self=value, share=value / 100) for variant in report.hotspots[0].total}
    return LibraryRow(**{"origin": "library", "library": library, "functions": 2, "cells": cells, **more})  # type: ignore[arg-type]


def test_a_row_says_whose_code_it_is() -> None:
    report = sample()
    own = row(report, "", 30.0, origin="own", functions=1)
    found = library_tables(with_libraries(row(report, "h11", 70.0), own))
    assert found is not None
    assert [(r.label, r.whose, r.functions) for r in found[0].rows] == [
        ("h11", "library", "2 functions"),
        ("own code", "", "1 function"),
    ]
    assert [r.cells[0].bar for r in found[0].rows] == [100, 43]


def test_the_smallest_libraries_are_one_row_so_that_the_column_adds_up() -> None:
    report = sample()
    rows = [row(report, f"lib{i}", 5.0) for i in range(LISTED + 3)]
    found = library_tables(with_libraries(*rows))
    assert found is not None
    last = found[0].rows[-1]
    assert (len(found[0].rows), last.label, last.functions) == (LISTED + 1, "3 smaller libraries", "6 functions")
    assert last.cells[0].value == "15"


def test_one_row_alone_tells_nothing() -> None:
    assert library_tables(with_libraries(row(sample(), "libc", 1.0))) is None
    assert library_shares(with_libraries(row(sample(), "libc", 1.0))) is None


def test_the_terminal_says_whose_code_the_cost_of_each_variant_is_in() -> None:
    report = sample()
    rows = [row(report, f"lib{i}", 10.0 - i) for i in range(NAMED + 2)]
    given = with_libraries(*rows, row(report, "", 51.0, origin="own"))
    console = Console(width=120)
    with console.capture() as said:
        console.print(render_verdict(given))
    line = "own code 51.0 %, lib0 10.0 %, lib1 9.0 %, lib2 8.0 %, lib3 7.0 %, 3 others 15.0 %"
    assert said.get().count(line) == len([v for v in given.variants if v.role != "control"])
    assert "Cost by library, " in said.get()


def test_a_cost_that_is_nowhere_else_is_no_share_of_others() -> None:
    report = sample()
    found = library_shares(with_libraries(row(report, "h11", 70.0), row(report, "", 30.0, origin="kernel")))
    assert found is not None
    assert set(found.rows.values()) == {"h11 70.0 %, kernel 30.0 %"}
