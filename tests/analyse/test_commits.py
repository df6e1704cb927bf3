"""Two commits of a real program, built by gcc, counted by callgrind, with git's own diff between them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.commit_cases import HEADER, MAIN, NOISE, SERVER, Pair, edited, two_commits
from tests.support.tools import require

Commit = Callable[..., Pair]
DIGITS = """\
    for (int i = 0; i < 24; i++) {
        out[n++] = (char)('0' + (status * i) % 10);
    }
"""
PART = f"static {NOISE} int write_digits(char *out, int n, int status) {{\n{DIGITS}    return n;\n}}\n\n"
HEAD = "int write_head(char *out, int status) {\n"


@pytest.fixture
def commit(tmp_path: Path) -> Commit:
    require("valgrind", "gcc", "git")
    return lambda files, **more: two_commits(tmp_path, files, **more)


def both(old: str, new: str, *edits: tuple[str, str]) -> dict[str, str]:
    """Both files with a name replaced, and edits of the program besides."""
    return {"server.c": edited(SERVER, *edits).replace(old, new), "server.h": HEADER.replace(old, new)}


def verdicts(pair: Pair) -> set[str | None]:
    return {r.cells["after"].verdict for c in pair.report.hotspots[0].rows for r in c.functions}


@pytest.mark.real
def test_a_pure_rename_is_no_change(commit: Commit) -> None:
    found = commit(both("write_head", "format_prefix"))
    alignment = found.row("format_prefix").alignment["after"]
    assert (alignment.before.name, alignment.certainty) == ("write_head", "measured")
    assert not found.has("write_head")
    assert verdicts(found) == {"no change"}
    assert found.delta("format_prefix") == 0
    assert found.report.hotspots[0].unmatched == {"after": 0}
    (said,) = found.said("commits-renamed")
    assert "“format_prefix” (“write_head” before)" in said.text
    assert found.said("commits") == []


@pytest.mark.real
def test_a_pure_move_to_another_file_is_no_change(commit: Commit) -> None:
    body = SERVER[SERVER.index("int checksum") : SERVER.index(HEAD)]
    found = commit({"server.c": edited(SERVER, (body, "")), "lib/sums.c": '#include "server.h"\n\n' + body})
    alignment = found.row("checksum").alignment["after"]
    assert (alignment.before.file, found.row("checksum").function.file) == ("repo/server.c", "lib/sums.c")
    assert alignment.certainty == "measured"
    assert verdicts(found) == {"no change"}
    changes = {c.file: c for c in found.row("checksum").changes["after"]}
    assert changes.keys() == {"server.c", "lib/sums.c"}
    assert changes["server.c"].added == changes["lib/sums.c"].removed == ()


@pytest.mark.real
def test_a_split_function_has_moved(commit: Commit) -> None:
    split = edited(SERVER, (DIGITS, "    n = write_digits(out, n, status);\n"), (HEAD, PART + HEAD))
    found = commit({"server.c": split})
    assert verdicts(found) == {"no change"}
    gone, there = found.cell("write_head").moved, found.cell("write_digits").moved
    assert gone is not None
    assert there is not None
    assert gone == -there < -300
    assert found.row("write_digits").alignment["after"].before.name == "write_head"
    (said,) = found.said("commits-moved")
    assert "in “write_digits”" in said.text
    assert "came from its caller “write_head”" in said.text


@pytest.mark.real
def test_a_regression_behind_a_split_is_found_with_its_lines(commit: Commit) -> None:
    part = edited(PART, ("i < 24", "i < 60"))
    found = commit(
        {"server.c": edited(SERVER, (DIGITS, "    n = write_digits(out, n, status);\n"), (HEAD, part + HEAD))}
    )
    assert found.cell("write_head").verdict == "no change"
    assert found.cell("write_digits").verdict == "worse"
    said = [c for c in found.said("commits") if "“write_digits” became more expensive" in c.text]
    assert len(said) == 1
    assert "server.c:21-26 changed in this commit and lie in it" in said[0].text


@pytest.mark.real
def test_inlining_has_moved(commit: Commit) -> None:
    static = "static inline __attribute__((always_inline)) "
    found = commit(
        {
            "server.c": edited(SERVER, ("int write_body(", f"{static}int write_body(")),
            "server.h": edited(HEADER, (f"{NOISE} int write_body(", f"{static}int write_body(")),
        }
    )
    assert verdicts(found) == {"no change"}
    assert found.cell("write_body").self == 0
    assert (found.cell("answer").moved or 0) > 800
    assert "came from its callee “write_body”" in (found.cell("answer").why or "")


@pytest.mark.real
def test_inlining_that_ends_has_moved(commit: Commit) -> None:
    static = "static inline __attribute__((always_inline)) "
    before = {
        "server.c": edited(SERVER, ("int write_body(", f"{static}int write_body(")),
        "server.h": edited(HEADER, (f"{NOISE} int write_body(", f"{static}int write_body(")),
    }
    found = commit({"server.c": SERVER, "server.h": HEADER}, before={**before, "main.c": MAIN})
    assert verdicts(found) == {"no change"}
    assert (found.cell("write_body").moved or 0) > 800
    assert found.row("write_body").alignment["after"].before.name == "answer"


@pytest.mark.real
def test_a_regression_in_a_renamed_function_is_found_with_its_lines(commit: Commit) -> None:
    found = commit(both("write_head", "write_response_head", ("i < 24", "i < 90")))
    row = found.row("write_response_head")
    assert row.alignment["after"].before.name == "write_head"
    assert row.alignment["after"].certainty == "likely"
    assert row.cells["after"].verdict == "worse"
    (change,) = row.changes["after"]
    assert (change.file, change.added, change.removed) == ("server.c", ((21, 21), (26, 26)), ((21, 21), (26, 26)))
    assert change.certainty == "measured"
    first = found.said("commits")[0]
    assert first.text.startswith("“write_response_head” became more expensive by ")
    assert "(“write_head” before)" in first.text
    assert "server.c:21, 26 changed in this commit and lie in it" in first.text
    assert first.certainty == "likely"


@pytest.mark.real
def test_an_unchanged_callee_that_became_more_expensive_points_at_its_caller(commit: Commit) -> None:
    """write_head makes the head longer, and checksum, which nobody touched, has more to sum up."""
    found = commit({"server.c": edited(SERVER, ("i < 40", "i < 90"))})
    assert found.row("checksum").changes == {}
    texts = [c.text for c in found.said("commits")]
    assert any(
        t.startswith("“write_head” became more expensive") and "server.c:23 changed in this commit" in t for t in texts
    )
    assert any(
        t.startswith("“checksum” became more expensive")
        and "no changed line lies in it, but server.c:23 does in its caller" in t
        for t in texts
    )


@pytest.mark.real
def test_without_line_data_the_function_named_by_git_is_only_likely(commit: Commit) -> None:
    found = commit({"server.c": edited(SERVER, ("i < 24", "i < 90"))}, lines=False)
    (change,) = found.row("write_head").changes["after"]
    assert (change.added, change.certainty) == (((26, 26),), "likely")
    assert all(not found.row(n).changes for n in ("parse", "checksum", "write_body", "answer"))


@pytest.mark.real
def test_a_comment_between_functions_is_in_none_of_them(commit: Commit) -> None:
    found = commit({"server.c": edited(SERVER, (HEAD, "/* The head. */\n" + HEAD))})
    assert all(not r.changes for c in found.report.hotspots[0].rows for r in c.functions)
    (said,) = found.said("commits-nothing")
    assert "A change of the whole under 0.3 % would not have been seen." in said.text
