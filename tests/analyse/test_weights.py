"""The order of conclusions stands in one table, and rules of other packages take their place in it."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from profpipe.analyse.conclusions import rules
from profpipe.analyse.conclusions.conclude import conclude
from profpipe.analyse.conclusions.registry import RULES, WEIGHTS, weight
from profpipe.model.report import Report
from tests.support.distributions import install
from tests.support.paths import SAMPLE_REPORT

SOURCES = [file.read_text() for file in Path(rules.__path__[0]).glob("*.py")]
GREETING = """
from profpipe.analyse.conclusions.facts import conclusion
def rule(facts):
    yield conclusion("greeting", "", "Hello.", kind="caution", weight=89.5, rows=[])
"""


def test_the_table_is_in_the_order_of_showing() -> None:
    most = [most for _, most in WEIGHTS.values()]
    assert most == sorted(most, reverse=True)
    assert all(least <= most for least, most in WEIGHTS.values())


def test_rules_name_their_weights_and_hold_no_numbers() -> None:
    used = {name for text in SOURCES for name in re.findall(r'"([a-z-]+(?:/[a-z -]+)?)"', text)}
    assert set(WEIGHTS) <= used
    assert not any(re.search(r"weight=[\d(]|heavy = [\d(]", text) for text in SOURCES)


def test_a_weight_grows_up_to_its_most() -> None:
    assert weight("gap") == 70
    assert weight("gap", 2.5) == 72.5
    assert weight("gap", 1000) == 79


@pytest.fixture
def report() -> Report:
    return Report.model_validate_json(SAMPLE_REPORT.read_bytes())


def test_a_rule_of_another_package_takes_its_place(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = conclude(report)
    install(tmp_path, "greeting-rule", GREETING, group=RULES.group, names={"greeting": "greeting_rule:rule"})
    monkeypatch.syspath_prepend(str(tmp_path))
    found = conclude(report, replace(RULES))
    assert [c for c in found if c.rule != "greeting"] == list(without)
    assert "greeting" in [c.rule for c in found]
    assert [c.weight for c in found] == sorted((c.weight for c in found), reverse=True)


def test_a_rule_of_another_package_that_fails_is_named_and_the_rest_stays(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = conclude(report)
    source = "def rule(facts):\n    yield facts.no_such_figure\n"
    install(tmp_path, "failing-rule", source, group=RULES.group, names={"failing": "failing_rule:rule"})
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "failing_rule", raising=False)
    *rest, last = conclude(report, replace(RULES))
    assert rest == list(without)
    assert last.id == "rule-failed:failing"
    assert last.text.startswith("The rule failing of failing-rule 1.2 failed (AttributeError: ")
