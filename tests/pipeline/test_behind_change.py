"""A change of level in the history names the functions, commits and packages behind it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from profpipe.model.history import MovedFunction
from profpipe.model.report import FunctionName, Report
from profpipe.pipeline.behind_change import moved
from profpipe.pipeline.history import Narrowed, ask, record
from profpipe.render.terminal.history import render_trends
from profpipe.store.history.trends import FunctionCost
from tests.support.demo_repository import git
from tests.support.paths import DATA
from tests.support.small_repository import put

KEY = "callgrind:instructions"


def at(number: int, commit: str, factor: float) -> Report:
    """A real report of two commits as of another commit, with the cost of `answer` multiplied."""
    data: dict[str, Any] = json.loads((DATA / "report" / "answer-slower.json").read_text())
    head = data["variants"][1]
    data["created"] = f"2026-03-{1 + number:02d}T10:00:00+00:00"
    head["commit"] |= {"commit": commit, "time": data["created"], "dirty": False}
    data["gate"] = {"asked": ["regression:5%"], "failed": factor > 1, "hits": []}
    rows = [row for category in data["hotspots"][0]["rows"] for row in category["functions"]]
    (answer,) = (row for row in rows if row["function"]["name"] == "answer")
    more = answer["cells"][head["id"]]["self"] * (factor - 1)
    answer["cells"][head["id"]]["self"] += more
    series = head["figures"][KEY]
    for name in ("median", "low", "high"):
        series[name] += more + number % 3
    return Report.model_validate(data)


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve reports of twelve commits; from the seventh on `answer` costs 1.5 times, and MarkupSafe is another."""
    repo = tmp_path / "repo"
    repo.mkdir()
    git(repo, "init", "--quiet")
    monkeypatch.chdir(repo)
    for number in range(12):
        later = number >= 6
        commit = put(repo, "requirements.txt", f"markupsafe=={3 if later else 2}.0\nn{number}==1\n", f"change {number}")
        head = at(number, commit, 1.5 if later else 1.0)
        record(head, tmp_path / "reports", targets={variant.id: "server" for variant in head.variants[1:]})
    return tmp_path / "reports"


@pytest.mark.programs
def test_functions_packages_commits_and_the_gate_are_told_without_being_asked(reports: Path) -> None:
    found = ask(reports, KEY, Narrowed(variant="server"))
    (change,) = found.trends[0].changes or ()
    assert change.index == 6
    assert [row.function.name for row in change.behind.functions] == ["answer"]
    console = Console(file=io.StringIO(), width=140)
    console.print(render_trends(found.what, found.trends))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert f"{KEY}: answer (work.c) +" in text
    assert "packages: markupsafe 2.0 → 3.0" in text
    assert f"commit: {found.trends[0].points[6].commit[:10]} change 6" in text  # type: ignore[index]
    assert [point.gate for point in found.trends[0].points] == ["passed"] * 6 + ["failed"] * 6
    assert "failed" in text


def cost(name: str, value: float, *, metric: str = KEY, object_: str = "", entry: str = "e") -> FunctionCost:
    return FunctionCost(entry, metric, "1", metric == KEY, name, FunctionName(name=name, object=object_), value)


def test_functions_are_counted_exactly_where_the_metric_of_the_change_knows_none() -> None:
    samples = [cost("a", 10.0, metric="perf:samples")]
    metric, found = moved("clean:cpu_us", [cost("a", 100.0), *samples], [cost("a", 300.0), *samples])
    assert metric == KEY
    assert [(row.before, row.after) for row in found] == [(100.0, 300.0)]


def test_the_interpreter_is_named_only_where_nothing_else_changed() -> None:
    loop = [cost("_PyEval_EvalFrameDefault", value, object_="libpython3.13.so.1.0") for value in (1000.0, 5000.0)]
    own = [cost("escape", value) for value in (100.0, 300.0)]
    assert [row.id for row in moved(KEY, [loop[0], own[0]], [loop[1], own[1]])[1]] == ["escape"]
    assert [row.id for row in moved(KEY, loop[:1], loop[1:])[1]] == ["_PyEval_EvalFrameDefault"]


def test_a_function_that_gives_back_a_little_is_not_behind_it() -> None:
    before, after = [cost("a", 100.0), cost("b", 90.0)], [cost("a", 300.0), cost("b", 50.0)]
    assert [row.id for row in moved(KEY, before, after)[1]] == ["a"]


def test_a_function_that_was_not_listed_before_is_said_to_be_new() -> None:
    (found,) = moved(KEY, [cost("a", 1.0)], [cost("a", 1.0), cost("b", 500.0)])[1]
    assert found == MovedFunction("b", FunctionName(name="b"), "1", None, 500.0)
