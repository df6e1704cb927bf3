"""Reports and histories of schema 1 are read for as long as there are any."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from profpipe.analyse.conclusions.conclude import resolve
from profpipe.model.report import Hypothesis, LeftOut, Limit, Report
from profpipe.model.study import StudyRecord
from profpipe.model.upgrade import upgraded, validated_report
from tests.support.paths import DATA

OLD = DATA / "report" / "schema-1.json"


def old() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(OLD.read_text())
    return found


def new() -> Report:
    return validated_report(OLD.read_bytes())


def test_throughput_and_latency_become_figures_with_a_description() -> None:
    before, after = old(), new()
    for was, variant in zip(before["variants"], after.variants, strict=True):
        assert variant.figures["clean:throughput"].median == was["throughput"]["median"]
        assert variant.figures.keys() >= {f"clean:{key}" for key in was["latency"]}
    described = {metric.key: metric for metric in after.metrics}
    assert (described["clean:throughput"].unit, described["clean:throughput"].better) == ("req/s", "higher")
    assert described["clean:p50_us"].unit == "us"


def test_comparisons_keep_their_figures_under_the_new_keys() -> None:
    was, now = old()["variants"][1]["against_baseline"], new().variants[1].against_baseline
    assert now["clean:throughput"].ratio == was["throughput"]["ratio"]
    assert now["clean:cpu_us"].detectable == was["clean:cpu_us"]["floor"]
    assert set(now) == {key if ":" in key else f"clean:{key}" for key in was}


def test_the_rows_of_every_conclusion_lead_to_the_value_they_name() -> None:
    document = new().model_dump(mode="json", by_alias=True)
    rows = [row for conclusion in document["conclusions"] for row in conclusion["rows"]]
    assert rows
    for row in rows:
        assert resolve(document, row["path"]) == row["value"], row["path"]


def test_a_target_that_was_left_out_is_named() -> None:
    document = old()
    document["study"]["left_out"] = [["granian", "not installed"]]
    report = validated_report(json.dumps(document).encode())
    assert report.study.left_out == (LeftOut(target="granian", reason="not installed"),)


def test_an_untrusted_report_of_schema_1_is_held_to_the_schema_as_well() -> None:
    assert validated_report(OLD.read_bytes(), strict=True) == new()
    document = old()
    document["variants"][0]["throughput"]["median"] = "12"
    with pytest.raises(ValidationError, match=r"clean:throughput\.median"):
        validated_report(json.dumps(document).encode(), strict=True)


PARTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(old())), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(sorted(old())), PARTS))
def test_whatever_shape_its_parts_have_nothing_but_validation_judges_them(document: dict[str, Any]) -> None:
    upgraded({**document, "schema": "profpipe.report/1"})


def test_a_study_record_whose_rows_have_no_names_is_read() -> None:
    stored = {
        "study": "s", "question": "", "baseline": "a", "variants": [], "rounds": 1, "load": "", "placement": "",
        "command": "", "created": "", "profpipe": "", "kinds": {}, "environment": {},
        "left_out": [["b", "no cargo"]], "limits": [["perf", "not permitted", ["a"]]],
        "hypotheses": [["h", ["memcpy"]]],
    }  # fmt: skip
    record = TypeAdapter(StudyRecord).validate_json(json.dumps(stored))
    assert record.left_out == (LeftOut(target="b", reason="no cargo"),)
    assert record.limits == (Limit(profiler="perf", text="not permitted", variants=("a",)),)
    assert record.hypotheses == (Hypothesis(text="h", categories=("memcpy",)),)
    again = TypeAdapter(StudyRecord)
    assert again.validate_json(again.dump_json(record)) == record
