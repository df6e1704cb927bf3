"""Named load plans, and one profiler used in two ways: what a study file says, and the runs that come of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from profpipe.errors import ConfigError
from profpipe.pipeline.prepare.options import RunOptions
from profpipe.pipeline.prepare.prepared import PreparedStudy
from profpipe.pipeline.prepare.study import prepare
from profpipe.study import LoadPlan, Study, read_study_file
from tests.support.study_file import PROFILERS, SERVER, mistakes

TARGETS = SERVER + '[target.b]\ncommand = ["srv", "{port}"]\n'
PLAN = '[load.post]\nmode = "closed"\nduration = 10.0\nconnections = 20\nthreads = 2\n'
STUDY = TARGETS + PLAN + '[study.s]\ntargets = ["a", "b"]\n'
TWO = 'profilers = ["callgrind", "cg"]\nprofiler.cg.tool = "callgrind"\n'


def study(folder: Path, text: str) -> Study:
    path = folder / "profpipe.toml"
    path.write_text(STUDY + text)
    return read_study_file(path, profilers=PROFILERS).file.study["s"]


def test_a_named_plan_is_the_plan(tmp_path: Path) -> None:
    found = study(tmp_path, 'throughput = { plan = "post" }\nload = { requests = 7 }')
    assert found.throughput is not None
    assert (found.throughput.mode, found.throughput.duration, found.throughput.threads) == ("closed", 10.0, 2)
    assert found.load == LoadPlan(requests=7)


def test_keys_next_to_a_plan_override_it(tmp_path: Path) -> None:
    found = study(tmp_path, TWO + 'profiler.cg.load = { plan = "post", connections = 200 }')
    plan = found.use("cg").load
    assert plan is not None
    assert (plan.mode, plan.duration, plan.connections) == ("closed", 10.0, 200)
    assert found.tool("cg") == found.tool("callgrind") == "callgrind"
    assert found.use("callgrind").load is None


LOADED = 'load = { requests = 9, timeout = 5.0, request = { method = "POST", path = "/a", body = "x" } }\n'


def test_a_load_of_a_profiler_changes_only_what_it_sets(tmp_path: Path) -> None:
    plan = study(tmp_path, LOADED + TWO + "profiler.cg.load = { timeout = 99.0 }").use("cg").load
    assert plan is not None
    assert (plan.timeout, plan.requests, plan.request.method, plan.request.path) == (99.0, 9, "POST", "/a")
    assert {"requests", "timeout", "request_"} <= plan.model_fields_set


def test_keys_of_a_request_override_only_themselves(tmp_path: Path) -> None:
    plan = study(tmp_path, LOADED + TWO + 'profiler.cg.load = { request.path = "/b" }').use("cg").load
    assert plan is not None
    assert (plan.request.method, plan.request.path, plan.request.body) == ("POST", "/b", "x")


def test_a_load_of_another_mode_takes_over_what_its_mode_has(tmp_path: Path) -> None:
    plan = study(tmp_path, LOADED + TWO + 'profiler.cg.load = { mode = "closed", duration = 2.0 }').use("cg").load
    assert plan is not None
    assert (plan.mode, plan.duration, plan.timeout, plan.request.path) == ("closed", 2.0, 5.0, "/a")
    assert "requests" not in plan.model_fields_set


def test_every_load_of_a_study_sends_its_request(tmp_path: Path) -> None:
    found = study(tmp_path, LOADED + TWO + 'profiler.cg.load = { plan = "post" }\nthroughput = { plan = "post" }\n'
                  'latency = { mode = "rate", rate = 9.0 }')  # fmt: skip
    loads = (found.throughput, found.latency, found.use("cg").load)
    assert [plan.request.path if plan else "" for plan in loads] == ["/a", "/a", "/a"]
    assert [plan.timeout if plan else 0 for plan in loads] == [60.0, 60.0, 60.0]


def test_a_mistake_in_the_load_of_a_study_is_told_once(tmp_path: Path) -> None:
    text = 'load = { generator = "wrkk" }\n' + TWO + "profiler.cg.load = { timeout = 9.0 }"
    path = tmp_path / "profpipe.toml"
    path.write_text(STUDY + text)
    with pytest.raises(ConfigError) as refused:
        read_study_file(path, profilers=PROFILERS, generators=("wrk",))
    assert str(refused.value).count("unknown load generator") == 1


MISTAKES = {
    "no such plan": ('load = { plan = "pst" }', 'study.s.load.plan: no [load.pst] in this file; did you mean "post"?'),
    "a key of the plan that its mode makes useless": (
        'load = { plan = "post", requests = 5 }',
        'study.s.load.requests: has no effect in mode "closed"',
    ),
    "a plan of the wrong mode": (
        'latency = { plan = "post" }',
        'study.s.latency: latency is compared at a fixed rate: set mode = "rate"',
    ),
    "a use of no profiler": (
        'profilers = ["cg"]\nprofiler.cg = { tool = "calgrind" }',
        'study.s.profiler.cg.tool: unknown profiler "calgrind"; did you mean "callgrind"?',
    ),
    "a name of another profiler": (
        'profilers = ["yappi"]\nprofiler.yappi = { tool = "callgrind" }',
        'study.s.profiler.yappi.tool: "yappi" is a profiler itself: choose another name for this use',
    ),
    "clean twice": (
        'profilers = ["again"]\nprofiler.again = { tool = "clean" }',
        "study.s.profiler.again.tool: a study has one series of clean runs",
    ),
    "a target that is not of the study": (
        TWO + 'profiler.cg.targets = ["c"]',
        'study.s.profiler.cg.targets[0]: "c" is not one of the study\'s targets',
    ),
    "requests beside a load": (
        TWO + 'profiler.cg.requests = 5\nprofiler.cg.load = { plan = "post" }',
        "study.s.profiler.cg.requests: has no effect next to a load of its own",
    ),
    "a mistake inside a use's load": (
        TWO + 'profiler.cg.load = { mode = "rate" }',
        'study.s.profiler.cg.load.mode: mode "rate" needs rate = NUMBER',
    ),
    "a load of one thread that cannot be spread": (
        'profilers = ["cg"]\nprofiler.cg = { tool = "callgrind", load = { plan = "post", threads = 1 }, '
        'placement = "spread" }',
        'study.s.profiler.cg.load.threads: placement "spread" of cg needs a load of two threads: threads = 2',
    ),
    "a hypothesis without categories": (
        '[[study.s.hypothesis]]\ntext = "it is slow"',
        'study.s.hypothesis[0]: missing key "categories"',
    ),
}


@pytest.mark.parametrize(("text", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_reported_with_its_position(tmp_path: Path, text: str, said: str) -> None:
    found = mistakes(tmp_path, STUDY + text)
    assert len(found) == 1, found
    assert said in found[0]


def test_a_named_plan_has_no_plan_of_its_own(tmp_path: Path) -> None:
    found = mistakes(tmp_path, PLAN + '[load.other]\nplan = "post"\n' + SERVER)
    assert found == [
        "profpipe.toml:7:1: load.other.plan: a named plan cannot refer to another plan: write its keys here"
    ]


# ---- the runs that come of it


def prepared(folder: Path, text: str, **options: object) -> PreparedStudy:
    path = folder / "profpipe.toml"
    path.write_text(STUDY.replace('"srv"', '"{python}"') + text)
    return prepare(read_study_file(path, profilers=PROFILERS), "s", RunOptions(**options))  # type: ignore[arg-type]


USES = """
profilers = ["clean", "yappi-x", "yappi-y"]
rounds = 2
load = { generator = "builtin", requests = 100 }
placement = "free"
profiler.yappi-x = { tool = "yappi", rounds = 1, targets = ["b"], placement = "same-core" }
profiler.yappi-y = { tool = "yappi", load = { generator = "builtin", requests = 9, connections = 3 } }
"""


def test_every_use_has_its_own_targets_rounds_load_and_placement(tmp_path: Path) -> None:
    found = prepared(tmp_path, USES)
    runs = {(r.profiler, r.variant, r.round) for r in found.runs if not r.control}
    assert {r for r in runs if r[0] == "yappi-x"} == {("yappi-x", "b", 1)}
    assert len({r for r in runs if r[0] == "yappi-y"}) == 4
    by_use = {r.profiler: (found.plan_for(r), found.placement_for(r)) for r in found.runs}
    assert (by_use["yappi-y"][0].requests, by_use["yappi-y"][0].connections) == (9, 3)
    assert by_use["yappi-x"][0].requests == by_use["clean"][0].requests == 100
    assert by_use["yappi-x"][1].text.startswith("same core")
    assert by_use["yappi-y"][1].text.startswith("free")
    assert found.kinds == {"clean": "clean", "yappi-x": "traced", "yappi-y": "traced"}


def test_a_number_of_requests_given_on_the_command_line_is_everybodys(tmp_path: Path) -> None:
    found = prepared(tmp_path, USES, requests=50)
    assert {found.plan_for(r).requests for r in found.runs} == {50}


def test_a_limit_of_a_profiler_is_printed_once(tmp_path: Path) -> None:
    names = [limit.profiler for limit in prepared(tmp_path, USES).limits if "not measured" not in limit.text]
    assert "yappi-x" in names
    assert "yappi-y" not in names
