"""No forged artifact is a pass: what follows from the rounds is computed again, by the target branch's rules.

The honest report is of a pull request that is 20 % more expensive. Each forgery tries to get it a green status. A
report whose rounds are all invented cannot be recognised, and docs/ci.md says so.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from profpipe.errors import ReportError
from profpipe.pipeline.attach.message import AttachOptions, prepare_artifact
from tests.support.attach_driving import workflow_run_environment
from tests.support.forge_server import HEAD_SHA, Forge
from tests.support.sample_commits import pull_request_document
from tests.support.sample_tables import BASELINE

pytestmark = pytest.mark.programs

Data = dict[str, Any]
CPU, COUNTED, BASE, HEAD = "clean:cpu_us", "callgrind:instructions", 0, 1
STUDY = """
[target.threads]
command = ["{python}", "x.py", "{port}"]
language = "python"

[study.concurrency]
targets = ["threads"]
profilers = ["clean", "callgrind"]
rounds = 7
profiler.callgrind = { rounds = 5 }

[study.concurrency.gate]
cost = "5%"
alloc = "5%"
"""


def series(middle: float, count: int) -> Data:
    values = [middle * (1 + 0.0004 * (number - count // 2)) for number in range(count)]
    return {"values": values, "median": middle, "low": values[0], "high": values[-1], "cv": 0.001}


def report(ratio: float) -> Data:
    """A report whose contender costs `ratio` times the baseline, as profpipe itself would write it."""
    data = pull_request_document()
    data["variants"] = [v for v in data["variants"] if v["role"] != "control"]
    data["variants"][HEAD]["commit"] |= {"commit": HEAD_SHA, "dirty": False}
    for place, factor in ((BASE, 1.0), (HEAD, ratio)):
        figures = {CPU: series(60.0 * factor, 7), COUNTED: series(8000.0 * factor, 5)}
        data["variants"][place]["figures"] = figures
        data["variants"][place]["against_baseline"] = {}
    verdict = "worse" if ratio > 1.05 else "no change"
    for key in (CPU, COUNTED):
        data["variants"][HEAD]["against_baseline"][key] = {"verdict": verdict, "ratio": ratio, "delta": 1.0}
    data["metrics"] = [m for m in data["metrics"] if m["key"] in (CPU, COUNTED)]
    data["hotspots"] = data["hotspots"][:1]
    for part in ("waterfall", "flames"):
        data[part] = [each for each in data[part] if each["metric"] in (CPU, COUNTED)]
    (row,) = (r for r in data["hotspots"][0]["rows"] if r["category"] == "alloc")
    row["cells"][head(data)["id"]] |= {
        "self": row["cells"][BASELINE]["self"] * ratio,
        "verdict": verdict,
        "ratio": ratio,
    }
    data["gate"] = {"asked": ["regression:5%"], "failed": ratio > 1.05, "hits": ["worse"] if ratio > 1.05 else []}
    return data


def head(data: Data) -> Data:
    found: Data = data["variants"][HEAD]
    return found


def figure(data: Data, place: int, key: str) -> Data:
    found: Data = data["variants"][place]["figures"][key]
    return found


def allocations(data: Data) -> Data:
    (row,) = (r for r in data["hotspots"][0]["rows"] if r["category"] == "alloc")
    found: Data = row["cells"]
    return found


def all_verdicts(word: str) -> Callable[[Data], None]:
    def forge(data: Data) -> None:
        data["gate"] = None
        allocations(data)[head(data)["id"]]["verdict"] = word
        for comparison in head(data)["against_baseline"].values():
            comparison |= {"verdict": word, "ratio": 1.0, "delta": 0.0}

    return forge


def both(change: Callable[[Data], None], *places: int) -> Callable[[Data], None]:
    """A change of both figures of the variants at `places`."""

    def forge(data: Data) -> None:
        for place in places:
            for key in (CPU, COUNTED):
                change(figure(data, place, key))

    return forge


def scattered(found: Data) -> None:
    chance = random.Random(7)
    found["values"] = [value * chance.uniform(0.5, 2.0) for value in found["values"]]
    found["median"] = sorted(found["values"])[len(found["values"]) // 2]


def kept(count: int) -> Callable[[Data], None]:
    def change(found: Data) -> None:
        values = found["values"][:count]
        middle = sorted(values)[count // 2] if count % 2 else sum(sorted(values)[count // 2 - 1 : count // 2 + 1]) / 2
        found |= {"values": values, "median": middle}

    return change


def lost(count: int) -> Callable[[Data], None]:
    def change(found: Data) -> None:
        rest = found["values"][count:]
        found |= {"values": [None] * count + rest, "median": sorted(rest)[len(rest) // 2] if len(rest) % 2 else None}
        if rest and found["median"] is None:
            middle = sorted(rest)
            found["median"] = (middle[len(rest) // 2 - 1] + middle[len(rest) // 2]) / 2

    return change


def control(spread: float) -> Callable[[Data], None]:
    """A control that claims that the baseline differs from itself by this much."""

    def forge(data: Data) -> None:
        again = copy.deepcopy(data["variants"][BASE])
        again |= {"id": f"{BASELINE}+control", "role": "control", "against_baseline": {}}
        for key in (CPU, COUNTED):
            found = again["figures"][key]
            found["values"] = [v * (1 + spread * (-1) ** n) for n, v in enumerate(found["values"])]
            found["median"] = sorted(found["values"])[len(found["values"]) // 2]
        data["variants"].append(again)

    return forge


def metric(number: int, **changes: Any) -> Callable[[Data], None]:
    return lambda data: data["metrics"][number].update(changes)


def without_metrics(*keys: str) -> Callable[[Data], None]:
    def forge(data: Data) -> None:
        data["metrics"] = [m for m in data["metrics"] if m["key"] not in keys]

    return forge


def without_figures(place: int, *keys: str) -> Callable[[Data], None]:
    def forge(data: Data) -> None:
        for key in keys:
            del data["variants"][place]["figures"][key]
            head(data)["against_baseline"].pop(key, None)

    return forge


def renamed(data: Data) -> None:
    text = json.dumps(data).replace(CPU, "clean:cpu_u5").replace(COUNTED, "callgrind:instruction5")
    data.clear()
    data |= json.loads(text)


def swapped(data: Data) -> None:
    base, other = data["variants"][BASE], data["variants"][HEAD]
    base["figures"], other["figures"] = other["figures"], base["figures"]
    base["commit"], other["commit"] = other["commit"], base["commit"]


def second_contender(data: Data) -> None:
    good = copy.deepcopy(data["variants"][BASE])
    data["variants"].append(good | {"id": head(data)["id"], "role": "contender", "commit": head(data)["commit"]})


def looks(**changes: Any) -> Callable[[Data], None]:
    steps = {"rule": "r", "looks": [7], "planned": [7, 20], "alpha": 0.005, "stopped": "stable"} | changes
    return lambda data: data["study"].update(sequential=steps)


def cause(**changes: Any) -> Callable[[Data], None]:
    """A cause in the artifact: where a function is on the way from the server's own code to the cost."""
    cost = {"calls": 1.0, "self": 10.0, "total": 20.0}
    step = {"function": {"name": "answer"}, "category": "other", "before": cost, "after": cost}
    found = {"metric": COUNTED, "gap": 5.0, "exact": True, "label": "instructions", "unit": "1", "steps": [step]}
    return lambda data: data.update(causes=[found | {"contender": head(data)["id"], "entry": 0} | changes])


def blurred(forge: Callable[[Data], None]) -> Callable[[Data], None]:
    """With rounds that are scattered, so that only the forgery decides."""

    def change(data: Data) -> None:
        both(scattered, HEAD)(data)
        forge(data)

    return change


FORGED: dict[str, Callable[[Data], None]] = {
    "as it is": lambda _: None,
    "gate not failed": lambda d: d["gate"].update(failed=False),
    "gate not failed, no hits": lambda d: d["gate"].update(failed=False, hits=[]),
    "no gate": lambda d: d.update(gate=None),
    "a gate that allows everything": lambda d: d.update(gate={"asked": ["regression:9999%"], "failed": False}),
    "a gate of nothing": lambda d: d.update(gate={"asked": [], "failed": False}),
    "accepted by itself": lambda d: d["gate"].update(failed=False, hits=[], accepted=["accepted by the owner"]),
    "every verdict no change": all_verdicts("no change"),
    "every verdict better": all_verdicts("better"),
    "every verdict cannot tell": all_verdicts("cannot tell"),
    "no comparisons": lambda d: head(d).update(against_baseline={}),
    "not significant": lambda d: head(d)["against_baseline"][CPU].update(significant=False, relevant=False),
    "ratio 1": lambda d: head(d)["against_baseline"][CPU].update(ratio=1.0, low=0.99, high=1.01),
    "the head's CPU median lowered": lambda d: figure(d, HEAD, CPU).update(median=60.0),
    "the head's medians lowered": both(lambda f: f.update(median=f["median"] / 1.2), HEAD),
    "the baseline's medians raised": both(lambda f: f.update(median=f["median"] * 1.2), BASE),
    "intervals that touch": both(lambda f: f.update(low=1.0, high=1e9), BASE, HEAD),
    "medians removed": both(lambda f: f.update(median=None, why="lost"), HEAD),
    "rounds removed, medians kept": both(lambda f: f.update(values=[]), HEAD),
    "one round each": both(kept(1), BASE, HEAD),
    "two rounds each": both(kept(2), BASE, HEAD),
    "three rounds each": both(kept(3), BASE, HEAD),
    "three rounds of the head": both(kept(3), HEAD),
    "most rounds of the head lost": both(lost(4), HEAD),
    "all rounds of the head lost": both(lambda f: f.update(values=[None] * 7, median=None), HEAD),
    "all rounds of the baseline lost": both(lambda f: f.update(values=[None] * 7, median=None), BASE),
    "rounds of the head scattered": both(scattered, HEAD),
    "rounds of both scattered": both(scattered, BASE, HEAD),
    "negative rounds": both(lambda f: f.update(values=[-v for v in f["values"]], median=-f["median"]), HEAD),
    "rounds that are 0": both(lambda f: f.update(values=[0.0] * 7, median=0.0), BASE, HEAD),
    "rounds without end": both(lambda f: f.update(values=[1e999] * 7), HEAD),
    "higher CPU time is better": metric(0, better="higher"),
    "more instructions are better": metric(1, better="higher"),
    "both better when higher": lambda d: [m.update(better="higher") for m in d["metrics"]],
    "instructions are traced": metric(1, instrument="traced"),
    "both are traced": lambda d: [m.update(instrument="traced", ranked=False) for m in d["metrics"]],
    "instructions are not plain events": metric(1, unit="ns"),
    "no metrics": lambda d: d.update(metrics=[]),
    "CPU time is no metric": without_metrics(CPU),
    "instructions are no metric": without_metrics(COUNTED),
    "a metric twice": lambda d: d["metrics"].append(d["metrics"][0]),
    "other names for both": renamed,
    "CPU time missing in the head": without_figures(HEAD, CPU),
    "instructions missing in the head": without_figures(HEAD, COUNTED),
    "both missing in the head": without_figures(HEAD, CPU, COUNTED),
    "both missing in the baseline": without_figures(BASE, CPU, COUNTED),
    "the figures of the baseline and the head swapped with their commits": swapped,
    "the head as control": lambda d: head(d).update(role="control"),
    "the head as a second baseline": lambda d: head(d).update(role="baseline"),
    "no head": lambda d: d["variants"].pop(),
    "no baseline": lambda d: d["variants"].pop(0),
    "no contenders in the study": lambda d: d["study"].update(contenders=[]),
    "another baseline in the study": lambda d: d["study"].update(baseline=head(d)["id"]),
    "a second head with the baseline's figures": second_contender,
    "the head is invalid": lambda d: head(d).update(valid=False),
    "the baseline is invalid": lambda d: d["variants"][BASE].update(valid=False),
    "a control that differs by 50 %": control(0.5),
    "a control that differs by 20 %": control(0.2),
    "a control that differs by 3 %": control(0.03),
    "a calibration that allows everything": lambda d: d.update(
        calibration={
            "created": "2026-01-01T00:00:00+00:00", "machine": "m", "study": "concurrency", "comparisons": 9,
            "false_verdicts": 0, "low": 0.0, "high": 0.1, "sd": {CPU: 9.0, COUNTED: 9.0},
        }
    ),
    "another study": lambda d: d["study"].update(id="diff-easier"),
    "a level of nothing": lambda d: d["study"].update(alpha=1e-12),
    "looks at a level of nothing": looks(alpha=1e-12),
    "a thousand looks": looks(planned=list(range(7, 1007))),
    "looks that begin with the last": looks(planned=[1000]),
    "one round in the study": lambda d: d["study"].update(rounds=1),
    "another commit": lambda d: head(d)["commit"].update(commit="ef" * 20),
    "no commit": lambda d: head(d).update(commit=None),
    "scattered, no commit": blurred(lambda d: head(d).update(commit=None)),
    "uncommitted changes": lambda d: head(d)["commit"].update(dirty=True),
    "scattered, every verdict better": blurred(all_verdicts("better")),
    "no tables": lambda d: d.update(hotspots=[]),
    "a cause whose entry is no step of it": cause(entry=9),
    "a cause without steps": cause(steps=[]),
    "a cause of a variant that is not there": cause(contender="other"),
    "a cause that says it became cheaper": cause(gap=-5000.0),
    "a conclusion that nothing changed": lambda d: d.update(
        conclusions=[{"id": "c", "rule": "r", "text": "No relevant difference.", "certainty": "measured"}]
    ),
}  # fmt: skip


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of the target branch, in which the posting side works."""
    folder = tmp_path / "target"
    folder.mkdir()
    (folder / "profpipe.toml").write_text(STUDY)
    monkeypatch.chdir(folder)
    return folder


def state(forge: Forge, folder: Path, data: Data, **options: Any) -> str:
    """The state of the status, or that the artifact was refused."""
    artifact = folder / "artifact"
    artifact.mkdir()
    (artifact / "report.json").write_text(json.dumps(data).replace("Infinity", "1e999"))
    environment = workflow_run_environment(forge, folder)
    try:
        return prepare_artifact(artifact, AttachOptions(**options), environment).message.state
    except ReportError:
        return "refused"


def test_there_are_fifty_kinds() -> None:
    assert len(FORGED) >= 50


@pytest.mark.usefixtures("target")
def test_an_honest_report_without_a_change_is_a_pass(forge: Forge, tmp_path: Path) -> None:
    assert state(forge, tmp_path, report(1.0)) == "success"


@pytest.mark.usefixtures("target")
def test_an_honest_report_of_a_regression_fails(forge: Forge, tmp_path: Path) -> None:
    assert state(forge, tmp_path, report(1.2)) == "failure"


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_report_of_a_regression_is_never_a_pass(forge: Forge, tmp_path: Path, kind: str) -> None:
    data = report(1.2)
    FORGED[kind](data)
    assert state(forge, tmp_path, data) != "success"


# Forgeries of a report without a change: what a pass rests on is missing, though nothing is worse.
WEAKENED = (
    "one round each", "two rounds each", "three rounds each", "all rounds of the head lost", "no metrics",
    "CPU time is no metric", "instructions are no metric", "other names for both", "CPU time missing in the head",
    "both missing in the baseline", "no commit", "uncommitted changes", "no tables", "another study", "another commit",
    "the head is invalid", "rounds of the head scattered", "a control that differs by 50 %",
)  # fmt: skip


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("kind", WEAKENED)
def test_a_pass_has_to_be_proved(forge: Forge, tmp_path: Path, kind: str) -> None:
    data = report(1.0)
    FORGED[kind](data)
    assert state(forge, tmp_path, data) != "success"


def test_without_rules_of_the_target_branch_nothing_is_a_pass(forge: Forge, tmp_path: Path, target: Path) -> None:
    (target / "profpipe.toml").unlink()
    assert state(forge, tmp_path, report(1.0)) == "neutral"


def test_rules_of_the_posting_workflow_decide_too(forge: Forge, tmp_path: Path, target: Path) -> None:
    (target / "profpipe.toml").unlink()
    assert state(forge, tmp_path, report(1.2), fail_on=("regression:5%",)) == "failure"
