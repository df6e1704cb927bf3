"""One pass makes every string of a report visible: names, keys and sentences, and nothing but strings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profpipe.characters import NAME, visible
from profpipe.errors import ReportError
from profpipe.model.report import Report
from profpipe.render.page.hotspots import hot_tables
from profpipe.render.visible import PROSE, visible_report
from tests.support.examples import examples
from tests.support.hostile_report import REACHING, hostile
from tests.support.sample_report import document, sample
from tests.support.sample_tables import CPU


def strings(value: Any) -> Iterator[str]:
    """Every string in a JSON document, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from strings(key)
            yield from strings(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from strings(item)


@pytest.fixture(scope="module")
def clear() -> Report:
    return visible_report(hostile(REACHING))


def test_no_string_holds_what_cannot_be_seen(clear: Report) -> None:
    found = list(strings(clear.model_dump()))
    assert len(found) > 5000
    assert [text for text in found if visible(text, limit=None) != text] == []


def test_only_references_are_longer_than_prose(clear: Report) -> None:
    data = clear.model_dump()
    assert max(len(text) for text in strings(data["conclusions"])) > PROSE  # ids and paths
    assert max(len(row["function"]["name"]) for table in data["hotspots"] for row in _functions(table)) == NAME + 1
    for key in ("load", "placement", "command"):
        assert len(data["study"][key]) <= PROSE + 1


def _functions(table: dict[str, Any]) -> list[dict[str, Any]]:
    return [function for row in table["rows"] for function in row["functions"]]


def test_the_second_time_nothing_changes(clear: Report) -> None:
    assert visible_report(clear) == clear


def test_a_report_without_hostile_text_stays_as_it_is_and_numbers_are_not_copied() -> None:
    report = sample()
    clear = visible_report(report)
    assert clear == report
    assert clear.flames[0].own is report.flames[0].own
    assert clear.variants[0].figures[CPU].values is report.variants[0].figures[CPU].values


@settings(max_examples=examples(50))
@given(st.text(min_size=1, max_size=12).filter(lambda text: text.strip() != "" and "\ud800" not in text))
def test_parts_still_find_each_other_by_a_hostile_key(key: str) -> None:
    data = document()
    data["hotspots"] = data["hotspots"][:1]
    old = data["variants"][1]["id"]
    data["variants"][1]["id"] = key
    table = data["hotspots"][0]
    for found in (table["total"], table["categorised"], *(row["cells"] for row in table["rows"])):
        found[key] = found.pop(old)
    tables = hot_tables(visible_report(Report.model_validate(data)))
    assert tables
    column = [c.head.label for c in tables[0].columns].index("asyncio, Protocol")
    assert tables[0].categories[0].cells[column].value == "7,287"


def test_keys_that_would_look_the_same_are_refused() -> None:
    data = document()
    data["environment"] = {"CPU\u200b": "a", "CPU\\u200b": "b"}
    with pytest.raises(ReportError, match="environment: two of its 2 keys differ only in characters that cannot be"):
        visible_report(Report.model_validate(data))
