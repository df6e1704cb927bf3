"""What a report says of packages in another version: which of them explains the difference, and where."""

from __future__ import annotations

from dataclasses import replace

from profpipe.analyse.report import concluded
from profpipe.model.report import CommitInfo, Dependency, Report
from tests.support.call_graphs import Function, seen
from tests.support.programs import SERVER


def said(report: Report, kind: str = "cause") -> list[str]:
    return [c.text for c in report.conclusions if c.rule == "dependencies" and c.kind == kind]


def other_packages(before: dict[str, Function], after: dict[str, Function], *packages: Dependency) -> Report:
    return concluded(seen(before, after).report.model_copy(update={"dependencies": packages}))


def package(name: str, before: str | None, after: str | None, *prefixes: str, alone: bool = False) -> Dependency:
    return Dependency(contender="b", name=name, before=before, after=after, prefixes=prefixes, alone=alone)


BEFORE = SERVER | {
    "write_head": replace(SERVER["write_head"], file="jinja2/runtime.py"),
    "put": replace(SERVER["put"], file="markupsafe/__init__.py"),
}


def dearer(name: str, by: int) -> dict[str, Function]:
    return BEFORE | {name: replace(BEFORE[name], own=BEFORE[name].own + by)}


def test_a_package_that_is_all_that_differs_explains_all_of_it() -> None:
    report = other_packages(
        BEFORE, dearer("put", 900), package("MarkupSafe", "2.1.5", "3.0.2", "markupsafe/", alone=True)
    )
    assert said(report) == [
        "MarkupSafe 2.1.5 → 3.0.2 is all that differs, so it explains the 900 instructions per request that b spends "
        "more than a: in its own “put” (markupsafe/__init__.py)."
    ]


def test_a_function_of_another_package_that_uses_it_is_named_where_it_holds_most() -> None:
    report = other_packages(
        BEFORE, dearer("write_head", -900), package("MarkupSafe", "2.1.5", "3.0.2", "markupsafe/", alone=True)
    )
    (text,) = said(report)
    assert text.endswith("that b saves against a: in “write_head” (jinja2/runtime.py), which uses it.")


def test_a_function_that_goes_the_other_way_is_not_named_as_the_place_of_the_difference() -> None:
    after = dearer("write_head", -900) | {"put": replace(BEFORE["put"], own=BEFORE["put"].own + 50)}
    report = other_packages(BEFORE, after, package("MarkupSafe", "2.1.5", "3.0.2", "markupsafe/", alone=True))
    (text,) = said(report)
    assert text.endswith(
        "in “write_head” (jinja2/runtime.py), which uses it; its own “put” (markupsafe/__init__.py) costs more."
    )


def test_of_several_packages_each_has_the_share_of_its_functions() -> None:
    after = dearer("put", 300) | {"write_head": replace(BEFORE["write_head"], own=BEFORE["write_head"].own + 700)}
    report = other_packages(
        BEFORE,
        after,
        package("Jinja2", "3.1.4", "3.1.6", "jinja2/"),
        package("MarkupSafe", "2.1.5", "3.0.2", "markupsafe/"),
        package("click", "8.0", "8.1", "click/"),
    )
    (text,) = said(report)
    assert text.startswith(
        "Jinja2 3.1.4 → 3.1.6 explains 70 % of the 1,000 instructions per request that b spends more"
    )
    assert "and MarkupSafe 2.1.5 → 3.0.2 explains 30 %" in text
    assert "click" not in text


def test_packages_that_explain_nothing_are_listed_and_blamed_for_nothing() -> None:
    report = other_packages(BEFORE, BEFORE, package("anyio", None, "4.4.0", "anyio/"), package("six", "1.16", None))
    assert said(report) == []
    assert said(report, "caution") == ["b has other packages than a: anyio 4.4.0 (new), six 1.16 (gone)."]


def test_a_cost_in_functions_of_no_changed_package_is_not_given_to_one() -> None:
    report = other_packages(BEFORE, dearer("put", 900), package("Jinja2", "3.1.4", "3.1.6", "jinja2/"))
    assert said(report) == []


def test_several_packages_at_one_commit_explain_together_what_no_function_of_theirs_shows() -> None:
    report = other_packages(
        BEFORE,
        dearer("write_head", 900),
        package("MarkupSafe", None, "3.0.4", "markupsafe/"),
        package("Werkzeug", "2.1.2", "2.2.3", "werkzeug/"),
    )
    one = CommitInfo(commit="1" * 40, ref="HEAD", subject="a page", time="2026-01-01T00:00:00Z")
    at_one = [variant.model_copy(update={"commit": one}) for variant in report.variants]
    (text,) = said(concluded(report.model_copy(update={"variants": tuple(at_one)})))
    assert text == (
        "Werkzeug 2.1.2 → 2.2.3 and MarkupSafe 3.0.4 (new) are all that differs, so together they explain the 900 "
        "instructions per request that b spends more than a."
    )
    assert said(report) == []
