"""What a report of two commits says in words, each with rows that report.json holds."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from profpipe.analyse import compare_profiles, with_changes
from profpipe.analyse.conclusions.conclude import resolve
from profpipe.model.report import Report
from tests.support.call_graphs import PROGRAM, Function, Program, Seen, profile, renamed, seen
from tests.support.programs import SERVER, without

DIFF = """\
diff --git a/src/app.c b/src/app.c
--- a/src/app.c
+++ b/src/app.c
@@ -120,0 +121,12 @@ int write_head(char *out) {
""" + "".join(f"+    more({i});\n" for i in range(12))


def said(report: Report, rule: str) -> list[str]:
    return [c.text for c in report.conclusions if c.rule == rule]


def dearer(name: str, by: int) -> dict[str, Function]:
    return SERVER | {name: replace(SERVER[name], own=SERVER[name].own + by)}


def test_the_function_that_got_dearer_is_named_with_its_share_and_its_lines() -> None:
    report = with_changes(seen(SERVER, dearer("write_head", 500)).report, "b", DIFF)
    assert said(report, "commits") == [
        "“write_head” became more expensive by 500 instructions per request, 100 % of what b adds to a; "
        "src/app.c:121-132 changed in this commit and lie in it."
    ]
    (found,) = [c for c in report.conclusions if c.rule == "commits"]
    assert found.certainty == "likely"  # git's heading, no lines of the profile


def test_a_function_that_got_cheaper_is_named_as_well() -> None:
    report = seen(SERVER, dearer("write_head", -500)).report
    assert said(report, "commits") == [
        "“write_head” became cheaper by 500 instructions per request, 100 % of what b saves against a; no changed "
        "line is known to lie in it."
    ]


def test_one_called_more_often_points_at_the_caller_that_changed() -> None:
    after = SERVER | {"put": Function(700), "write_head": Function(2000, {"put": 12})}
    report = with_changes(seen(SERVER, after).report, "b", DIFF)
    (text,) = said(report, "commits")
    assert "“put” became more expensive by 350" in text
    assert "called 15 times per request instead of 9" in text
    assert "no changed line lies in it, but src/app.c:121-132 do in its caller “write_head”" in text


def test_a_changed_function_that_calls_dearer_things_is_named_with_what_it_calls() -> None:
    """write_head got no dearer itself; it calls put twice as often. serve, which calls it, changed nothing."""
    before = SERVER | {"put": Function(300, file="", object="/lib/libc.so.6")}
    after = before | {
        "put": Function(800, file="", object="/lib/libc.so.6"), "write_head": Function(2000, {"put": 12}),
    }  # fmt: skip
    report = with_changes(seen(before, after).report, "b", DIFF)
    texts = said(report, "commits-callees")
    assert len(texts) == 1
    assert texts[0].startswith("“write_head” with what it calls became more expensive by ")
    assert "src/app.c:121-132 changed in this commit and lie in it" in texts[0]


def test_where_nothing_changed_the_smallest_detectable_change_is_named() -> None:
    report = seen(SERVER, SERVER).report
    (text,) = said(report, "commits-nothing")
    assert text.endswith("A change of the whole under 0.3 % would not have been seen.")
    assert said(report, "commits") == said(report, "commits-moved") == said(report, "commits-renamed") == []


def test_much_without_a_counterpart_is_a_caution() -> None:
    after = without(SERVER, "parse", "serve") | {"read": Function(4000), "main": Function(100, {"serve": 1, "read": 3})}
    (text,) = said(seen(SERVER, after).report, "unmatched")
    assert "is in functions that only one of a and b has" in text


def test_reports_of_different_programs_hold_none_of_this() -> None:
    report = seen(SERVER, dearer("write_head", 500), commits=False).report
    assert not {c.rule for c in report.conclusions} & {"commits", "commits-nothing", "unmatched"}


CASES: dict[str, Program] = {
    "dearer": dearer("write_head", 500),
    "cheaper": dearer("write_head", -500),
    "nothing": SERVER,
    "renamed": renamed(SERVER, "write_head", "reply_prefix"),
    "renamed and dearer": renamed(SERVER, "write_head", "write_response_head", own=2700),
    "split": SERVER | {"write_head": Function(1200, {"put": 6, "write_digits": 1}), "write_digits": Function(1300)},
    "replaced": without(SERVER, "parse", "serve") | {"main": Function(100, {"serve": 1, "x": 3}), "x": Function(4000)},
}


@pytest.mark.parametrize("case", CASES)
def test_every_row_of_every_conclusion_is_in_report_json(case: str) -> None:
    report = with_changes(seen(SERVER, CASES[case]).report, "b", DIFF)
    document = json.loads(report.model_dump_json(by_alias=True))
    assert report.conclusions
    for conclusion in report.conclusions:
        assert conclusion.rows
        for row in conclusion.rows:
            assert resolve(document, row.path) == row.value


def test_captures_of_one_program_are_aligned_and_the_report_says_so() -> None:
    def compared(*commands: str) -> Seen:
        programs = SERVER, renamed(SERVER, "write_head", "reply_prefix")
        sides = []
        for label, program, command in zip("ab", programs, commands, strict=True):
            one = profile(program)
            sides.append((label, replace(one, meta=replace(one.meta, command=command)), 100))
        return Seen(compare_profiles(sides))

    same = compared(f"{PROGRAM} --port 1", f"/other/{PROGRAM}")
    assert same.aligned == {"reply_prefix": "write_head"}
    assert any(limit.text.startswith("All captures are of server:") for limit in same.report.limits)
    other = compared(PROGRAM, "/srv/app/client")
    assert other.aligned == {}
    assert not any("All captures are of" in limit.text for limit in other.report.limits)
