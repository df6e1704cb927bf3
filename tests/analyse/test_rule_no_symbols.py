"""How much has no symbol is said for each variant, and nothing is said of a program whose functions have names."""

from __future__ import annotations

from profpipe.analyse.conclusions.facts import Facts
from profpipe.analyse.conclusions.rules.symbols import no_symbols
from profpipe.model.report import Report
from tests.support.sample_report import document


def test_the_part_without_a_name_and_its_program_are_told() -> None:
    data = document()
    assert list(no_symbols(Facts(Report.model_validate(data)))) == []
    row = data["hotspots"][0]["rows"][0]["functions"][0]
    row["function"] = {**row["function"], "name": "(no symbol) nginx", "object": "nginx"}
    for cell in row["cells"].values():
        cell["share"] = 0.32
    (found,) = no_symbols(Facts(Report.model_validate(data)))
    assert found.text.startswith("No symbols for 32 % of ")
    assert ": nginx. The debug symbols" in found.text
