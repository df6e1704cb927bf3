"""git's diffs, read: every changed line once, under the right path and number."""

from __future__ import annotations

import string
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from profpipe.analyse.commits.diff import ChangedFile, defined_in, parse_diff
from profpipe.errors import CommitError
from tests.support.commit_cases import git
from tests.support.examples import examples
from tests.support.tools import require


def numbers(file: ChangedFile) -> tuple[list[int], list[int]]:
    """(removed, added) line numbers."""
    return (
        [line.number for hunk in file.hunks for line in hunk.removed],
        [line.number for hunk in file.hunks for line in hunk.added],
    )


def one(text: str) -> ChangedFile:
    found = parse_diff(text)
    assert len(found.files) == 1
    return found.files[0]


def test_changed_lines_have_the_numbers_of_their_own_side() -> None:
    text = (
        "diff --git a/src/s.c b/src/s.c\nindex 1..2 100644\n--- a/src/s.c\n+++ b/src/s.c\n"
        "@@ -10,2 +10 @@ int answer(int x) {\n-a\n-b\n+c\n"
        "@@ -30,0 +30,2 @@ static void die(const char *what) {\n+d\n+e\n"
    )
    file = one(text)
    assert (file.before, file.after) == ("src/s.c", "src/s.c")
    assert numbers(file) == ([10, 11], [10, 30, 31])
    assert [hunk.heading for hunk in file.hunks] == ["answer", "die"]


def test_lines_that_look_like_headers_are_lines() -> None:
    text = (
        "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n--- a/y\n-@@ -1 +1 @@\n+++ b/y\n+diff --git a/z b/z\n"
    )
    assert numbers(one(text)) == ([1, 2], [1, 2])


def test_a_carriage_return_and_a_form_feed_end_no_line() -> None:
    text = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n-one\r\n+two\x0c\x85 three\u2028\r\n+four\n"
    text += "\\ No newline at end of file\n"
    assert numbers(one(text)) == ([1], [1, 2])


def test_context_lines_count_and_are_not_changed() -> None:
    text = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -5,4 +5,4 @@ void f(void)\n same\n\n-old\n+new\n same\n"
    assert numbers(one(text)) == ([7], [7])


def test_renames_binaries_submodules_and_modes() -> None:
    text = (
        "diff --git a/old name.c b/new name.c\nsimilarity index 100%\nrename from old name.c\nrename to new name.c\n"
        "diff --git a/p.png b/p.png\nindex 1..2 100644\nBinary files a/p.png and b/p.png differ\n"
        "diff --git a/lib b/lib\nindex 1..2 160000\n--- a/lib\n+++ b/lib\n@@ -1 +1 @@\n-Subproject commit 1\n"
        "+Subproject commit 2\n"
        "diff --git a/run.sh b/run.sh\nold mode 100644\nnew mode 100755\n"
        "diff --git a/n.c b/n.c\nnew file mode 100644\nindex 0..1\n--- /dev/null\n+++ b/n.c\n@@ -0,0 +1 @@\n+int x;\n"
        "diff --git a/d.c b/d.c\ndeleted file mode 100644\nindex 1..0\n--- a/d.c\n+++ /dev/null\n@@ -1 +0,0 @@\n"
        "-int x;\n"
    )
    files = {file.path: file for file in parse_diff(text).files}
    assert list(files) == ["new name.c", "p.png", "lib", "run.sh", "n.c", "d.c"]
    assert files["new name.c"].before == "old name.c"
    assert files["p.png"].binary
    assert files["lib"].submodule
    assert files["lib"].hunks == ()
    assert (files["n.c"].before, files["d.c"].after) == (None, None)
    assert numbers(files["d.c"]) == ([1], [])


def test_quoted_paths_are_unquoted() -> None:
    name = r"\303\244 \"q\".c"
    text = f'diff --git "a/{name}" "b/{name}"\n--- "a/{name}"\n+++ "b/{name}"\n@@ -1 +1 @@\n-a\n+b\n'
    assert one(text).path == 'ä "q".c'


def test_a_diff_cut_within_a_hunk_is_partial() -> None:
    text = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,3 +1 @@\n-one\n"
    assert parse_diff(text).partial
    assert numbers(parse_diff(text).files[0]) == ([1], [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("diff --git a/x b/x\n@@ -1,x +1 @@\n", r"line 2: expected `@@ -line"),
        ("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\nwhat\n", r"line 5: expected 1 removed and 1 added"),
        ("diff --git a/x b/x\n@@ -1 +1 @@\n-a\n-b\n", r"line 4: expected 0 removed and 1 added"),
        ("diff --cc x\n@@@ -1 -1 +1 @@@\n", r"line 1: a merge's combined diff"),
    ],
)
def test_text_that_is_no_diff_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(CommitError, match=message):
        parse_diff(text)


def test_nothing_changed_is_no_file() -> None:
    assert parse_diff("").files == ()


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("static void die(const char *what) {", "die"),
        ("size_t write_head(char *out, enum body body, time_t now)", "write_head"),
        ("std::string Head::render(int n) const {", "render"),
        ("    def serve(self, request):", "serve"),
        ("    pub(crate) async fn poll_ready(&mut self) {", "poll_ready"),
        ("func (c *conn) serve(ctx context.Context) {", "serve"),
        ("int x = f(y);", ""),
        ("    n = put(out, n);", ""),
        ("if (ready(x))", ""),
        ("return done(x)", ""),
        ("# def not_one():", ""),
        ("impl Head for Body {", ""),
        ("#define MAX(a, b) \\", ""),
        ("", ""),
    ],
)
def test_definitions_are_distinguished_from_statements(line: str, name: str) -> None:
    assert defined_in(line) == name


LINES = st.lists(st.text(string.ascii_letters + " -+@\\\r\x0c\té", max_size=8), max_size=12)


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("git")
    folder = tmp_path_factory.mktemp("repo")
    git(folder, "init", "-q")
    return folder


@pytest.mark.programs
@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=LINES, after=LINES, context=st.sampled_from((0, 3)), end=st.booleans())
def test_git_agrees(repo: Path, before: list[str], after: list[str], context: int, end: bool) -> None:
    """What is left of each side without its changed lines is the same text."""
    sides = ["\n".join(lines) + ("\n" if end and lines else "") for lines in (before, after)]
    for name, text in zip(("a", "b"), sides, strict=True):
        (repo / name).write_bytes(text.encode())
    command = ["git", "-c", "core.autocrlf=false", "diff", "--no-index", f"-U{context}", "--text", "a", "b"]
    raw = subprocess.run(command, cwd=repo, capture_output=True, timeout=20).stdout.decode()
    found = parse_diff(raw)
    if sides[0] == sides[1]:
        assert found.files == ()
        return
    removed, added = numbers(found.files[0])
    rest = [
        [line for i, line in enumerate(text.split("\n"), 1) if i not in changed]
        for text, changed in zip(sides, (set(removed), set(added)), strict=True)
    ]
    # A last line without newline differs from the same with one: split leaves an empty text behind the newline.
    assert [line for line in rest[0] if line] == [line for line in rest[1] if line]


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    for whole in (text, "diff --git a/x b/x\n" + text, "diff --git a/x b/x\n@@ -1,2 +1,2 @@\n" + text):
        try:
            found = parse_diff(whole)
        except CommitError:
            continue
        assert len(found.files) <= whole.count("diff --git ")
