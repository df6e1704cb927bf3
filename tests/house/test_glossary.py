"""docs/glossary.md and the code use the same words: every term of the code is an entry, every entry is in use."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from pydantic import BaseModel

from profpipe.analyse.names.categories import categories
from profpipe.cli import cli
from profpipe.model.figure import Verdict
from profpipe.model.metric_keys import EVERY
from profpipe.model.report import Certainty, Conclusion, Report
from profpipe.study.schema import StudyFile
from profpipe.units import Instrument
from tests.support.paths import DOCS, FRONTEND, ROOT, SRC, TEMPLATES

GLOSSARY = (DOCS / "glossary.md").read_text()
# First cells of the tables; `a`, `b` in one cell are two entries.
CELLS = re.findall(r"^\| ([^|]+) \| [^|]*\S[^|]* \|$", GLOSSARY, re.MULTILINE)
ENTRIES = [entry for cell in CELLS for entry in re.findall(r"`([^`]+)`|\*\*([^*]+)\*\*", cell)]
TERMS = [code or word for code, word in ENTRIES]
NAMES = [*SRC.rglob("*.py"), *SRC.rglob("*.toml"), *TEMPLATES.glob("*.j2"), *FRONTEND.glob("src/*.*")]
PAGES = [path for path in (ROOT / "README.md", *DOCS.rglob("*.md")) if path.name != "glossary.md"]
IN_USE = "\n".join(path.read_text() for path in (*NAMES, *PAGES)).lower()


def keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


OF_THE_CODE = {
    "metrics": [figure.key for figure in EVERY],
    "categories": [category.key for category in categories().categories],
    "verdicts": list(get_args(Verdict)),
    "certainties": list(get_args(Certainty)),
    "kinds of instrument": list(get_args(Instrument)),
    "kinds of conclusion": list(get_args(Conclusion.model_fields["kind"].annotation)),
    "parts of report.json": keys(Report),
    "parts of profpipe.toml": [key for key in keys(StudyFile) if key != "schema"],
    "commands": [f"profpipe {name}" for name, command in cli.commands.items() if not command.hidden],
}


@pytest.mark.parametrize("kind", OF_THE_CODE)
def test_every_term_of_the_code_is_an_entry(kind: str) -> None:
    assert sorted(set(OF_THE_CODE[kind]) - set(TERMS)) == []


@pytest.mark.parametrize("figure", EVERY, ids=lambda figure: figure.key)
def test_a_figure_is_listed_under_its_label(figure: object) -> None:
    key, label = figure.key, figure.label  # type: ignore[attr-defined]
    assert re.search(rf"^\| `{re.escape(key)}` \| {re.escape(label)}", GLOSSARY, re.MULTILINE)


@pytest.mark.parametrize("term", TERMS)
def test_every_entry_is_in_use(term: str) -> None:
    word = term.removeprefix("profpipe ").lower().replace("clean:", "")
    places = (found.start() for found in re.finditer(re.escape(word), IN_USE))
    assert any(not re.match(r"[\w-]", IN_USE[at - 1 : at]) for at in places), f"nothing else uses `{term}`"


def test_the_glossary_is_long_enough_to_be_one() -> None:
    assert len(TERMS) > 130
