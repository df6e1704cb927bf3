"""Writes what is derived from the code: docs/config.md, the house, the glossary, the JSON Schemas.

A test compares; `make docs` writes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pydantic import BaseModel

from docs import house
from docs.terms import terms
from profpipe.model.parsed import ParsedCapture
from profpipe.model.report import Report
from profpipe.study.config_docs import DIALECT, config_reference, schema_json

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- written by make docs -->", "<!-- end of what make docs writes -->"


def contract(model: type[BaseModel], title: str) -> str:
    """JSON Schema of a machine contract as it is written: keys by their alias, absent values as null."""
    schema = model.model_json_schema(by_alias=True, mode="serialization")
    return json.dumps({"$schema": DIALECT, **schema, "title": title}, indent=2) + "\n"


def filled(page: Path, block: str) -> str:
    """The page with the block between its two marks."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, mark, after = rest.partition(END)
    assert mark, f"{page}: no {BEGIN} ... {END}"
    return f"{before}{BEGIN}\n{block}\n{END}{after}"


def generated() -> dict[Path, str]:
    return {
        ROOT / "docs/config.md": config_reference(),
        ROOT / "docs/images/house.svg": house.picture(),
        ROOT / "docs/architecture.md": filled(ROOT / "docs/architecture.md", house.table()),
        ROOT / "docs/glossary.md": filled(ROOT / "docs/glossary.md", terms()),
        ROOT / "src/profpipe/study/profpipe.schema.json": schema_json(),
        ROOT / "src/profpipe/model/report.schema.json": contract(Report, "report.json of profpipe"),
        ROOT / "src/profpipe/model/parse.schema.json": contract(ParsedCapture, "profpipe parse FILE --json"),
    }


def main() -> None:
    for path, text in generated().items():
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
