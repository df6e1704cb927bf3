"""The applications of targets/python-web: each pair answers alike, and the table, the studies and the code agree."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from dataclasses import replace

import pytest

from bench.causes.judge import Found, judge, names
from bench.causes.table import WEB, Expected, table
from profpipe.model.report import Conclusion
from tests.support.sample_report import sample

TABLE = table()
STUDY_FILE = tomllib.loads((WEB / "profpipe.toml").read_text())
APPS = sorted({expected.app for expected in TABLE.values()})


@pytest.mark.real
@pytest.mark.parametrize("app", APPS)
def test_every_pair_answers_alike(app: str) -> None:
    """Skipped without the extra `web`, in CI too: it is not part of the locked development environment."""
    modules = STUDY_FILE["target"][app.partition("_")[0]]["requires"]["modules"]
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} missing: make .venv/.web")
    habits = [_habit(expected) for expected in TABLE.values() if expected.app == app]
    done = subprocess.run(
        [sys.executable, str(WEB / "answers.py"), app.removesuffix(".py"), *habits],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert answers.keys() == set(habits)
    assert [habit for habit, (plain, planted) in answers.items() if plain != planted] == []


def _habit(expected: Expected) -> str:
    return "control" if expected.is_control else expected.study


def test_at_least_24_causes_are_planted_and_every_application_has_a_control() -> None:
    planted = [expected for expected in TABLE.values() if not expected.is_control]
    assert len(planted) >= 24
    assert {expected.app for expected in TABLE.values() if expected.is_control} == set(APPS)


@pytest.mark.parametrize("app", APPS)
def test_an_application_has_the_habits_of_the_table_and_no_other(app: str) -> None:
    source = (WEB / app).read_text()
    wanted = {expected.study for expected in TABLE.values() if expected.app == app and not expected.is_control}
    assert set(re.findall(r'HABIT == "([^"]+)"', source)) == wanted


@pytest.mark.parametrize("study", TABLE)
def test_the_function_that_must_be_named_is_in_the_application(study: str) -> None:
    expected = TABLE[study]
    if expected.is_control or expected.file != expected.app:
        return  # a framework's own function: no code of the application runs the habit
    tree = ast.parse((WEB / expected.app).read_text())
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    found = [node for node in ast.walk(tree) if isinstance(node, functions) and node.name == _last(expected.function)]
    assert found
    if study not in ("sync-dependency", "base-http-middleware"):  # these are chosen when the application starts
        assert any(f"'{study}'" in ast.unparse(node) for node in found)


def _last(function: str | None) -> str:
    return (function or "").rpartition(".")[2]


@pytest.mark.parametrize("study", TABLE)
def test_both_variants_of_a_study_run_one_application_and_differ_by_the_habit_alone(study: str) -> None:
    plain, planted = (STUDY_FILE["target"][name] for name in STUDY_FILE["study"][study]["targets"])
    habit = _habit(TABLE[study])
    assert planted == plain | {"env": {"HABIT": habit}}
    assert STUDY_FILE["study"][study]["load"]["request"]["path"] == f"/{habit}"
    assert TABLE[study].app.removesuffix(".py") in " ".join(plain["command"])


def test_every_study_has_an_expected_answer() -> None:
    assert STUDY_FILE["study"].keys() == TABLE.keys()


PLANTED = Expected(study="regex", app="shop.py", habit="", function="search", file="shop.py", through="compile")


def judged(*sentences: str, expected: Expected = PLANTED) -> Found:
    causes = tuple(
        Conclusion(id=f"c{at}", rule="gap", text=text, certainty="measured") for at, text in enumerate(sentences)
    )
    return judge(sample().model_copy(update={"conclusions": causes}), expected)


def test_a_cause_is_named_where_the_first_sentence_has_function_and_file() -> None:
    found = judged("“search” (shop.py:12) calls “compile” once per request.", "More memory.")
    assert (found.outcome, found.through) == ("named", True)


@pytest.mark.parametrize(
    ("sentences", "outcome"),
    [
        (("“compile” (re/__init__.py:12) is called once per request.",), "not named"),
        (("“search” explains 90 %.",), "not named"),
        (("“research” (shop.py:12) explains 90 %.",), "not named"),
        (("Allocation explains 90 %.", "“search” (shop.py:12) is called."), "later"),
        ((), "nothing said"),
    ],
)
def test_what_is_not_named_in_the_first_cause_does_not_count(sentences: tuple[str, ...], outcome: str) -> None:
    assert judged(*sentences).outcome == outcome


def test_a_control_holds_only_without_any_cause() -> None:
    control = Expected(study="control", app="shop.py", habit="none")
    assert judged(expected=control).outcome == "held"
    assert judged("Allocation explains 90 %.", expected=control).outcome == "false cause"


def test_a_planted_cost_that_is_called_better_is_a_wrong_verdict() -> None:
    report = sample()
    keys = [key for v in report.variants for key in v.against_baseline if key == "clean:cpu_us"]
    assert keys
    for verdict, wrong in (("better", True), ("worse", False), ("cannot tell", False)):
        variants = tuple(
            v.model_copy(
                update={
                    "against_baseline": {
                        key: one.model_copy(update={"verdict": verdict}) for key, one in v.against_baseline.items()
                    }
                }
            )
            for v in report.variants
        )
        found = judge(report.model_copy(update={"variants": variants}), PLANTED)
        assert bool(found.wrong) == wrong
        found = judge(report.model_copy(update={"variants": variants}), replace(PLANTED, saves_cpu=True))
        assert bool(found.wrong) == (verdict == "worse")


def test_a_name_is_a_word_of_its_own() -> None:
    assert names("the function “Basket.total” is called", "Basket.total")
    assert names("“Shop.search” is called", "search")
    assert not names("“search_all” is called", "search")
