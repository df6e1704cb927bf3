"""action.yml and docs/ci: valid by the vendors' schemas, nothing found by zizmor, and docs/ci.md does what it says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from profpipe.cli import cli
from profpipe.model.report import Report
from tests.support.actions_runner import Job, clean_environment, load, program
from tests.support.attach_driving import gitlab_environment, stored, write_event
from tests.support.forge_server import HEAD_SHA, TOKEN, Forge
from tests.support.paths import ROOT
from tests.support.sample_commits import pull_request_document

pytestmark = pytest.mark.programs

CI = ROOT / "docs" / "ci"
PAGE = (ROOT / "docs" / "ci.md").read_text()
BESIDE = Path(sys.executable).parent
SCHEMAS = {
    "vendor.github-actions": [ROOT / "action.yml"],
    "vendor.github-workflows": [*sorted(CI.glob("github-*.yml")), CI / "gitea.yml"],
    "vendor.gitlab-ci": [CI / "gitlab-ci.yml"],
}


def tool(name: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BESIDE / name), *map(str, words)], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("schema", SCHEMAS)
def test_files_fit_the_vendors_schemas(schema: str) -> None:
    done = tool("check-jsonschema", "--builtin-schema", schema, *SCHEMAS[schema])
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_file_is_in_a_schema_and_in_the_page() -> None:
    assert sorted(CI.iterdir()) == sorted(path for files in SCHEMAS.values() for path in files if path.parent == CI)
    for path in CI.iterdir():
        assert f"(ci/{path.name})" in PAGE


def test_zizmor_finds_nothing(tmp_path: Path) -> None:
    done = tool(
        "zizmor",
        "--offline",
        "--persona",
        "regular",
        *SCHEMAS["vendor.github-actions"],
        *SCHEMAS["vendor.github-workflows"],
    )
    assert done.returncode == 0, done.stdout + done.stderr
    bad = tmp_path / "bad.yml"
    bad.write_text((CI / "github-fork-post.yml").read_text().replace(" # zizmor: ignore[dangerous-triggers]", ""))
    assert tool("zizmor", "--offline", bad).returncode != 0


def test_each_permission_and_input_is_explained() -> None:
    for path in (CI / "github-same-repository.yml", CI / "github-fork-post.yml"):
        job = next(iter(load(path)["jobs"].values()))
        for name, level in job["permissions"].items():
            assert f"| `{name}: {level}` |" in PAGE
    action = load(ROOT / "action.yml")
    for name in (*action["inputs"], *action["outputs"]):
        assert f"`{name}`" in PAGE or name == "from-run"
    assert {"study", "base", "fail-on", "rounds", "comment"} <= set(action["inputs"])
    assert set(action["outputs"]) == {"regressions", "report-path", "comment-id"}


def blocks(heading: str) -> list[str]:
    """The commands of a section of docs/ci.md, as they stand there."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.search(r"```console\n(.*?)```", section, re.S)
    assert found, heading
    return [line.removeprefix("$ ") for line in found.group(1).splitlines()]


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A clone with a branch whose target has moved on, and stand-ins for what a runner fetches.

    `diff` measures for minutes and is tested elsewhere: here it resolves its commits, leaves a finished report and
    exit code 3.
    """
    folder, stand_ins = tmp_path / "scratch", tmp_path / "bin"
    folder.mkdir()
    data = pull_request_document()
    data["gate"] = {"asked": ["regression:5%"], "failed": True, "hits": ["CPU time per request 2.26×"]}
    data["variants"][1]["commit"] |= {"commit": HEAD_SHA, "dirty": False}
    finished = stored(tmp_path / "finished", Report.model_validate(data))
    (finished / "report.html").write_text("<!DOCTYPE html>")
    profpipe = f"{shlex.quote(sys.executable)} -m profpipe"
    program(
        stand_ins,
        "profpipe",
        f'if [ "$1" = diff ]; then echo "$@" >> {tmp_path}/asked; o="${{@: -1}}"; mkdir -p "$o"; '
        f"pwd > {tmp_path}/where; PYTHONPATH={ROOT} {shlex.quote(sys.executable)} -m tests.support.resolve_asked "
        f'{tmp_path}/resolved "${{@:2}}"; '
        f'cp {finished}/* "$o"; exit 3; fi\nexec {profpipe} "$@"',
    )
    program(stand_ins, "pip", "exit 0")
    program(stand_ins, "apt-get", "exit 0")
    program(stand_ins, "sudo", '"$@"')
    program(
        stand_ins, "python3", f'[ "$2" = venv ] || exit 9\nmkdir -p "$3/bin"; cp {stand_ins}/{{pip,profpipe}} "$3/bin"'
    )
    program(stand_ins, "gh", f'mkdir -p "${{@: -1}}"; cp {finished}/report.json "${{@: -1}}"')
    origin = tmp_path / "origin"
    origin.mkdir()
    git(origin, "init", "-q", "-b", "main")
    for text in ("one", "where the branch began"):
        commit(origin, text)
    git(origin, "checkout", "-q", "-b", "faster")
    commit(origin, "the branch")
    git(origin, "checkout", "-q", "main")
    commit(origin, "main moved")
    git(tmp_path, "clone", "-q", str(origin), str(folder))
    git(folder, "checkout", "-q", "--detach", "origin/faster")
    return folder


STUDY = """
[target.threads]
command = ["{python}", "x.py", "{port}"]

[study.concurrency]
targets = ["threads"]
"""


def commit(folder: Path, text: str) -> None:
    (folder / "profpipe.toml").write_text(f"schema = 1 # {text}\n{STUDY}")
    git(folder, "add", "profpipe.toml")
    git(folder, "commit", "-qm", text)


def measured(folder: Path) -> list[str]:
    """The subjects of the commits that a recipe measures; `follow` has committed the recipe on top of the branch."""
    return (folder.parent / "resolved").read_text().splitlines()


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@t.example"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, timeout=60)


def out(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True, timeout=60)
    return done.stdout.strip()


def follow(heading: str, folder: Path) -> None:
    """Every command of the section, in the scratch repository, by bash."""
    for key, value in (("user.name", "t"), ("user.email", "t@t.example")):
        git(folder, "config", key, value)
    environment = clean_environment(folder.parent / "none") | {
        "PROFPIPE": str(ROOT),
        "OWNER": "acme",
        "HOST": "git.example",
        "COMMIT": "ab12" * 10,
    }
    for line in blocks(heading):
        done = subprocess.run(
            ["bash", "-euc", line], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{line}: {done.stderr}"


def job(forge: Forge, folder: Path, event: dict[str, object], **context: str) -> Job:
    place = folder.parent
    environment = clean_environment(place / "bin") | {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": forge.url,
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_REPOSITORY": "acme/server",
        "GITHUB_EVENT_PATH": str(write_event(place, event)),
        "GITHUB_SHA": "cd" * 20,
        "GITHUB_STEP_SUMMARY": str(place / "summary.md"),
        "GITHUB_RUN_ID": "1",
        "GITHUB_BASE_REF": "main",
    }
    temp = place / "temp"
    temp.mkdir(exist_ok=True)
    known = {"github.token": TOKEN, "runner.temp": str(temp), "github.repository": "acme/server", **context}
    return Job(folder, temp, environment, known, ROOT)


PULL = {"pull_request": {"number": 7, "head": {"sha": HEAD_SHA}}}


def asked(folder: Path) -> list[str]:
    """The words `diff` was called with, the folder for the report left out; they are words of the real command."""
    words = shlex.split((folder.parent / "asked").read_text())
    if "diff" in cli.commands:
        cli.commands["diff"].make_context("diff", words[1:]).close()
    return words[:-1]


@pytest.mark.slow
def test_the_workflow_for_own_branches_as_the_page_says(forge: Forge, scratch: Path) -> None:
    follow("GitHub, branches of your own repository", scratch)
    workflow = scratch / ".github" / "workflows" / "profpipe.yml"
    assert f"uses: acme/profpipe@{'ab12' * 10}" in workflow.read_text()
    ran = job(forge, scratch, PULL)
    assert ran.run(workflow) == 3, ran.log
    assert asked(scratch) == ["diff", "--fail-on", "regression:5%", "-o"]
    assert measured(scratch) == ["where the branch began", "measure pull requests"]
    (comment,) = forge.state.comments
    assert "**The gate fails**" in comment["body"]
    assert "CPU time per request 2.26×." in comment["body"]
    assert "[Full report](https://ci.example/artifacts/1)" in comment["body"]
    assert forge.state.statuses[0]["state"] == "failure"
    assert ran.outputs["regressions"] == "1"
    assert ran.outputs["comment-id"] == str(comment["id"])
    assert ran.outputs["report-path"].endswith("/report.html")
    assert set(ran.uploaded) == {"profpipe-results", "profpipe.html"}
    assert (scratch.parent / "summary.md").exists()
    assert TOKEN not in ran.log


def test_a_label_or_the_night_starts_a_measurement_as_the_page_says(forge: Forge, scratch: Path) -> None:
    follow("GitHub, only when asked, or at night", scratch)
    folder = scratch / ".github" / "workflows"
    on_label = load(folder / "profpipe.yml")
    assert next(iter(on_label["jobs"].values()))["if"] == (
        "contains(github.event.pull_request.labels.*.name, 'profpipe')"
    )
    assert "uses: acme/profpipe@" in (folder / "profpipe.yml").read_text()
    nightly = job(forge, scratch, {})
    assert nightly.run(folder / "profpipe-nightly.yml") == 0, nightly.log
    assert not (scratch.parent / "asked").exists(), "every commit is of today"


@pytest.mark.slow
def test_the_night_measures_what_a_day_brought(forge: Forge, scratch: Path) -> None:
    follow("GitHub, only when asked, or at night", scratch)
    yesterday = {"GIT_COMMITTER_DATE": "2020-01-01T00:00:00Z"}
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@t.example", "commit", "-q", "--amend", "--no-edit"],
        cwd=scratch, check=True, env=os.environ | yesterday, timeout=60,
    )  # fmt: skip
    base = out(scratch, "rev-parse", "HEAD")
    git(scratch, "commit", "-q", "--allow-empty", "-m", "of today")
    nightly = job(forge, scratch, {})
    assert nightly.run(scratch / ".github" / "workflows" / "profpipe-nightly.yml") == 3, nightly.log
    assert asked(scratch) == ["diff", f"{base}...HEAD", "--fail-on", "regression:5%", "-o"]
    assert forge.state.comments == []


@pytest.mark.slow
def test_the_pair_for_forks_as_the_page_says(forge: Forge, scratch: Path) -> None:
    follow("GitHub, forks too", scratch)
    folder = scratch / ".github" / "workflows"
    measured = job(forge, scratch, PULL)
    assert measured.run(folder / "github-fork-measure.yml") == 3, measured.log
    assert forge.state.asked == []
    assert set(measured.uploaded) == {"profpipe-results", "profpipe.html"}
    event = {
        "repository": {"id": 1},
        "workflow_run": {
            "event": "pull_request",
            "head_sha": HEAD_SHA,
            "head_branch": "faster",
            "head_repository": {"owner": {"login": "fork"}},
            "pull_requests": [],
        },
    }
    posted = job(forge, scratch, event, **{"github.event.workflow_run.id": "1234"})
    assert posted.run(folder / "github-fork-post.yml") == 0, posted.log
    (comment,) = forge.state.comments
    assert "computed again on the trusted side from its rounds" in comment["body"]
    assert forge.state.statuses[0]["state"] == "failure", "by the rule of the posting workflow"
    assert posted.uploaded["profpipe.html"].stat().st_size > 10_000  # ours, not the fork's 15 bytes
    assert TOKEN not in posted.log


@pytest.mark.slow
def test_the_action_hands_its_inputs_on_as_words(forge: Forge, scratch: Path, tmp_path: Path) -> None:
    workflow = tmp_path / "w.yml"
    hostile = 'x"; touch canary; $(touch canary) `touch canary` #'
    workflow.write_text(
        "jobs:\n  j:\n    steps:\n      - uses: a/profpipe@b\n        with:\n"
        f"          study: '{hostile}'\n          rounds: 3\n          budget: 10m\n          comment: false\n"
    )
    ran = job(forge, scratch, PULL)
    assert ran.run(workflow) == 3, ran.log
    assert not (scratch / "canary").exists()
    assert (tmp_path / "asked").read_text().startswith(f"diff {hostile} --rounds 3 --budget 10m -o ")
    assert forge.state.comments == []
    assert len(forge.state.statuses) == 1


def script(lines: list[str], folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Lines of a recipe in one shell; /opt is not ours to write in a test, so it becomes a folder beside."""
    text = "\n".join(lines).replace("/opt/profpipe", str(folder.parent / "opt"))
    return subprocess.run(
        ["bash", "-ec", text], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize("merged", [False, True])
def test_gitlab_as_the_page_says(forge: Forge, scratch: Path, merged: bool) -> None:
    follow("GitLab", scratch)
    forge.state.pulls[7]["state"] = "opened"
    recipe = load(scratch / ".gitlab-ci.yml")["profpipe"]
    environment = gitlab_environment(forge) | clean_environment(scratch.parent / "bin")
    base, head = (out(scratch, "rev-parse", ref) for ref in ("origin/faster~1", "HEAD"))
    environment |= {"CI_MERGE_REQUEST_DIFF_BASE_SHA": base, "PROFPIPE_TOKEN": environment.pop("GITLAB_TOKEN")}
    if merged:
        # The pipeline checks out the merge with the target; its source branch is what is measured.
        git(scratch, "merge", "-q", "-s", "ours", "-m", "merged", "origin/main")
        environment |= {"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": head}
    environment |= {"CI_COMMIT_SHA": out(scratch, "rev-parse", "HEAD")}
    forge.state.pulls[7]["sha"] = head
    done = script([*recipe["before_script"], *recipe["script"]], scratch, environment)
    assert done.returncode == 3, done.stdout + done.stderr
    assert asked(scratch) == ["diff", f"{base}...{head}", "--fail-on", "regression:5%", "-o"]
    assert measured(scratch) == ["where the branch began", "measure merge requests"]
    (note,) = forge.state.comments
    assert "[Full report](https://gitlab.example/jobs/1/artifacts/file/profpipe/report.html)" in note["body"]


@pytest.mark.slow
def test_gitea_as_the_page_says(forge: Forge, scratch: Path) -> None:
    follow("Gitea and Forgejo", scratch)
    workflow = load(scratch / ".gitea" / "workflows" / "profpipe.yml")
    steps = [step for step in workflow["jobs"]["cost"]["steps"] if "run" in step]
    environment = job(forge, scratch, PULL).environment | {"GITEA_ACTIONS": "true", "PROFPIPE_TOKEN": TOKEN}
    done = script([step["run"] for step in steps], scratch, environment)
    assert done.returncode == 3, done.stdout + done.stderr
    assert measured(scratch) == ["where the branch began", "measure pull requests"]
    (comment,) = forge.state.comments
    assert forge.state.assets[comment["id"]][0]["name"] == "report.html"


@pytest.mark.slow
def test_two_studies_in_one_workflow_have_artifacts_and_comments_of_their_own(
    forge: Forge, scratch: Path, tmp_path: Path
) -> None:
    (scratch / "services" / "api").mkdir(parents=True)
    workflow = tmp_path / "w.yml"
    workflow.write_text(
        "jobs:\n  j:\n    steps:\n"
        "      - uses: a/profpipe@b\n        continue-on-error: true\n"
        "        with:\n          base: main\n"
        "          fail-on: |\n            regression:5%\n            regression:instructions:1%\n"
        "      - uses: a/profpipe@b\n        continue-on-error: true\n"
        "        with:\n          working-directory: services/api\n          config: own.toml\n"
        "          artifact: api\n"
    )
    git(scratch, "branch", "-f", "main", "origin/main")
    ran = job(forge, scratch, PULL)
    assert ran.run(workflow) == 0, ran.log
    first, second = (scratch.parent / "asked").read_text().splitlines()
    rules = "--fail-on regression:5% --fail-on regression:instructions:1%"
    assert first.startswith(f"diff main...HEAD {rules} -o ")
    assert second.startswith("diff --config own.toml -o ")
    assert (scratch.parent / "where").read_text().strip() == str(scratch / "services" / "api")
    assert set(ran.uploaded) == {"profpipe-results", "profpipe.html", "api-results", "api.html"}
    assert len(forge.state.comments) == 2


def test_no_recipe_installs_what_is_not_published() -> None:
    for path in CI.iterdir():
        for line in path.read_text().splitlines():
            if "pip install" in line or 'pip" install' in line:
                assert "git+https://HOST/OWNER/profpipe@" in line, f"{path.name}: {line}"
