"""The comparison of two sets of reports must not miss a figure: each way to differ is found."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from bench.same_report import compare
from tests.support.sample_report import document


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    data = copy.deepcopy(document())
    change(data)
    return data


def test_a_report_is_the_same_as_itself_in_other_words_and_another_order() -> None:
    def other(data: dict[str, Any]) -> None:
        data["variants"].reverse()
        data["conclusions"][0]["text"] = "other words"
        data["metrics"][0]["label"] = "another name"

    found = compare(document(), changed(other))
    assert (found.differ, found.new, found.moved) == ((), (), ())


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["variants"][1]["figures"]["clean:cpu_us"].update(median=1.0),
        lambda d: d["variants"][1]["figures"].pop("clean:rss"),
        lambda d: d["variants"][1]["against_baseline"]["clean:cpu_us"].update(verdict="cannot tell"),
        lambda d: d["hotspots"][0]["rows"][0]["functions"][0]["cells"]["threads"].update(self=None),
        lambda d: d["conclusions"].pop(),
        lambda d: d["variants"].pop(),
    ],
)
def test_a_figure_that_differs_or_is_gone_is_found(change: Callable[[dict[str, Any]], object]) -> None:
    assert compare(document(), changed(change)).differ


def test_a_new_figure_is_not_counted_as_one_that_differs() -> None:
    found = compare(document(), changed(lambda d: d["variants"][1]["figures"].update({"clean:new": {"median": 3.0}})))
    assert found.differ == ()
    assert [path for path, _ in found.new] == ["variants[asyncio-protocol].figures.clean:new.median"]


def test_what_schema_2_put_elsewhere_has_moved() -> None:
    old = {"schema": "profpipe.report/1", "variants": [{"id": "a", "throughput": {"median": 7.0}}]}
    new = {"schema": "profpipe.report/2", "variants": [{"id": "a", "figures": {"clean:throughput": {"median": 7.0}}}]}
    found = compare(old, new)
    assert (found.differ, found.new) == ((), ())
    assert found.moved == (("variants[a].throughput.median", "variants[a].figures.clean:throughput.median"),)
