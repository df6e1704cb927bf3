"""Writes what is derived: docs/config.md, docs/formats.md, the house, the glossary, the JSON Schemas, the categories.

A test compares; `make docs` writes.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import TypeVar, get_args

from pydantic import BaseModel

from docs import house
from docs.terms import terms
from profpipe.export import EXPORTERS
from profpipe.model.parsed import ParsedCapture
from profpipe.model.profile import Fact
from profpipe.model.report import Report
from profpipe.parse import PARSERS
from profpipe.parse.other_formats import OTHER_FORMATS
from profpipe.plugins import Registry
from profpipe.study.config_docs import DIALECT, config_reference, schema_json

ROOT = Path(__file__).resolve().parents[1]
NAMES = ROOT / "src/profpipe/analyse/names"
# Rules of a later file come after those of an earlier one.
RULES = [NAMES / f"categories{language}.toml" for language in ("", "_python", "_go", "_js", "_java")]
BEGIN, END = "<!-- written by make docs -->", "<!-- end of what make docs writes -->"


Part = TypeVar("Part")


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


def with_files(text: str) -> str:
    """The text, each fence after a line `<!-- file: PATH -->` holding that file."""

    def shown(match: re.Match[str]) -> str:
        file = ROOT / match["path"]
        language = {".py": "python", ".toml": "toml"}[file.suffix]
        return f"{match['mark']}\n```{language}\n{file.read_text()}```\n"

    return re.sub(r"(?P<mark><!-- file: (?P<path>\S+) -->)\n```\w*\n.*?^```\n", shown, text, flags=re.M | re.S)


def formats_read() -> str:
    """A table of the built-in parsers."""
    rows = [f"| {name} | {', '.join(sorted(p.SAYS))} | {p.RECORD} |" for name, p in _built_in(PARSERS)]
    return "\n".join(["| format | what a capture can say | how one is recorded |", "|---|---|---|", *rows])


def formats_page() -> str:
    """Every format that is read, written, or refused by name."""
    facts = sorted(get_args(Fact))
    rows = []
    for name, parser in _built_in(PARSERS):
        first = (sys.modules[PARSERS.builtin[name]].__doc__ or "").split("\n\n")[0].split("\n")
        missing = ", ".join(fact for fact in facts if fact not in parser.SAYS)
        rows.append(f"| {name} | {' '.join(first).rstrip('.')} | {missing} | `{parser.RECORD}` |")
    read = ["| format | what it is | what it cannot say | how one is recorded |", "|---|---|---|---|", *rows]
    refused = [f"| {row.name} | {row.do} |" for row in OTHER_FORMATS]
    return "\n".join(
        [
            "## Formats that are read\n",
            *read,
            "\n## Formats that are written\n",
            formats_written(),
            "\n## Files that are refused by name\n",
            "| file | what to do |",
            "|---|---|",
            *refused,
        ]
    )


def formats_written() -> str:
    """A table of the built-in exporters."""
    head = ["| format | file | what a profile must say |", "|---|---|---|"]
    needs = {name: ", ".join(sorted(exporter.NEEDS)) for name, exporter in _built_in(EXPORTERS)}
    suffix = {name: exporter.SUFFIX for name, exporter in _built_in(EXPORTERS)}
    return "\n".join([*head, *(f"| {name} | `{suffix[name]}` | {needs[name] or 'nothing'} |" for name in needs)])


def _built_in(registry: Registry[Part]) -> list[tuple[str, Part]]:
    """What is installed beside profpipe must not change the documents."""
    return [(name, registry.get(name)) for name in registry.builtin]


def extend_pages() -> dict[Path, str]:
    """The pages of docs/extend with the code of the sample plug-in and the tables of formats."""
    folder = ROOT / "docs/extend"
    tables = {"parser.md": formats_read(), "exporter.md": formats_written()}
    pages = {page: page.read_text() for page in sorted(folder.glob("*.md"))}
    pages |= {folder / name: filled(folder / name, table) for name, table in tables.items()}
    return {page: with_files(text) for page, text in pages.items()}


def category_rules() -> str:
    """What the files of category rules say, in one JSON file with a line for each category and rule."""
    first, *more = (tomllib.loads(file.read_text(encoding="utf-8")) for file in RULES)
    rules = [rule for part in (first, *more) for rule in part["rule"]]
    lists = {"category": first["category"], "rule": rules}
    texts = [f'"{key}": [\n' + ",\n".join(map(json.dumps, rows)) + "\n]" for key, rows in lists.items()]
    return f'{{"version": {first["version"]},\n' + ",\n".join(texts) + "}\n"


def generated() -> dict[Path, str]:
    return {
        **extend_pages(),
        ROOT / "docs/formats.md": filled(ROOT / "docs/formats.md", formats_page()),
        NAMES / "categories.json": category_rules(),
        ROOT / "docs/config.md": config_reference(),
        ROOT / "docs/images/house.svg": house.picture(),
        ROOT / "docs/architecture.md": filled(ROOT / "docs/architecture.md", house.table()),
        ROOT / "docs/glossary.md": filled(ROOT / "docs/glossary.md", terms()),
        ROOT / "src/profpipe/study/profpipe.schema.json": schema_json(),
        ROOT / "src/profpipe/model/report.schema.json": contract(Report, "report.json of profpipe"),
        ROOT / "src/profpipe/model/parse.schema.json": contract(ParsedCapture, "profpipe parse FILE --json"),
    }


def main() -> None:
    # First, since the glossary lists the categories that the program reads.
    write({NAMES / "categories.json": category_rules()})
    write(generated())


def write(texts: dict[Path, str]) -> None:
    for path, text in texts.items():
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
