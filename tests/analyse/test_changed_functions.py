"""Changed lines, looked up in functions: by what ran where, else by git's heading, else not at all."""

from __future__ import annotations

import pytest

from profpipe.analyse import ExecutedLines, parse_diff
from profpipe.analyse.commits.changed_functions import FunctionNames, changed_functions, in_changed_file
from profpipe.model.lines import FunctionLines
from profpipe.model.report import ChangedLines, FunctionName

UNKNOWN = ExecutedLines()


def diff(hunks: str, path: str = "src/s.c") -> str:
    return f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n{hunks}"


def found(
    text: str, *names: str, ran: ExecutedLines = UNKNOWN, file: str = "src/s.c"
) -> dict[str, tuple[ChangedLines, ...]]:
    places = [FunctionNames(FunctionName(name=n, file=file), FunctionName(name=n, file=file)) for n in names]
    return {names[i]: lines for i, lines in changed_functions(parse_diff(text), places, ran).items()}


def lines(name: str, *numbers: int, file: str = "/w/src/s.c", home: str = "/w/src/s.c") -> FunctionLines:
    return FunctionLines(name, home, file, frozenset(numbers))


ONE = diff("@@ -30 +30 @@ int first(int x) {\n-a\n+b\n")


def test_a_line_that_ran_in_a_function_is_measured() -> None:
    ran = ExecutedLines(after=(lines("first", 10, 14), lines("second", 28, 30, 33)))
    result = found(ONE, "first", "second", ran=ran)
    assert result["second"] == (
        ChangedLines(
            file="src/s.c", added=((30, 30),), lines=1, certainty="measured",
            why="the profiler saw a changed line run in it",
        ),
    )  # fmt: skip


def test_a_line_between_lines_of_one_function_lies_in_it() -> None:
    ran = ExecutedLines(after=(lines("second", 28, 33),))
    (change,) = found(ONE, "second", ran=ran)["second"]
    assert (change.added, change.certainty) == (((30, 30),), "likely")


def test_a_line_between_two_functions_lies_in_neither() -> None:
    """git's heading names the function before the hunk; that one is known to have ended at line 14."""
    ran = ExecutedLines(
        before=(lines("first", 10, 14), lines("second", 40)), after=(lines("first", 10, 14), lines("second", 40))
    )
    assert found(ONE, "first", "second", ran=ran) == {}


def test_without_line_data_the_heading_makes_it_likely() -> None:
    result = found(ONE, "first", "second")
    assert result["first"][0].certainty == "likely"
    assert result["first"][0].why == "git names it above the changed lines"
    assert "second" not in result


def test_a_definition_among_the_changed_lines_ends_the_one_before() -> None:
    """A new function is added behind first: git's heading for its lines is first."""
    text = diff("@@ -30,0 +31,4 @@ int first(int x) {\n+\n+int second(int x) {\n+    return x;\n+}\n")
    result = found(text, "first", "second")
    assert result["second"][0].added == ((32, 34),)
    assert result["first"][0].added == ((31, 31),)


def test_code_inlined_from_a_changed_file_counts_for_the_function_it_ran_in() -> None:
    ran = ExecutedLines(after=(lines("second", 30, file="/w/src/s.c", home="/w/src/other.c"),))
    text = ONE
    places = [FunctionNames(None, FunctionName(name="second", file="src/other.c"))]
    result = changed_functions(parse_diff(text), places, ran)
    assert result[0][0].file == "src/s.c"


def test_two_functions_of_one_name_are_distinguished_by_file() -> None:
    ran = ExecutedLines(after=(lines("init", 30), lines("init", 30, file="/w/src/t.c", home="/w/src/t.c")))
    places = [FunctionNames(None, FunctionName(name="init", file=f)) for f in ("src/s.c", "src/t.c")]
    assert list(changed_functions(parse_diff(ONE), places, ran)) == [0]


def test_a_changed_file_without_headings_is_only_a_hint() -> None:
    text = diff("@@ -3 +3 @@\n-x = 1\n+x = 2\n", "app/config.py")
    (change,) = found(text, "serve", file="app/config.py")["serve"]
    assert (change.certainty, change.lines, change.added) == ("hint", 2, ())


def test_a_function_with_known_lines_gets_no_hint() -> None:
    text = diff("@@ -3 +3 @@\n-x = 1\n+x = 2\n")
    assert found(text, "second", ran=ExecutedLines((lines("second", 40),), (lines("second", 40),))) == {}


def test_files_are_ranked_by_their_changed_lines() -> None:
    text = diff("@@ -1 +1 @@\n-a\n+b\n", "a.h") + diff("@@ -8,3 +8,3 @@\n-a\n-a\n-a\n+b\n+b\n+b\n")
    ran = ExecutedLines(after=(lines("f", 8, 9, 10), lines("f", 1, file="/w/a.h")))
    assert [c.file for c in found(text, "f", ran=ran)["f"]] == ["src/s.c", "a.h"]


CHANGED = ("targets/c/head.c", "targets/go/head.c", "server.py", "lib/deep/s.rs")


@pytest.mark.parametrize(
    ("path", "root", "meant"),
    [
        ("/home/u/.cache/profpipe/worktrees/0123456789ab/ba9876543210/targets/c/head.c", "", "targets/c/head.c"),
        ("/w/checkout/targets/c/head.c", "", "targets/c/head.c"),
        ("c/head.c", "", "targets/c/head.c"),
        ("head.c", "targets/go", "targets/go/head.c"),
        ("head.c", "", None),  # two changed files are called so
        ("./server.py", "", "server.py"),
        ("/usr/lib/x/server.py", "", None),
        ("/venv/lib/python3.11/site-packages/server.py", "", None),
        ("other/s.rs", "", None),
        ("deep/s.rs", "", "lib/deep/s.rs"),
        ("", "", None),
    ],
)
def test_a_path_of_a_profile_means_one_changed_file_or_none(path: str, root: str, meant: str | None) -> None:
    assert in_changed_file(path, CHANGED, root) == meant
