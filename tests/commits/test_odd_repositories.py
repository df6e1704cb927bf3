"""Repositories that are not as usual: each is compared rightly, or refused with the line that mends it.

`check_out` is what `profpipe diff` does before it builds anything: no server is started here.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from profpipe.errors import ProfpipeError
from profpipe.pipeline.commits.diff import DiffOptions, check_out
from profpipe.pipeline.events import Note
from tests.support.demo_repository import git
from tests.support.small_repository import put

pytestmark = pytest.mark.programs

STUDY = '[target.server]\ncommand = ["./server", "{port}"]\nlanguage = "other"\n[study.cost]\ntargets = ["server"]\n'


@dataclass
class Odd:
    """Where `profpipe diff WORDS` is called. `before`, `after` = what it must compare; `refused` = else its message.

    `note` must be in the progress output.
    """

    here: Path
    words: tuple[str, ...] = ()
    before: str = "1\n"
    after: str = "2\n"
    refused: str = ""
    note: str = ""
    options: dict[str, object] = field(default_factory=dict)


def begun(path: Path, *words: str) -> Path:
    """A repository whose main has a study and a.txt with 1."""
    path.mkdir(parents=True)
    git(path, "init", "--quiet", "--initial-branch=main", *words)
    (path / "profpipe.toml").write_text(STUDY)
    put(path, "a.txt", "1\n", "one")
    return path


def branched(path: Path, *words: str) -> Path:
    """... and a branch `topic`, checked out, that makes it 2."""
    begun(path, *words)
    git(path, "checkout", "--quiet", "-b", "topic")
    put(path, "a.txt", "2\n", "two")
    return path


def cloned(origin: Path, path: Path, *words: str) -> Path:
    git(path.parent, "clone", "--quiet", *words, f"file://{origin}", str(path))
    return path


def a_shallow_clone(tmp: Path) -> Odd:
    put(branched(tmp / "origin"), "a.txt", "3\n", "three")
    clone = cloned(tmp / "origin", tmp / "clone", "--depth=1", "--branch=topic", "--no-single-branch")
    return Odd(clone, refused="git fetch --unshallow")


def a_shallow_clone_of_one_branch(tmp: Path) -> Odd:
    branched(tmp / "origin")
    clone = cloned(tmp / "origin", tmp / "clone", "--depth=1", "--branch=topic")
    return Odd(clone, ("HEAD~1",), refused="git fetch --unshallow")


def a_detached_head_of_ci(tmp: Path) -> Odd:
    clone = cloned(branched(tmp / "origin"), tmp / "clone")
    git(clone, "checkout", "--quiet", "--detach", "origin/topic")
    git(clone, "branch", "--quiet", "-D", "topic")
    git(clone, "remote", "set-head", "origin", "main")
    return Odd(clone)


def a_clone_whose_main_moved(tmp: Path) -> Odd:
    origin = branched(tmp / "origin")
    git(origin, "checkout", "--quiet", "main")
    put(origin, "a.txt", "9\n", "main goes on")
    git(origin, "checkout", "--quiet", "topic")
    return Odd(cloned(origin, tmp / "clone"))


def a_linked_worktree(tmp: Path) -> Odd:
    repo = branched(tmp / "repo")
    git(repo, "checkout", "--quiet", "main")
    git(repo, "worktree", "add", "--quiet", str(tmp / "linked"), "topic")
    return Odd(tmp / "linked")


def a_bare_repository(tmp: Path) -> Odd:
    git(tmp, "clone", "--quiet", "--bare", str(branched(tmp / "origin")), str(tmp / "bare.git"))
    return Odd(tmp / "bare.git", refused="git worktree add")


def a_base_that_was_deleted(tmp: Path) -> Odd:
    clone = cloned(branched(tmp / "origin"), tmp / "clone")
    return Odd(clone, ("origin/release..HEAD",), refused="no commit 'origin/release'.*git fetch")


def no_common_commit(tmp: Path) -> Odd:
    repo = begun(tmp / "repo")
    git(repo, "checkout", "--quiet", "--orphan", "topic")
    put(repo, "a.txt", "2\n", "another beginning")
    return Odd(repo, refused="have no common commit")


def a_merge_commit(tmp: Path) -> Odd:
    repo = branched(tmp / "repo")
    git(repo, "checkout", "--quiet", "main")
    put(repo, "b.txt", "main goes on\n", "more")
    git(repo, "merge", "--quiet", "--no-ff", "-m", "merge topic", "topic")
    return Odd(repo, note="the commit before, since this is main")


def tags_and_no_branch(tmp: Path) -> Odd:
    repo = branched(tmp / "repo")
    git(repo, "tag", "v1", "main")
    git(repo, "tag", "--annotate", "-m", "two", "v2", "topic")
    git(repo, "checkout", "--quiet", "--detach")
    git(repo, "branch", "--quiet", "-D", "main", "topic")
    return Odd(repo, ("v1..v2",))


def a_tag_that_is_called_main(tmp: Path) -> Odd:
    repo = begun(tmp / "repo")
    put(repo, "a.txt", "0\n", "older")
    git(repo, "tag", "main")
    put(repo, "a.txt", "1\n", "one again")
    git(repo, "checkout", "--quiet", "-b", "topic")
    put(repo, "a.txt", "2\n", "two")
    return Odd(repo)


def a_branch_named_like_a_file(tmp: Path) -> Odd:
    repo = branched(tmp / "repo")
    git(repo, "branch", "--quiet", "--move", "a.txt")
    return Odd(repo, ("main..a.txt",))


def a_branch_named_like_the_study(tmp: Path) -> Odd:
    repo = branched(tmp / "repo")
    git(repo, "branch", "--quiet", "--move", "cost")
    return Odd(repo, ("main", "cost^0"))


def a_folder_with_odd_signs(tmp: Path) -> Odd:
    return Odd(branched(tmp / "a folder\nof “two” lines, 'quotes' and $(signs) "))


def paths_with_odd_signs(tmp: Path) -> Odd:
    repo = branched(tmp / "repo")
    for name in ("two\nlines.txt", " blank ", "-x", ":(top)", "“quotes”\t", "$(touch x)"):
        (repo / name).write_text("x\n")
    git(repo, "add", "--all")
    git(repo, "commit", "--quiet", "-m", "odd paths")
    return Odd(repo)


def names_that_are_not_utf_8(tmp: Path) -> Odd:
    repo = branched(tmp / "repo")
    Path(os.fsdecode(os.fsencode(repo) + b"/caf\xe9.txt")).write_text("x\n")
    git(repo, "add", "--all")
    git(repo, "-c", "i18n.commitEncoding=latin-1", "commit", "--quiet", "-m", "caf\udce9", "--author", "\udce9 <a@b>")
    return Odd(repo)


def paths_that_differ_in_case_alone(tmp: Path) -> Odd:
    repo = branched(tmp / "repo")
    put(repo, "A.txt", "another file\n", "A beside a")
    return Odd(repo)


def a_study_in_a_subfolder(tmp: Path) -> Odd:
    repo = branched(tmp / "repo")
    (repo / "services" / "shop").mkdir(parents=True)
    git(repo, "mv", "profpipe.toml", "services/shop/profpipe.toml")
    git(repo, "commit", "--quiet", "-m", "moved")
    return Odd(repo / "services" / "shop", note="differs or is missing in")


def a_study_that_is_a_link(tmp: Path) -> Odd:
    repo = begun(tmp / "repo")
    (repo / "ci").mkdir()
    git(repo, "mv", "profpipe.toml", "ci/study.toml")
    (repo / "profpipe.toml").symlink_to("ci/study.toml")
    put(repo, "b.txt", "x\n", "linked")
    git(repo, "checkout", "--quiet", "-b", "topic")
    put(repo, "a.txt", "2\n", "two")
    return Odd(repo)


def a_study_that_links_to_a_place_outside(tmp: Path) -> Odd:
    (tmp / "elsewhere").mkdir()
    (tmp / "elsewhere" / "profpipe.toml").write_text(STUDY)
    repo = branched(tmp / "repo")
    (repo / "profpipe.toml").unlink()
    (repo / "profpipe.toml").symlink_to(tmp / "elsewhere" / "profpipe.toml")
    put(repo, "b.txt", "x\n", "linked")
    return Odd(repo)


def a_checkout_reached_by_a_link(tmp: Path) -> Odd:
    branched(tmp / "repo")
    (tmp / "link").symlink_to("repo")
    return Odd(tmp / "link")


def a_submodule_itself(tmp: Path) -> Odd:
    part = branched(tmp / "part")
    whole = begun(tmp / "whole")
    git(whole, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", f"file://{part}", "part")
    git(whole / "part", "remote", "set-head", "origin", "main")
    return Odd(whole / "part")


def a_submodule_that_was_never_fetched(tmp: Path) -> Odd:
    part = begun(tmp / "part")
    whole = begun(tmp / "whole")
    git(whole, "checkout", "--quiet", "-b", "topic")
    git(whole, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", f"file://{part}", "part")
    git(whole, "commit", "--quiet", "-m", "a part")
    return Odd(cloned(whole, tmp / "clone"), refused="git submodule update --init part")


def a_filter_of_lfs_that_is_not_installed(tmp: Path) -> Odd:
    repo = branched(tmp / "repo")
    put(repo, ".gitattributes", "*.bin filter=lfs\n", "large files")
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + 64 * "0" + "\nsize 12\n"
    put(repo, "model.bin", pointer, "a model")
    return Odd(repo, note="model.bin is a pointer of Git LFS, not the file: git lfs install --local")


def hashes_of_sha_256(tmp: Path) -> Odd:
    return Odd(branched(tmp / "repo", "--object-format=sha256"))


def no_commit_at_all(tmp: Path) -> Odd:
    (tmp / "repo").mkdir()
    git(tmp / "repo", "init", "--quiet", "--initial-branch=main")
    (tmp / "repo" / "profpipe.toml").write_text(STUDY)
    return Odd(tmp / "repo", refused="has no commit yet")


def one_commit(tmp: Path) -> Odd:
    return Odd(begun(tmp / "repo"), refused="has no commit before it here.*profpipe diff BASE")


def a_checkout_of_another_user(tmp: Path) -> Odd:
    """As in a CI job in a container, whose checkout was made outside."""
    os.environ["GIT_TEST_ASSUME_DIFFERENT_OWNER"] = "1"
    return Odd(branched(tmp / "repo"), refused="git config --global --add safe.directory")


def a_sparse_checkout(tmp: Path) -> Odd:
    repo = branched(tmp / "repo")
    (repo / "large").mkdir()
    put(repo, "large/file.txt", "x\n", "more")
    git(repo, "sparse-checkout", "set", "--no-cone", "/*.t*", "!large")
    return Odd(repo)


def a_clone_without_blobs(tmp: Path) -> Odd:
    git(branched(tmp / "origin"), "config", "uploadpack.allowFilter", "true")
    clone = cloned(tmp / "origin", tmp / "clone", "--filter=blob:none", "--no-checkout")
    git(clone, "config", "protocol.file.allow", "always")
    git(clone, "checkout", "--quiet", "topic")
    return Odd(clone)


def many_commits(tmp: Path) -> Odd:
    repo = branched(tmp / "repo")
    commits = "".join(
        f"commit refs/heads/topic\ncommitter a <a@b> {1_700_000_000 + n} +0000\ndata 1\n{n % 10}\n"
        + ("from refs/heads/topic^0\n" if not n else "")
        for n in range(3_000)
    )
    subprocess.run(["git", "-C", str(repo), "fast-import", "--quiet", "--force"], input=commits.encode(), check=True)
    return Odd(repo)


def many_commits_one_by_one(tmp: Path) -> Odd:
    odd = many_commits(tmp)
    return Odd(odd.here, ("main..topic",), refused="profpipe bisect", options={"every": True})


ODD: tuple[Callable[[Path], Odd], ...] = (
    a_shallow_clone,
    a_shallow_clone_of_one_branch,
    a_detached_head_of_ci,
    a_clone_whose_main_moved,
    a_linked_worktree,
    a_bare_repository,
    a_base_that_was_deleted,
    no_common_commit,
    a_merge_commit,
    tags_and_no_branch,
    a_tag_that_is_called_main,
    a_branch_named_like_a_file,
    a_branch_named_like_the_study,
    a_folder_with_odd_signs,
    paths_with_odd_signs,
    names_that_are_not_utf_8,
    paths_that_differ_in_case_alone,
    a_study_in_a_subfolder,
    a_study_that_is_a_link,
    a_study_that_links_to_a_place_outside,
    a_checkout_reached_by_a_link,
    a_submodule_itself,
    a_submodule_that_was_never_fetched,
    a_filter_of_lfs_that_is_not_installed,
    hashes_of_sha_256,
    no_commit_at_all,
    one_commit,
    a_checkout_of_another_user,
    a_sparse_checkout,
    a_clone_without_blobs,
    many_commits,
    many_commits_one_by_one,
)


@pytest.mark.parametrize("made", ODD, ids=lambda made: made.__name__)
def test_an_odd_repository_is_compared_rightly_or_refused_with_the_remedy(
    made: Callable[[Path], Odd], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "0")  # as a test may set it, so that it is taken back
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")  # git-lfs of Debian sets its filter up for all users
    odd = made(tmp_path)
    notes: list[str] = []
    options = DiffOptions(words=odd.words, **odd.options)  # type: ignore[arg-type]

    def listen(event: object) -> None:
        if isinstance(event, Note):
            notes.append(event.text)

    if odd.refused:
        with pytest.raises(ProfpipeError, match=f"(?s){odd.refused}"), check_out(options, odd.here, listen):
            pass
        return
    with check_out(options, odd.here, listen) as at:
        texts = [(folder / "a.txt").read_text() for folder in at.folders.values()]
    assert texts == [odd.before, odd.after]
    assert odd.note in "\n".join(notes)
